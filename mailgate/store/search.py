"""Full-text search: the words of every message, found in either database in the same way.

We take texts apart ourselves, so that both databases agree on what a word is: letters and digits
of any script, without case and without marks (`Łódź` is found by `lodz`). Beside its words a
message has a few marks, such as its account; no words that somebody types can be a mark.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from hashlib import sha256

from sqlalchemy import (
    Connection,
    Select,
    cast,
    column,
    delete,
    func,
    insert,
    literal_column,
    select,
    table,
    update,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from mailgate.store.people_tables import labelled, search

_WORD = re.compile(r"[^\W_]+")
_PLAIN = str.maketrans({"ł": "l", "đ": "d", "ø": "o", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe"})
_LONGEST = 40
"""Characters of a word that count; PostgreSQL allows some 2,000 octets, and nobody types more."""
_TEXT, _WORDS, _ASKED = 100_000, 8_000, 10
_MARK = "§"
_FTS = table("search_fts", column("rowid"))


def words(*texts: str) -> list[str]:
    """The distinct words of some texts in the order they come, as they are kept and asked for."""
    found: dict[str, None] = {}
    for text in texts:
        folded = unicodedata.normalize("NFKD", text[:_TEXT].casefold().translate(_PLAIN))
        bare = "".join(c for c in folded if not unicodedata.combining(c))
        found.update(dict.fromkeys(word[:_LONGEST] for word in _WORD.findall(bare)))
        if len(found) > _WORDS:
            break
    return list(found)[:_WORDS]


def mark(kind: str, value: str) -> str:
    """A word that no text has: it narrows a search to an account, a verdict, a desk."""
    return f"{_MARK}{kind}{sha256(value.encode('utf-8', 'replace')).hexdigest()[:16]}"


def is_mark(word: str) -> bool:
    return word.startswith(_MARK)


def write(
    connection: Connection,
    queue_id: str,
    texts: Iterable[str],
    marks: Iterable[str],
    labels: Iterable[str],
) -> None:
    """Keep what finds a message, in the transaction that decides it; again replaces it."""
    kept = " ".join([*marks, *words(*texts)])
    changed = connection.execute(
        update(search).where(search.c.queue_id == queue_id).values(words=kept)
    )
    if changed.rowcount == 0:
        connection.execute(insert(search), {"queue_id": queue_id, "words": kept})
    else:
        connection.execute(delete(labelled).where(labelled.c.queue_id == queue_id))
    rows = [{"queue_id": queue_id, "label": label} for label in sorted(set(labels))]
    if rows:
        connection.execute(insert(labelled), rows)


def set_verdict(connection: Connection, queue_id: str, verdict: str) -> None:
    """A verdict was given without reading the message: its words stay, the marks follow."""
    query = select(search.c.words).where(search.c.queue_id == queue_id)
    kept: str = connection.execute(query).scalar_one()
    people = mark("people", "yes")
    gone = {people} if verdict == "filed" else set()
    stay = [w for w in kept.split(" ") if not w.startswith(f"{_MARK}verdict") and w not in gone]
    connection.execute(
        update(search)
        .where(search.c.queue_id == queue_id)
        .values(words=" ".join([mark("verdict", verdict), *stay]))
    )


def hits(
    connection: Connection,
    asked: str,
    marks: Sequence[str] = (),
    *,
    before: int | None = None,
    limit: int,
) -> list[int]:
    """Ids in `search` of the newest messages that have every mark, and every word asked for or one
    that begins with it. Nothing is found by text that has no word in it.

    They are looked up by themselves, before anything is asked of the messages: what a planner
    makes of both at once ranges from good to a minute.
    """
    wanted = words(asked)[:_ASKED]
    if not wanted and (asked.strip() or not marks):
        return []
    query = _in_sqlite(wanted, marks) if _is_sqlite(connection) else _in_postgresql(wanted, marks)
    if before is not None:
        query = query.where(query.selected_columns[0] < before)
    found = query.order_by(query.selected_columns[0].desc()).limit(limit)
    return list(connection.execute(found).scalars())


def _is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _in_sqlite(wanted: Sequence[str], marks: Sequence[str]) -> Select[int]:
    # Words are letters and digits alone: nothing in them ends the quotes (FTS5 syntax).
    terms = [*(f'"{m}"' for m in marks), *(f'"{w}"{"*" * (len(w) > 1)}' for w in wanted)]
    match = literal_column("search_fts").op("MATCH")(" AND ".join(terms))
    return select(_FTS.c.rowid).where(match)


def _in_postgresql(wanted: Sequence[str], marks: Sequence[str]) -> Select[int]:
    # Whether to walk from the newest or to take the index first, its statistics of words tell it.
    terms = [*(f"'{m}'" for m in marks), *(f"'{w}'{':*' * (len(w) > 1)}" for w in wanted)]
    kept = func.array_to_tsvector(func.string_to_array(search.c.words, literal_column("' '")))
    return select(search.c.id).where(kept.op("@@")(cast(" & ".join(terms), TSQUERY)))
