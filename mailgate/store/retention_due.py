"""What is due to be removed: for each kind of row when it ended, and whether something keeps it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Table, delete, exists, func, select

from mailgate.model.addresses import address_key
from mailgate.model.retention import Window, after_its_year
from mailgate.settings import Privacy
from mailgate.store.forget import forget, forget_tickets, lock_tickets
from mailgate.store.people_tables import access_token, api_token, audit, change
from mailgate.store.privacy_tables import (
    claim_record,
    correction,
    privacy_hold,
    privacy_request,
    privacy_restriction,
)
from mailgate.store.retention_kept import (
    GROUNDS,
    HOLD,
    RESTRICTION,
    kept_entries,
    kept_messages,
    kept_rows,
    kept_tickets,
)
from mailgate.store.tables import event, item, message, outbox, paused_address
from mailgate.store.tables import ticket as tickets
from mailgate.store.types import AnyRow, AnySelect

Data = Literal["correspondence", "claims", "security"]

_WAITS = outbox.c.state.in_(("waiting", "active"))
_MAILED = func.max(func.coalesce(outbox.c.sent_at, outbox.c.created_at))
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row whose window is over by some moment; `kept` is empty, "hold" or "restricted"."""

    key: Any
    ended_at: datetime
    due_at: datetime
    kept: str


Remove = Callable[[Connection, Sequence[Candidate], datetime], Mapping[str, int]]
Lock = Callable[[Connection, Sequence[Any]], None]


@dataclass(frozen=True)
class Kind:
    """Rows that go in the same way.

    `query` gives the key, the times of which the latest is the end, and whether a hold or a
    restriction keeps it; `since` is one of those times, to look up only what is old enough.
    """

    table: str
    data: Data
    key: ColumnElement[Any]
    since: ColumnElement[Any]
    query: AnySelect
    lock: Lock
    remove: Remove


class Windows:
    """How long each class of data is kept, by the settings."""

    def __init__(self, privacy: Privacy) -> None:
        self._windows: Mapping[Data, Window] = {
            "correspondence": privacy.correspondence,
            "claims": privacy.claims,
            "security": privacy.security,
        }
        self._to_year_end = privacy.claims_to_year_end

    def end(self, data: Data, ended: datetime) -> datetime:
        end = self._windows[data].end(ended)
        return after_its_year(end) if data == "claims" and self._to_year_end else end

    def shortest(self, data: Data) -> timedelta:
        return self._windows[data].shortest


def candidates(
    connection: Connection,
    kind: Kind,
    windows: Windows,
    until: datetime,
    among: Sequence[Any] | None = None,
) -> Iterator[Candidate]:
    """What of this kind is over by then, in no order; with `among` of these keys alone."""
    query = kind.query.where(kind.since <= until - windows.shortest(kind.data))
    if among is not None:
        query = query.where(kind.key.in_(among))
    for row in connection.execute(query):
        key, *times, held, restricted = row
        ended = max(time for time in times if time is not None)
        due = windows.end(kind.data, ended)
        if due <= until:
            yield Candidate(key, ended, due, _kept(held, restricted))


def audit_candidates(
    connection: Connection, windows: Windows, until: datetime
) -> Iterator[Candidate]:
    """The oldest entries of the audit log that are over by then, in order, as far as they reach.

    The first that is younger, or that must be kept, keeps all after it: a chain has no holes.
    """
    grounds = [(ground.name, kept_entries(connection, ground)) for ground in GROUNDS]
    for row in _entries(connection):
        due = windows.end("security", row.at)
        if due > until:
            return
        who = address_key(row.who)
        kept = [name for name, k in grounds if row.subject in k.subjects or who in k.keys]
        yield Candidate(row.id, row.at, due, kept[0] if kept else "")
        if kept:
            return


def _entries(connection: Connection) -> Iterator[AnyRow]:
    columns = select(audit.c.id, audit.c.at, audit.c.who, audit.c.subject)
    query = columns.order_by(audit.c.id).limit(_AT_ONCE)
    found = connection.execute(query).all()
    while found:
        yield from found
        found = connection.execute(query.where(audit.c.id > found[-1].id)).all()


def _kept(held: object, restricted: object) -> str:
    return HOLD.name if held else RESTRICTION.name if restricted else ""


# --- correspondence -------------------------------------------------------------------------


def _tickets() -> Kind:
    on_it = message.c.ticket == tickets.c.number
    unsettled = (
        exists()
        .where(on_it, item.c.queue_id == message.c.queue_id, item.c.state != "done")
        .correlate(tickets)
    )
    mails = outbox.c.ticket == tickets.c.number
    query = select(
        tickets.c.number,
        tickets.c.closed_at,
        select(func.max(message.c.received_at)).where(on_it).scalar_subquery(),
        select(_MAILED).where(mails).scalar_subquery(),
        *(tickets.c.number.in_(kept_tickets(ground)) for ground in GROUNDS),
    ).where(tickets.c.state == "closed", ~unsettled, ~exists().where(mails, _WAITS))
    return Kind(
        "ticket",
        "correspondence",
        key=tickets.c.number,
        since=tickets.c.closed_at,
        query=query,
        lock=lock_tickets,
        remove=lambda connection, due, now: forget_tickets(
            connection, {each.key: each.ended_at for each in due}, "retention", now
        ),
    )


def _messages() -> Kind:
    """Messages on no ticket. One that is held or waits for its turn is nobody's past yet."""
    mails = outbox.c.queue_id == message.c.queue_id
    waits = exists().where(item.c.queue_id == message.c.queue_id, item.c.state != "done")
    query = (
        select(
            message.c.queue_id,
            message.c.received_at,
            select(_MAILED).where(mails).scalar_subquery(),
            *(message.c.queue_id.in_(kept_messages(ground)) for ground in GROUNDS),
        )
        # Without a join, so that the few on no ticket are looked up first, not all that are done.
        .where(message.c.ticket.is_(None), ~waits, ~exists().where(mails, _WAITS))
    )
    return Kind(
        "message",
        "correspondence",
        key=message.c.queue_id,
        since=message.c.received_at,
        query=query,
        lock=_locks(item.c.queue_id),
        remove=lambda connection, due, now: forget(
            connection, [each.key for each in due], "retention", now
        ),
    )


def _letters() -> Kind:
    """Mails of ours that belong to no ticket and to no message that is there."""
    of_mail = exists().where(item.c.queue_id == outbox.c.queue_id)
    of_ticket = exists().where(tickets.c.number == outbox.c.ticket)
    about = {"key": outbox.c.to_key, "contact_id": outbox.c.contact_id}
    return _rows(
        outbox, "correspondence", outbox.c.id, outbox.c.created_at, about,
        ~_WAITS, ~of_mail, ~of_ticket,
    )  # fmt: skip


# --- rows that stand for themselves ---------------------------------------------------------


def _rows(
    table: Table,
    data: Data,
    key: ColumnElement[Any],
    since: ColumnElement[Any],
    about: Mapping[str, ColumnElement[Any]],
    *where: ColumnElement[bool],
) -> Kind:
    """Rows of a table that ended at `since`; `about` are the columns that say whom it is about."""
    kept = (kept_rows(ground, **about) for ground in GROUNDS)

    def remove(
        connection: Connection, due: Sequence[Candidate], _now: datetime
    ) -> Mapping[str, int]:
        gone = delete(table).where(key.in_([each.key for each in due]))
        return {table.name: connection.execute(gone).rowcount}

    query = select(key, since, *kept).where(since.is_not(None), *where)
    return Kind(table.name, data, key, since, query, _locks(key), remove)


def _locks(key: ColumnElement[Any]) -> Lock:
    def lock(connection: Connection, keys: Sequence[Any]) -> None:
        query = select(key).where(key.in_(keys)).order_by(key)
        connection.execute(query.with_for_update()).all()

    return lock


def _claims() -> Kind:
    c = claim_record.c
    about = {"contact_id": c.contact_id, "account": c.account_id, "number": c.ticket}
    return _rows(claim_record, "claims", c.queue_id, c.ended_at, about)


def _security() -> Iterator[Kind]:
    token, staffs, wish = access_token.c, api_token.c, change.c
    yield _rows(
        access_token, "security", token.id, func.coalesce(token.revoked_at, token.expires_at),
        {"contact_id": token.contact_id, "account": token.account_id},
    )  # fmt: skip
    yield _rows(
        api_token, "security", staffs.id, func.coalesce(staffs.revoked_at, staffs.expires_at), {}
    )
    yield _rows(
        change, "security", wish.id, func.coalesce(wish.decided_at, wish.expires_at),
        {"key": wish.new_key, "contact_id": wish.contact_id, "account": wish.account_id},
    )  # fmt: skip
    asked = privacy_request.c
    about = {
        "key": asked.address_key,
        "contact_id": asked.contact_id,
        "account": asked.account_id,
    }
    yield _rows(privacy_request, "security", asked.id, asked.closed_at, about)
    yield _rows(
        correction, "security", correction.c.id, correction.c.at,
        {"contact_id": correction.c.contact_id},
    )  # fmt: skip
    for table, ended in (
        (privacy_hold, privacy_hold.c.lifted_at),
        (privacy_restriction, privacy_restriction.c.lifted_at),
    ):
        yield _rows(table, "security", table.c.id, ended, {"key": table.c.address_key})
    paused = paused_address.c
    about = {"key": paused.address_key}
    yield _rows(paused_address, "security", paused.address_key, paused.ended_at, about)
    # What happened to no message and no ticket is told by the audit log too: it goes with that.
    of_mail = exists().where(item.c.queue_id == event.c.queue_id)
    of_ticket = exists().where(tickets.c.number == event.c.ticket)
    yield _rows(event, "security", event.c.id, event.c.at, {}, ~of_mail, ~of_ticket)


KINDS: tuple[Kind, ...] = (_tickets(), _messages(), _letters(), _claims(), *_security())
"""In the order in which they go; the audit log follows them."""
