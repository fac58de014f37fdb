"""Rows for lists and pages. Reads only; newest first, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select, tuple_

from mailgate.model.item import QueueRow, QueueState
from mailgate.model.notice import OutboxRow, OutboxState
from mailgate.model.ticket import Standing, Ticket, TicketState
from mailgate.model.views import EventView, MessageView, TicketView
from mailgate.store import rows
from mailgate.store.engine import Database
from mailgate.store.message_views import message_views, messages
from mailgate.store.tables import content, event, item, message, outbox
from mailgate.store.tables import ticket as tickets
from mailgate.store.types import AnyRow, AnySelect

_UNFINISHED = ("incoming", "active", "deferred", "hold")
_NOT_SENT = ("waiting", "active", "failed", "bounced")


class Views:
    """Everything the command line and the pages list."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def _all(self, query: AnySelect) -> list[AnyRow]:
        with self._database.reading() as connection:
            return list(connection.execute(query))

    def tickets(
        self,
        *,
        state: TicketState | None = None,
        standing: Standing | None = None,
        account_id: str | None = None,
        before: tuple[datetime, int] | None = None,
        limit: int = 50,
    ) -> list[Ticket]:
        """Tickets, the last changed first; `before` is `(updated_at, number)` of the last one seen.

        Times change between two pages, so a ticket may show twice; none is left out for good.
        """
        query = select(tickets).order_by(tickets.c.updated_at.desc(), tickets.c.number.desc())
        if state is not None:
            query = query.where(tickets.c.state == state)
        if standing is not None:
            query = query.where(tickets.c.standing == standing)
        if account_id is not None:
            query = query.where(tickets.c.account_id == account_id)
        if before is not None:
            query = query.where(tuple_(tickets.c.updated_at, tickets.c.number) < before)
        return [rows.ticket_of(row) for row in self._all(query.limit(limit))]

    def ticket(self, number: int) -> TicketView | None:
        with self._database.reading() as connection:
            found = connection.execute(select(tickets).where(tickets.c.number == number)).first()
            if found is None:
                return None
            query = messages().where(message.c.ticket == number).order_by(message.c.received_at)
            sent = select(outbox).where(outbox.c.ticket == number).order_by(outbox.c.created_at)
            return TicketView(
                ticket=rows.ticket_of(found),
                messages=tuple(message_views(connection, connection.execute(query).all())),
                notices=tuple(rows.outbox_of(row) for row in connection.execute(sent)),
                events=event_views(connection, event.c.ticket == number),
            )

    def message(self, queue_id: str) -> MessageView | None:
        """A message with every judgement and link of it; None while nobody has decided it."""
        with self._database.reading() as connection:
            query = messages().where(message.c.queue_id == queue_id)
            found = message_views(connection, connection.execute(query).all())
        return found[0] if found else None

    def octets(self, queue_id: str) -> bytes | None:
        """The content exactly as it came in (promise M14)."""
        query = select(content.c.octets).join(item, item.c.sha256 == content.c.sha256)
        found = self._all(query.where(item.c.queue_id == queue_id))
        return found[0].octets if found else None

    def queue(self, states: Sequence[QueueState] = (), limit: int = 100) -> list[QueueRow]:
        """Items of these states, by default all that are not done, oldest first."""
        query = select(item).where(item.c.state.in_(states or _UNFINISHED))
        query = query.order_by(item.c.received_at, item.c.queue_id).limit(limit)
        return [rows.queue_row_of(row) for row in self._all(query)]

    def queue_row(self, queue_id: str) -> QueueRow | None:
        found = self._all(select(item).where(item.c.queue_id == queue_id))
        return rows.queue_row_of(found[0]) if found else None

    def outbox(self, states: Sequence[OutboxState] = (), limit: int = 100) -> list[OutboxRow]:
        """Notices of these states, by default all that did not arrive or not yet, newest first."""
        query = select(outbox).where(outbox.c.state.in_(states or _NOT_SENT))
        query = query.order_by(outbox.c.created_at.desc(), outbox.c.id).limit(limit)
        return [rows.outbox_of(row) for row in self._all(query)]

    def outbox_rows(self, limit: int = 1000) -> list[OutboxRow]:
        """Every notice whatever became of it, in the order they were made."""
        query = select(outbox).order_by(outbox.c.created_at.desc(), outbox.c.id).limit(limit)
        return [rows.outbox_of(row) for row in reversed(self._all(query))]

    def events(
        self, *, queue_id: str | None = None, what: str | None = None, limit: int = 100
    ) -> list[EventView]:
        query = select(event).order_by(event.c.id.desc()).limit(limit)
        if queue_id is not None:
            query = query.where(event.c.queue_id == queue_id)
        if what is not None:
            query = query.where(event.c.what == what)
        return [_event_view(row) for row in self._all(query)]

    def newest(self) -> datetime | None:
        """When the last message came in: the clock must not be behind it (promise R14)."""
        found: datetime | None = self._all(select(func.max(item.c.received_at)))[0][0]
        return found

    def waiting(self) -> dict[QueueState, tuple[int, datetime]]:
        """How many items are in each unfinished state, and when the oldest of them came in."""
        query = (
            select(item.c.state, func.count(), func.min(item.c.received_at))
            .where(item.c.state.in_(_UNFINISHED))
            .group_by(item.c.state)
        )
        return {row[0]: (row[1], row[2]) for row in self._all(query)}

    def unsent(self) -> dict[OutboxState, tuple[int, datetime]]:
        """How many notices are in each state but `sent`, and since when the oldest of them is."""
        query = (
            select(outbox.c.state, func.count(), func.min(outbox.c.created_at))
            .where(outbox.c.state.in_(_NOT_SENT))
            .group_by(outbox.c.state)
        )
        return {row[0]: (row[1], row[2]) for row in self._all(query)}


def event_views(connection: Connection, which: ColumnElement[bool]) -> tuple[EventView, ...]:
    query = select(event).where(which).order_by(event.c.id)
    return tuple(_event_view(row) for row in connection.execute(query))


def _event_view(row: AnyRow) -> EventView:
    return EventView(row.at, row.who, row.what, row.queue_id, row.ticket, row.why)
