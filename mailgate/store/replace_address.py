"""What happens to the directory, to sessions and to waiting mail once a change is confirmed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from mailgate.model.addresses import address_key
from mailgate.model.people import Change
from mailgate.model.web_ports import Refused
from mailgate.store import waiting
from mailgate.store.access_tokens import end_tokens
from mailgate.store.people_tables import session
from mailgate.store.tables import contact, link
from mailgate.store.types import AnyRow


def perform(connection: Connection, made: Change, now: datetime) -> list[AnyRow] | None:
    """Change the directory; the caller has locked the account. Gives the tokens that ended by it,
    for `record_ended`.

    None where the directory is not any more what the change was asked for: the contact is gone,
    or has another address or standing. Raises `Refused("address-taken")`.
    """
    holder = _with_address(connection, made)
    if made.kind == "add":
        if holder is not None:
            raise Refused("address-taken")
        _add(connection, made)
        waiting.revise(connection, made.account_id, [made.new_address], now)
        return []
    whose = connection.execute(
        select(contact).where(
            contact.c.id == made.contact_id, contact.c.account_id == made.account_id
        )
    ).first()
    if whose is None or whose.address_key != address_key(made.old_address):
        return None
    if (whose.role == "main") != (made.kind == "main"):
        return None
    if holder is not None and made.kind != "main":
        raise Refused("address-taken")
    waiting.revise(connection, made.account_id, [made.old_address, made.new_address], now)
    if holder is not None:
        _hand_over(connection, whose, holder)
        return []
    return move(connection, whose, made.new_address, now)


def _with_address(connection: Connection, made: Change) -> AnyRow | None:
    query = select(contact).where(
        contact.c.account_id == made.account_id,
        contact.c.address_key == address_key(made.new_address),
    )
    return connection.execute(query).first()


def _add(connection: Connection, made: Change) -> None:
    connection.execute(
        insert(contact),
        {
            "account_id": made.account_id,
            "address": made.new_address,
            "address_key": address_key(made.new_address),
            "role": made.role,
            "name": made.name,
            "language": made.language,
        },
    )


def _hand_over(connection: Connection, old: AnyRow, new: AnyRow) -> None:
    """Another contact of the account becomes the main one; there is only one at a time."""
    for row, role in ((old, "additional"), (new, "main")):
        connection.execute(
            update(contact).where(contact.c.id == row.id).values(role=role, signs_in=True)
        )


def move(connection: Connection, whose: AnyRow, new_address: str, now: datetime) -> list[AnyRow]:
    """The contact has another address: what was given to the old one ends (promise L15).

    Gives the tokens that ended, for `record_ended` at the end of the transaction; the caller tells
    the old address.
    """
    connection.execute(
        update(contact)
        .where(contact.c.id == whose.id)
        .values(address=new_address, address_key=address_key(new_address))
    )
    ended = end_tokens(connection, now, "address-changed", contact_id=whose.id)
    connection.execute(delete(session).where(session.c.contact_id == whose.id))
    connection.execute(
        update(link)
        .where(link.c.contact_id == whose.id, link.c.state == "open")
        .values(state="superseded")
    )
    return ended
