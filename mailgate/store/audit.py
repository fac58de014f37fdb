"""The audit log: what people did, every entry chained by its hash to the one before (promise W6).

Whoever can write to the database can also forge the whole chain from some entry on; what `verify`
printed before, number and hash of the last entry, then no longer fits. Keep it elsewhere.

The oldest entries go when their time is over (row A11). The head says from then on where the log
begins and what stood before, and an entry says that it was shortened to there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from mailgate.model.people import AuditEntry, AuditFault
from mailgate.model.views import Page
from mailgate.store import cursors
from mailgate.store.engine import Database
from mailgate.store.people_tables import audit, audit_head
from mailgate.store.types import AnyRow, fit

FIRST = "0" * 64
"""What stands for the hash before the first entry."""
_AT_ONCE = 1000
_SHORTENED = "audit-shortened"


def write(
    connection: Connection, at: datetime, who: str, what: str, subject: str, why: Mapping[str, Any]
) -> None:
    """Add one entry inside the caller's transaction, as the last thing in it.

    The head of the chain is held until the commit, so that entries stand one after the other.
    """
    head = connection.execute(select(audit_head).with_for_update()).one()
    number = head.last + 1
    plain = json.loads(fit(json.dumps(dict(why), ensure_ascii=False)))
    values = {"at": at, "who": fit(who), "what": what, "subject": fit(subject), "why": plain}
    entry = AuditEntry(id=number, prev=head.hash, hash="", **values)
    digest = digest_of(entry)
    connection.execute(insert(audit), {"id": number, "prev": head.hash, "hash": digest, **values})
    connection.execute(update(audit_head).values(last=number, hash=digest))


def shorten(connection: Connection, first: int, who: str, now: datetime) -> int:
    """Let the log begin with this entry; gives how many went, which an entry of its own tells.

    The triggers of the table allow it to nobody who has not said so in the head before.
    """
    head = connection.execute(select(audit_head).with_for_update()).one()
    if not head.first < first <= head.last + 1:
        return 0
    before = select(audit.c.hash).where(audit.c.id == first - 1)
    moved = {"first": first, "first_prev": connection.execute(before).scalar_one()}
    connection.execute(update(audit_head).values(moved))
    gone = connection.execute(delete(audit).where(audit.c.id < first)).rowcount
    write(connection, now, who, _SHORTENED, "audit", {"first": first, "removed": gone})
    return gone


def digest_of(entry: AuditEntry) -> str:
    """SHA-256 over everything in an entry but the hash itself, as canonical JSON."""
    at = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    said = [entry.id, at, entry.who, entry.what, entry.subject, entry.why, entry.prev]
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


class Audit:
    """`AuditStore` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def entries(
        self,
        *,
        who: str | None = None,
        subject: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[AuditEntry]:
        """Newest first."""
        query = select(audit).order_by(audit.c.id.desc()).limit(limit + 1)
        if who is not None:
            query = query.where(audit.c.who == who)
        if subject is not None:
            query = query.where(audit.c.subject == subject)
        if after is not None:
            query = query.where(audit.c.id < cursors.read_number(after))
        with self._database.reading() as connection:
            found = [_entry_of(row) for row in connection.execute(query)]
        more = str(found[limit - 1].id) if len(found) > limit else None
        return Page(tuple(found[:limit]), more)

    def verify(self) -> tuple[int, AuditFault | None]:
        """How many entries were looked at, and the first that does not fit."""
        with self._database.snapshot() as connection:
            head = connection.execute(select(audit_head)).one()
            last, prev, begins, seen = head.first - 1, head.first_prev, 1, 0
            for entry in _oldest_first(connection):
                fault = _fault(entry, last + 1, prev)
                if fault:
                    return seen, fault
                last, prev, seen = entry.id, entry.hash, seen + 1
                if entry.what == _SHORTENED:
                    begins = entry.why["first"]
        if (head.last, head.hash) != (last, prev):
            return seen, AuditFault(last + 1, "entries are missing at the end")
        if head.first != begins:
            return seen, AuditFault(begins, "entries are missing at the beginning")
        return seen, None

    def head(self) -> tuple[int, str]:
        """Number and hash of the last entry, to be kept where nobody can change it."""
        with self._database.reading() as connection:
            row = connection.execute(select(audit_head)).one()
        return row.last, row.hash


def _oldest_first(connection: Connection) -> Iterator[AuditEntry]:
    query = select(audit).order_by(audit.c.id).limit(_AT_ONCE)
    found = [_entry_of(row) for row in connection.execute(query)]
    while found:
        yield from found
        more = connection.execute(query.where(audit.c.id > found[-1].id))
        found = [_entry_of(row) for row in more]


def _fault(entry: AuditEntry, number: int, prev: str) -> AuditFault | None:
    if entry.id < number:
        return AuditFault(entry.id, "it stands before the beginning")
    if entry.id != number:
        return AuditFault(number, "the entry is missing")
    if entry.prev != prev:
        return AuditFault(entry.id, "it does not follow the entry before")
    if entry.hash != digest_of(entry):
        return AuditFault(entry.id, "it is not what was written")
    return None


def _entry_of(row: AnyRow) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        at=row.at,
        who=row.who,
        what=row.what,
        subject=row.subject,
        why=row.why,
        prev=row.prev,
        hash=row.hash,
    )
