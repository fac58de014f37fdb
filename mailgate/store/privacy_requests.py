"""What people ask about their data: kept with its deadline, until somebody of ours answers it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, insert, select, update

from mailgate.model.addresses import address_key, normalise
from mailgate.model.privacy import PrivacyRequest, RequestKind
from mailgate.model.privacy_ports import ANY_REQUEST, Answered, RequestFilter
from mailgate.model.views import Page
from mailgate.model.web_ports import Refused
from mailgate.settings import Limits, Privacy
from mailgate.store import cursors, events, rows
from mailgate.store.engine import Database
from mailgate.store.limits import letter_exceeded
from mailgate.store.privacy_tables import IS_UNDONE, privacy_request
from mailgate.store.tables import outbox
from mailgate.store.types import AnyRow, storable

#: Requests of one person that may wait at a time, where they file them themselves.
_WAITING = 5


class PrivacyRequests:
    """`RequestStore` over a database."""

    def __init__(self, database: Database, limits: Limits, privacy: Privacy) -> None:
        self._database = database
        self._limits = limits
        self._privacy = privacy

    def file(
        self,
        kind: RequestKind,
        address: str,
        text: str,
        filed_by: str,
        now: datetime,
        *,
        contact_id: int | None = None,
        account_id: str | None = None,
    ) -> PrivacyRequest:
        """Keep a request: `due_at` follows from privacy.answer_within.

        Raises `Refused("too-many")` where a contact has five that nobody answered yet; a login of
        staff may file as many as come in.
        """
        with self._database.writing() as connection:
            if "@" in filed_by and _undone(connection, address) >= _WAITING:
                raise Refused("too-many")
            row = connection.execute(
                insert(privacy_request)
                .values(
                    kind=kind,
                    address=normalise(address),
                    address_key=address_key(address),
                    contact_id=contact_id,
                    account_id=account_id,
                    text=text,
                    filed_by=filed_by,
                    filed_at=now,
                    due_at=self._privacy.answer_within.end(now),
                    state="open",
                )
                .returning(*privacy_request.c)
            ).one()
            record(connection, now, "privacy-request-filed", filed_by, row, kind=kind)
        return request_of(row)

    def all(
        self, wanted: RequestFilter = ANY_REQUEST, *, after: str | None = None, limit: int = 50
    ) -> Page[PrivacyRequest]:
        """The newest first; with `undone` the one that is due first. Raises `BadCursor`."""
        query = select(privacy_request).where(*_conditions(wanted)).limit(limit + 1)
        if wanted.undone:
            query = query.order_by(privacy_request.c.due_at, privacy_request.c.id)
        else:
            query = query.order_by(privacy_request.c.id.desc())
        if after is not None:
            query = query.where(_behind(after, due_first=bool(wanted.undone)))
        with self._database.reading() as connection:
            found = [request_of(row) for row in connection.execute(query)]
        if len(found) <= limit:
            return Page(tuple(found))
        last = found[limit - 1]
        place = cursors.moment(last.due_at, last.id) if wanted.undone else str(last.id)
        return Page(tuple(found[:limit]), place)

    def get(self, request_id: int) -> PrivacyRequest | None:
        query = select(privacy_request).where(privacy_request.c.id == storable(request_id))
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        return request_of(row) if row else None

    def close(
        self,
        request_id: int,
        state: Literal["done", "refused"],
        outcome: str,
        who: str,
        now: datetime,
        answer: Answered,
    ) -> PrivacyRequest | None:
        """Answer a request; `outcome` is told to the person. None where it is answered already.

        A refusal says why (GDPR Art. 12(4)): raises `Refused("say-why")` for an empty `outcome`.
        Raises `Refused("too-many")` where the limits leave no room for the mail: nothing is done.
        """
        if state == "refused" and not outcome.strip():
            raise Refused("say-why")
        with self._database.writing() as connection:
            row = lock(connection, request_id)
            if row is None or row.state not in ("open", "waiting"):
                return None
            return settle(connection, self._limits, row, state, outcome, who, now, answer)

    def copied(self, request_id: int, who: str, now: datetime, count: Mapping[str, int]) -> None:
        """Say in the audit log who got a copy of the data, and how much was in it."""
        subject = _subject(request_id)
        with self._database.writing() as connection:
            events.record(connection, now, "exported", who=who, subject=subject, count=dict(count))

    def alert_due(self, now: datetime) -> list[PrivacyRequest]:
        """Requests that nobody answered within privacy.alert_after; each is given once."""
        late = (
            update(privacy_request)
            .where(*self._late(now), privacy_request.c.alerted_at.is_(None))
            .values(alerted_at=now)
            .returning(*privacy_request.c)
        )
        with self._database.writing() as connection:
            found = [request_of(row) for row in connection.execute(late)]
            for one in found:
                events.record(
                    connection,
                    now,
                    "privacy-request-late",
                    subject=_subject(one.id),
                    request=one.id,
                )
        return sorted(found, key=lambda one: one.due_at)

    def overdue(self, now: datetime) -> list[PrivacyRequest]:
        """Requests that are late for an alert or for their deadline, whoever was told of it."""
        query = select(privacy_request).where(*self._late(now)).order_by(privacy_request.c.due_at)
        with self._database.reading() as connection:
            return [request_of(row) for row in connection.execute(query)]

    def _late(self, now: datetime) -> tuple[Any, ...]:
        since = now - self._privacy.alert_after
        return IS_UNDONE, (privacy_request.c.filed_at <= since) | (privacy_request.c.due_at <= now)


def lock(connection: Connection, request_id: int) -> AnyRow | None:
    """The request's row, ours until the commit."""
    query = select(privacy_request).where(privacy_request.c.id == storable(request_id))
    return connection.execute(query.with_for_update()).first()


def settle(
    connection: Connection,
    limits: Limits,
    row: AnyRow,
    state: str,
    outcome: str,
    who: str,
    now: datetime,
    answer: Answered,
    **values: Any,
) -> PrivacyRequest:
    """Close a locked request and tell the person; the last thing in a transaction."""
    row = connection.execute(
        update(privacy_request)
        .where(privacy_request.c.id == row.id)
        .values(state=state, closed_at=now, closed_by=who, outcome=outcome, **values)
        .returning(*privacy_request.c)
    ).one()
    closed = request_of(row)
    notice = answer(closed)
    if notice is not None:
        if letter_exceeded(connection, limits, now, to=notice.to, template=notice.template):
            raise Refused("too-many")
        connection.execute(insert(outbox), rows.notice_row(notice, now))
    record(connection, now, f"privacy-request-{state}", who, row, kind=row.kind)
    return closed


def record(
    connection: Connection, now: datetime, what: str, who: str, row: AnyRow, **why: Any
) -> None:
    """What stands in the audit log outlives an erasure: no address and no word of the text."""
    events.record(connection, now, what, who=who, subject=_subject(row.id), **why)


def request_of(row: AnyRow) -> PrivacyRequest:
    names = PrivacyRequest.__dataclass_fields__
    return PrivacyRequest(**{name: getattr(row, name) for name in names})


def _subject(request_id: int) -> str:
    return f"request:{request_id}"


def _undone(connection: Connection, address: str) -> int:
    """How many requests of a person wait; one transaction at a time may ask."""
    query = select(privacy_request.c.id).where(
        privacy_request.c.address_key == address_key(address), IS_UNDONE
    )
    return len(connection.execute(query.with_for_update()).all())


def _conditions(wanted: RequestFilter) -> list[Any]:
    table = privacy_request.c
    key = None if wanted.address is None else address_key(wanted.address)
    asked: dict[Any, Any] = {
        table.kind: wanted.kind,
        table.state: wanted.state,
        table.address_key: key,
        table.contact_id: wanted.contact_id,
    }
    found = [column == value for column, value in asked.items() if value is not None]
    if wanted.undone is not None:
        words = ("open", "waiting") if wanted.undone else ("done", "refused")
        found.append(table.state.in_(words))
    return found


def _behind(after: str, *, due_first: bool) -> Any:
    if not due_first:
        return privacy_request.c.id < cursors.read_number(after)
    at, number = cursors.read_moment(after)
    later = privacy_request.c.due_at > at
    return later | ((privacy_request.c.due_at == at) & (privacy_request.c.id > number))
