"""What staff see: every message with its verdict, and every ticket with all that belongs to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from mailgate.model.people import Override
from mailgate.model.views import (
    ConsoleTicket,
    InboxFilter,
    InboxMessage,
    InboxRow,
    Page,
    TicketFilter,
    TicketRow,
    TicketView,
)
from mailgate.store import cursors, inbox_lines, message_views, rows, search, ticket_rows, waiting
from mailgate.store.engine import Database
from mailgate.store.people_tables import override
from mailgate.store.people_tables import search as search_table
from mailgate.store.readers import readers
from mailgate.store.restricted import of_restricted
from mailgate.store.tables import (
    account,
    contact,
    content,
    event,
    item,
    message,
    outbox,
    service,
    share,
)
from mailgate.store.tables import ticket as tickets
from mailgate.store.types import AnyRow, AnySelect, is_number, storable
from mailgate.store.views import event_views

#: So many hits of a search are looked at for a page that asks for more than words.
_HITS = 2000
#: If there is none among them, so often the next ones are looked at.
_WINDOWS = 5


class Inbox:
    """`InboxStore` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def messages(
        self, wanted: InboxFilter, *, after: str | None = None, limit: int = 50
    ) -> Page[InboxRow]:
        """Newest first, by the time of receipt, which queue ids begin with; where words or a desk
        are asked for, by the time of the first decision. Raises `BadCursor`.
        """
        if wanted.text.strip() or wanted.desk is not None:
            return self._found(wanted, after, limit)
        query = (
            inbox_lines.lines()
            .where(*inbox_lines.conditions(wanted))
            .order_by(message.c.queue_id.desc())
        )
        if after is not None:
            query = query.where(message.c.queue_id < cursors.read_id(after))
        with self._database.reading() as connection:
            found = connection.execute(query.limit(limit + 1)).all()
        more = found[limit - 1].queue_id if len(found) > limit else None
        return Page(tuple(inbox_lines.line(row) for row in found[:limit]), more)

    def _found(self, wanted: InboxFilter, after: str | None, limit: int) -> Page[InboxRow]:
        """Messages by their words and marks.

        Where something else is asked as well, only so many hits are looked at for one page, which
        may then be short; the next one goes on behind them.
        """
        before = cursors.read_number(after) if after is not None else None
        conditions = inbox_lines.conditions(wanted, by_hit=True)
        marks = inbox_lines.marks(wanted)
        many = limit + 1 if inbox_lines.marks_say_all(wanted) else _HITS
        found: Sequence[AnyRow] = ()
        hits: list[int] = []
        with self._database.reading() as connection:
            for _ in range(_WINDOWS):
                hits = search.hits(connection, wanted.text, marks, before=before, limit=many)
                found = connection.execute(
                    inbox_lines.lines()
                    .add_columns(search_table.c.id.label("place"))
                    .join(search_table, search_table.c.queue_id == message.c.queue_id)
                    .where(search_table.c.id.in_(hits), *conditions)
                    .order_by(search_table.c.id.desc())
                    .limit(limit + 1)
                ).all()
                if found or len(hits) < many:
                    break
                before = hits[-1]
        more = None
        if len(found) > limit:
            more = str(found[limit - 1].place)
        elif len(hits) == many:
            more = str(hits[-1])
        return Page(tuple(inbox_lines.line(row) for row in found[:limit]), more)

    def message(self, queue_id: str) -> InboxMessage | None:
        with self._database.reading() as connection:
            query = message_views.messages().where(message.c.queue_id == queue_id)
            found = message_views.message_views(connection, connection.execute(query).all())
            if not found:
                return None
            view = message_views.for_others(found[0])
            his = _one(connection, select(contact).where(contact.c.id == view.contact_id))
            owner = _one(connection, select(account).where(account.c.id == view.account_id))
            named = _one(connection, select(tickets).where(tickets.c.number == view.ticket))
            services = select(service).where(service.c.account_id == view.account_id)
            shared = select(share.c.service_id).where(share.c.contact_id == view.contact_id)
            said = select(override).where(override.c.queue_id == queue_id).order_by(override.c.id)
            sent = select(outbox).where(outbox.c.queue_id == queue_id).order_by(outbox.c.created_at)
            error = select(item.c.last_error).where(item.c.queue_id == queue_id)
            return InboxMessage(
                message=view,
                ticket=rows.ticket_of(named) if named else None,
                account=rows.account_of(owner) if owner else None,
                contact=rows.contact_of(his) if his else None,
                services=tuple(
                    rows.service_of(row)
                    for row in connection.execute(services.order_by(service.c.identifier))
                ),
                shared=frozenset(connection.execute(shared).scalars()),
                overrides=tuple(override_of(row) for row in connection.execute(said)),
                notices=tuple(rows.outbox_of(row) for row in connection.execute(sent)),
                events=event_views(connection, event.c.queue_id == queue_id),
                last_error=connection.execute(error).scalar_one(),
            )

    def octets(self, queue_id: str) -> bytes | None:
        """None too where they may only be stored (GDPR Art. 18(2))."""
        query = (
            select(content.c.octets)
            .join(item, item.c.sha256 == content.c.sha256)
            .outerjoin(message, message.c.queue_id == item.c.queue_id)
            .where(item.c.queue_id == queue_id, ~of_restricted())
        )
        with self._database.reading() as connection:
            return connection.execute(query).scalar()

    def tickets(
        self, wanted: TicketFilter, *, after: str | None = None, limit: int = 50
    ) -> Page[TicketRow]:
        """The last changed first. Raises `BadCursor`."""
        asked: dict[Any, Any] = {
            tickets.c.state: wanted.state,
            tickets.c.standing: wanted.standing,
            tickets.c.account_id: wanted.account_id,
            tickets.c.desk: wanted.desk,
        }
        where = [column == value for column, value in asked.items() if value is not None]
        if wanted.service_id is not None:
            where.append(is_number(tickets.c.service_id, wanted.service_id))
        marks = (search.mark("account", wanted.account_id),) if wanted.account_id else ()
        with self._database.reading() as connection:
            return ticket_rows.ticket_rows(
                connection,
                where,
                text=wanted.text,
                marks=marks,
                after=after,
                limit=limit,
            )

    def ticket(self, number: int) -> ConsoleTicket | None:
        with self._database.reading() as connection:
            which = tickets.c.number == storable(number)
            row = ticket_rows.one_row(connection, which)
            if row is None:
                return None
            number = row.ticket.number
            query = message_views.messages().where(message.c.ticket == number)
            found = connection.execute(query.order_by(message.c.received_at)).all()
            sent = select(outbox).where(outbox.c.ticket == number).order_by(outbox.c.created_at)
            owner = _one(connection, select(account).where(account.c.id == row.ticket.account_id))
            about = _one(connection, select(service).where(service.c.id == row.ticket.service_id))
            return ConsoleTicket(
                view=TicketView(
                    ticket=row.ticket,
                    messages=tuple(
                        message_views.for_others(one)
                        for one in message_views.message_views(connection, found)
                    ),
                    notices=tuple(rows.outbox_of(r) for r in connection.execute(sent)),
                    events=event_views(connection, event.c.ticket == number),
                ),
                row=row,
                account=rows.account_of(owner) if owner else None,
                service=rows.service_of(about) if about else None,
                readers=readers(connection, number),
            )

    def undecided(self, limit: int = 200) -> list[str]:
        """Queue ids of messages that wait: pending, unauthorized or held, of no closed ticket."""
        query = (
            select(message.c.queue_id)
            .outerjoin(tickets, tickets.c.number == message.c.ticket)
            .where(waiting.unsettled())
            .order_by(message.c.queue_id.desc())
            .limit(limit)
        )
        with self._database.reading() as connection:
            return list(connection.execute(query).scalars())


def override_of(row: AnyRow) -> Override:
    return Override(row.queue_id, row.who, row.why, row.value, row.at)


def _one(connection: Connection, query: AnySelect) -> AnyRow | None:
    return connection.execute(query).first()
