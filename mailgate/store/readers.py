"""Who may read along on a ticket: the people an answer of staff may go to."""

from __future__ import annotations

from sqlalchemy import Connection, or_, select

from mailgate.model.views import Reader
from mailgate.store import rows
from mailgate.store.tables import contact, message, share
from mailgate.store.tables import ticket as tickets


def readers(connection: Connection, number: int) -> tuple[Reader, ...]:
    """Contacts of the ticket's account who may be written to about it.

    Those it is shared with, the main contact among them; and whoever wrote to it as a contact of
    the account, for he knows of it already.
    """
    about = connection.execute(select(tickets).where(tickets.c.number == number)).one()
    wrote = select(message.c.contact_id).where(
        message.c.ticket == number, message.c.account_id == about.account_id
    )
    shared = select(share.c.contact_id).where(share.c.service_id == about.service_id)
    see = or_(contact.c.role == "main", contact.c.id.in_(shared))
    query = (
        select(contact, see.label("sees"))
        .where(
            contact.c.account_id == about.account_id,
            or_(see, contact.c.id == about.opener_id, contact.c.id.in_(wrote)),
        )
        .order_by(contact.c.address_key)
    )
    return tuple(
        Reader(rows.contact_of(row), opener=row.id == about.opener_id, shared=bool(row.sees))
        for row in connection.execute(query)
    )
