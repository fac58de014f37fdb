"""Who a person is: an address in every spelling, and which rows are theirs or name them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Text,
    and_,
    cast,
    exists,
    false,
    func,
    or_,
    select,
    true,
    type_coerce,
)

from mailgate.message import head, section
from mailgate.model.addresses import address_key
from mailgate.store.people_tables import change
from mailgate.store.tables import contact, content, item, message, named, outbox
from mailgate.store.tables import ticket as tickets


@dataclass(frozen=True, slots=True)
class Who:
    """A person: an address in all its spellings (promise G6), and the contacts that have it now.

    Not whoever was such a contact before: a contact may have passed from one person to another.
    """

    key: str
    account_id: str | None
    contact_ids: tuple[int, ...]


def who(connection: Connection, address: str, account_id: str | None = None) -> Who:
    key = address_key(address)
    query = select(contact.c.id).where(contact.c.address_key == key)
    if account_id is not None:
        query = query.where(contact.c.account_id == account_id)
    return Who(key, account_id, tuple(connection.execute(query.order_by(contact.c.id)).scalars()))


def wrote(person: Who) -> ColumnElement[bool]:
    """Messages that are theirs: they wrote them, or staff entered them in their name (row A9)."""
    entered = and_(message.c.contact_id.in_(person.contact_ids), message.c.author.not_like("%@%"))
    return _of_account(or_(message.c.author_key == person.key, entered), person)


def queued(connection: Connection, person: Who) -> ColumnElement[bool]:
    """Items of theirs by the envelope: of what nobody has read, or nobody could, no more is known
    than where it came from. What another address stands in the From of is not theirs: a mail may
    have been sent on."""
    read = message.alias()
    known = (read.c.queue_id == item.c.queue_id) & read.c.author_key.is_not(None)
    undecided = ~exists().where(known)
    senders = spelled(connection, item.c.reverse_path, person.key, undecided)
    enterers = spelled(connection, item.c.entered_by, person.key, undecided)
    theirs = or_(item.c.reverse_path.in_(senders), item.c.entered_by.in_(enterers)) & undecided
    if person.account_id is not None:
        theirs &= func.coalesce(item.c.account_id == person.account_id, false())
    begins = func.substr(content.c.octets, 1, section.MAX_OCTETS)
    query = select(item.c.queue_id, begins).join(content, content.c.sha256 == item.c.sha256)
    found = connection.execute(query.where(theirs))
    return item.c.queue_id.in_([i for i, octets in found if not _of_another(octets, person.key)])


def _of_another(octets: bytes, key: str) -> bool:
    authors = {address_key(box.address) for box in head.read(octets).head.from_}
    return bool(authors) and key not in authors


def names_them(person: Who) -> ColumnElement[bool]:
    """Messages of others with this person in To or Cc."""
    in_list = select(named.c.queue_id).where(named.c.address_key == person.key)
    entered = and_(message.c.contact_id.in_(person.contact_ids), message.c.author.not_like("%@%"))
    other = or_(message.c.author_key.is_(None), message.c.author_key != person.key)
    of_others = other & or_(message.c.contact_id.is_(None), message.c.author.is_(None), ~entered)
    return _of_account(message.c.queue_id.in_(in_list) & of_others, person)


def sent_to(person: Who) -> ColumnElement[bool]:
    """Mails of ours to this person; a letter of no ticket is of the contact's account."""
    to = outbox.c.to_key == person.key
    if person.account_id is None:
        return to
    of_account = select(tickets.c.number).where(tickets.c.account_id == person.account_id)
    return to & or_(
        outbox.c.ticket.in_(of_account),
        outbox.c.ticket.is_(None) & outbox.c.contact_id.in_(person.contact_ids),
    )


def spelled(
    connection: Connection, column: Column[Any], key: str, *where: ColumnElement[bool]
) -> list[str]:
    """Every way in which a column of whole addresses has this one."""
    domain = key.rpartition("@")[2]
    query = select(column).distinct().where(column.like("%@%"), *where)
    if domain.isascii() and "xn--" not in domain:  # else it may stand there as U-label too
        query = query.where(func.lower(column).endswith(f"@{domain}", autoescape=True))
    return [value for value in connection.execute(query).scalars() if address_key(value) == key]


def _of_account(condition: ColumnElement[bool], person: Who) -> ColumnElement[bool]:
    if person.account_id is None:
        return condition
    return condition & (message.c.account_id == person.account_id)


def in_head(octets: Column[Any], key: str, *, sqlite: bool) -> ColumnElement[bool]:
    """That a message may have the address in its header section, as long as one may be; whether it
    does, reading it tells."""
    begins, local = func.substr(octets, 1, section.MAX_OCTETS), key.rpartition("@")[0]
    text = func.lower(cast(begins, Text) if sqlite else func.encode(begins, "escape"))
    return text.contains(f"{local}@", autoescape=True) if local.isascii() else true()


def changes_of(connection: Connection, person: Who) -> ColumnElement[bool]:
    """Changes of an address from or to this one, or of one of their contacts."""
    old = spelled(connection, change.c.old_address, person.key)
    new = change.c.new_key == person.key
    return or_(change.c.contact_id.in_(person.contact_ids), change.c.old_address.in_(old), new)


def may_name(column: Column[Any], key: str) -> ColumnElement[bool]:
    """That a text may have the address in it; whether it does, its rows say."""
    local, text = key.rpartition("@")[0], type_coerce(column, Text)
    if not local.isascii():
        return text.like("%@%")
    return func.lower(text).contains(f"{local}@", autoescape=True)
