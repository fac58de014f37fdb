"""Lines of ticket lists, with the names of what they refer to looked up in one query."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import ColumnElement, Connection, and_, false, func, or_, select, tuple_

from mailgate.model.views import Page, TicketRow
from mailgate.store import cursors, rows, search
from mailgate.store.people_tables import search as search_table
from mailgate.store.restricted import of_restricted, restricted_keys
from mailgate.store.tables import account, contact, item, message, service
from mailgate.store.tables import ticket as tickets
from mailgate.store.types import AnyRow, AnySelect

#: Of the messages that match, so many of the newest are looked at for their tickets.
_HITS = 2000


def waits() -> ColumnElement[bool]:
    """A message that its contact is asked to confirm: also what staff entered for him (A9)."""
    entered = and_(message.c.verdict == "unauthorized", item.c.channel == "console")
    return or_(message.c.verdict == "pending", entered)


def ticket_rows(
    connection: Connection,
    where: list[ColumnElement[bool]],
    *,
    text: str = "",
    marks: tuple[str, ...] = (),
    after: str | None = None,
    limit: int,
    viewer: int | None = None,
) -> Page[TicketRow]:
    """A page of tickets, the last changed first, for a contact or else for staff. Raises
    `BadCursor`.

    Times change between two pages, so a ticket may show twice; none is left out for good.
    """
    query = _query().where(*where)
    if text.strip():
        own = false() if viewer is None else func.coalesce(message.c.contact_id == viewer, false())
        found = (
            select(message.c.ticket)
            .join(search_table, search_table.c.queue_id == message.c.queue_id)
            .where(search_table.c.id.in_(search.hits(connection, text, marks, limit=_HITS)))
            .where(own | ~of_restricted())
        )
        query = query.where(tickets.c.number.in_(found))
    if after is not None:
        seen = cursors.read_moment(after)
        query = query.where(tuple_(tickets.c.updated_at, tickets.c.number) < seen)
    query = query.order_by(tickets.c.updated_at.desc(), tickets.c.number.desc())
    found_rows = connection.execute(query.limit(limit + 1)).all()
    more = None
    if len(found_rows) > limit:
        last = found_rows[limit - 1]
        more = cursors.moment(last.updated_at, last.number)
    return Page(tuple(row_of(row, viewer) for row in found_rows[:limit]), more)


def one_row(
    connection: Connection, *where: ColumnElement[bool], viewer: int | None = None
) -> TicketRow | None:
    found = connection.execute(_query().where(*where)).first()
    return row_of(found, viewer) if found else None


def _query() -> AnySelect:
    of_ticket = (
        select(func.count())
        .select_from(message)
        .where(message.c.ticket == tickets.c.number)
        .correlate(tickets)
    )
    waiting = of_ticket.join(item, item.c.queue_id == message.c.queue_id).where(waits())
    return (
        select(
            *tickets.c,
            account.c.company,
            contact.c.name.label("contact_name"),
            contact.c.address.label("contact_address"),
            service.c.identifier.label("service"),
            of_ticket.scalar_subquery().label("messages"),
            waiting.scalar_subquery().label("waiting"),
            contact.c.address_key.in_(restricted_keys()).label("restricted"),
        )
        .outerjoin(account, account.c.id == tickets.c.account_id)
        .outerjoin(contact, contact.c.id == tickets.c.opener_id)
        .outerjoin(service, service.c.id == tickets.c.service_id)
    )


def row_of(row: AnyRow, viewer: int | None = None) -> TicketRow:
    """Without the words of whoever is restricted (GDPR Art. 18(2)), but for themselves."""
    ticket = rows.ticket_of(row)
    hidden = row.restricted and row.opener_id != viewer
    return TicketRow(
        ticket=replace(ticket, subject="") if hidden else ticket,
        updated_at=row.updated_at,
        company=row.company or "",
        contact=row.contact_name or row.contact_address or "",
        service=row.service or "",
        messages=row.messages,
        waiting=row.waiting,
    )
