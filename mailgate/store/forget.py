"""Deleting for good: messages, tickets and all that hangs on them, with a claims record for each.

Whoever forgets says in an entry of the audit log what and why; here only the rows go. Rows are
locked in the order of everybody else (item, ticket, link, outbox).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Literal, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    delete,
    exists,
    func,
    insert,
    select,
    text,
)

from mailgate.store.engine import Database
from mailgate.store.people_tables import labelled, override, search
from mailgate.store.privacy_tables import claim_record
from mailgate.store.tables import (
    content,
    decision,
    event,
    item,
    link,
    message,
    named,
    outbox,
    signature,
)
from mailgate.store.tables import ticket as tickets
from mailgate.store.types import AnyRow

Why = Literal["retention", "erasure"]

Value = TypeVar("Value", int, str)

#: Rows named in one statement; PostgreSQL takes 65,535 values.
_AT_ONCE = 500
#: Pages of the search index that are merged while the write lock is held: some milliseconds.
_PAGES = 500

#: What hangs on a message by its queue id, and goes before it.
_HANGING = (search, labelled, named, signature, override, decision, link, outbox, event)

_CHANGES = select(func.total_changes())
_MERGE = text("INSERT INTO search_fts (search_fts, rank) VALUES ('merge', :pages)")

_POLICY = (
    select(decision.c.policy_sha256)
    .where(decision.c.queue_id == item.c.queue_id)
    .order_by(decision.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
_REMAINS = select(
    item.c.queue_id,
    item.c.desk,
    item.c.channel,
    item.c.received_at,
    item.c.sha256,
    func.coalesce(message.c.account_id, item.c.account_id).label("account_id"),
    message.c.ticket,
    message.c.contact_id,
    message.c.decided_at,
    message.c.verdict,
    message.c.rule,
    message.c.reasons,
    func.coalesce(_POLICY, "").label("policy_sha256"),
).select_from(item.outerjoin(message, message.c.queue_id == item.c.queue_id))


def forget(
    connection: Connection,
    queue_ids: Iterable[str],
    why: Why,
    now: datetime,
    ended_at: Mapping[int, datetime] | None = None,
) -> Mapping[str, int]:
    """Delete these messages and all that hangs on them; gives how many rows of each table went.

    One row of `claim_record` remains of each. Its window counts from the end of the communication:
    `ended_at` by ticket, for any other message the time it came in. A content that another item
    has too stays with that item.
    """
    gone: Counter[str] = Counter()
    for ids in _some(queue_ids):
        query = _REMAINS.where(item.c.queue_id.in_(ids)).order_by(item.c.queue_id)
        found = connection.execute(query.with_for_update(of=item)).all()
        if not found:
            continue
        remains = [_remains(row, why, now, ended_at or {}) for row in found]
        connection.execute(insert(claim_record), remains)
        here = [row.queue_id for row in found]
        for hanging in _HANGING:
            _delete(connection, hanging, gone, hanging.c.queue_id.in_(here))
        _delete(connection, message, gone, message.c.queue_id.in_(here))
        _delete(connection, item, gone, item.c.queue_id.in_(here))
        unused = content.c.sha256.in_({row.sha256 for row in found})
        shared = exists().where(item.c.sha256 == content.c.sha256)
        _delete(connection, content, gone, unused, ~shared)
    return gone


def forget_tickets(
    connection: Connection,
    ended_at: Mapping[int, datetime],
    why: Why,
    now: datetime,
) -> Mapping[str, int]:
    """Delete these tickets, given with the end of their communication, and all that is on them."""
    gone: Counter[str] = Counter()
    for numbers in _some(ended_at):
        lock_tickets(connection, numbers)
        on_them = select(message.c.queue_id).where(message.c.ticket.in_(numbers))
        ids = connection.execute(on_them).scalars().all()
        gone.update(forget(connection, ids, why, now, ended_at))
        for hanging in (outbox, event):
            _delete(connection, hanging, gone, hanging.c.ticket.in_(numbers))
        _delete(connection, tickets, gone, tickets.c.number.in_(numbers))
    return gone


def lock_tickets(connection: Connection, numbers: Sequence[int]) -> None:
    """Nobody decides anything on these tickets until the end of the transaction."""
    if connection.dialect.name == "sqlite":
        return  # the one writer has the lock already
    on_them = select(message.c.queue_id).where(message.c.ticket.in_(numbers))
    items = select(item.c.queue_id).where(item.c.queue_id.in_(on_them)).order_by(item.c.queue_id)
    connection.execute(items.with_for_update()).all()
    locked = select(tickets.c.number).where(tickets.c.number.in_(numbers))
    connection.execute(locked.order_by(tickets.c.number).with_for_update()).all()


def clean(database: Database) -> bool:
    """Let nothing of what was deleted remain in the files of the database (promise G2).

    False where somebody was reading all the time, so that SQLite's log of writes could not be
    emptied: it will be when this is done next. PostgreSQL gives the room free to be written over,
    and keeps what its own log of writes and its backups still hold.
    """
    if database.sqlite:
        _merge_index(database)
        return _empty_log(database)
    names = [each.name for each in (*_HANGING, message, item, content, tickets)]
    with database.alone() as connection:
        connection.exec_driver_sql(f"VACUUM {', '.join(names)}")
    return True


def _remains(
    row: AnyRow, why: Why, now: datetime, ended_at: Mapping[int, datetime]
) -> dict[str, Any]:
    """The claims record; `undecided` stands for the verdict where nobody has judged the message."""
    return {
        "queue_id": row.queue_id,
        "ticket": row.ticket,
        "desk": row.desk,
        "channel": row.channel,
        "account_id": row.account_id,
        "contact_id": row.contact_id,
        "received_at": row.received_at,
        "decided_at": row.decided_at,
        "verdict": row.verdict or "undecided",
        "rule": row.rule or "",
        "reasons": row.reasons or [],
        "policy_sha256": row.policy_sha256,
        "content_sha256": row.sha256,
        "ended_at": ended_at.get(row.ticket, row.received_at),
        "removed_at": now,
        "removed_why": why,
    }


def _delete(
    connection: Connection, table: Table, gone: Counter[str], *where: ColumnElement[bool]
) -> None:
    gone[table.name] += connection.execute(delete(table).where(*where)).rowcount


def _some(values: Iterable[Value]) -> Iterator[list[Value]]:
    """A few at a time, in order, so that everybody locks them in the same one."""
    left = iter(sorted(set(values)))
    while some := list(islice(left, _AT_ONCE)):
        yield some


def _merge_index(database: Database) -> None:
    """What FTS5's `optimize` does, in steps that each leave the lock to the intake.

    A word that was deleted stays in its index, marked, until the parts of it are merged to one:
    first with a negative number, then until a step changes nothing any more.
    """
    pages, changed = -_PAGES, 2
    while changed > 1:
        with database.writing() as connection:
            before = connection.execute(_CHANGES).scalar_one()
            connection.execute(_MERGE, {"pages": pages})
            changed = connection.execute(_CHANGES).scalar_one() - before
        pages = _PAGES


def _empty_log(database: Database) -> bool:
    with database.alone() as connection:
        busy: int = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
    return not busy
