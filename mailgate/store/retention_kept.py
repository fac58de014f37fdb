"""What holds and restrictions keep from being removed: tickets, messages, and rows about people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, CompoundSelect, Connection, Select, false, or_, select, union

from mailgate.store.privacy_tables import claim_record, privacy_hold, privacy_restriction
from mailgate.store.tables import contact, message, named, outbox
from mailgate.store.tables import ticket as tickets

Queries = Select[Any] | CompoundSelect[Any]

_HOLDS = privacy_hold.c.lifted_at.is_(None)
_RESTRICTS = privacy_restriction.c.lifted_at.is_(None)


@dataclass(frozen=True)
class Ground:
    """Why something is kept, as queries for what it names: addresses, accounts, tickets."""

    name: Literal["hold", "restricted"]
    keys: Select[Any]
    accounts: Select[Any]
    numbers: Select[Any]


def _named(column: ColumnElement[Any]) -> Select[Any]:
    return select(column).where(_HOLDS, column.is_not(None))


#: Kept whatever is asked (GDPR Art. 17(3)(e)).
HOLD = Ground(
    "hold",
    keys=_named(privacy_hold.c.address_key),
    accounts=_named(privacy_hold.c.account_id),
    numbers=_named(privacy_hold.c.ticket),
)
#: Stored, and nothing else: to delete is to process too (GDPR Art. 4(2) and 18(2)).
RESTRICTION = Ground(
    "restricted",
    keys=select(privacy_restriction.c.address_key).where(_RESTRICTS),
    accounts=select(privacy_hold.c.account_id).where(false()),
    numbers=select(privacy_hold.c.ticket).where(false()),
)
GROUNDS = (HOLD, RESTRICTION)


def hold_still(connection: Connection) -> None:
    """Nobody places a hold or a restriction until the end of the transaction: what was looked for
    before something is removed stays true while it is. SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        # It excludes itself too, so that two never wait for each other to remove what was lifted.
        names = f"{privacy_hold.name}, {privacy_restriction.name}"
        connection.exec_driver_sql(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE")


def kept_contacts(ground: Ground) -> Select[Any]:
    theirs = contact.c.address_key.in_(ground.keys)
    return select(contact.c.id).where(or_(theirs, contact.c.account_id.in_(ground.accounts)))


def kept_messages(ground: Ground) -> Queries:
    """Queue ids of what such a person wrote or was named in, or was told about.

    One query for each index: together they would read every message there is.
    """
    ids = select(message.c.queue_id)
    return union(
        ids.where(message.c.author_key.in_(ground.keys)),
        ids.where(message.c.contact_id.in_(kept_contacts(ground))),
        ids.where(message.c.account_id.in_(ground.accounts)),
        ids.where(message.c.ticket.in_(ground.numbers)),
        select(named.c.queue_id).where(named.c.address_key.in_(ground.keys)),
        select(outbox.c.queue_id).where(_told(ground), outbox.c.queue_id.is_not(None)),
    )


def kept_tickets(ground: Ground) -> Queries:
    """Numbers of the tickets that are named, or on which such a message or mail is."""
    numbers = select(tickets.c.number)
    on_it = message.c.queue_id.in_(kept_messages(ground)) & message.c.ticket.is_not(None)
    return union(
        ground.numbers,
        numbers.where(tickets.c.account_id.in_(ground.accounts)),
        numbers.where(tickets.c.opener_id.in_(kept_contacts(ground))),
        select(outbox.c.ticket).where(_told(ground), outbox.c.ticket.is_not(None)),
        select(message.c.ticket).where(on_it),
    )


def kept_rows(
    ground: Ground,
    *,
    key: ColumnElement[Any] | None = None,
    contact_id: ColumnElement[Any] | None = None,
    account: ColumnElement[Any] | None = None,
    number: ColumnElement[Any] | None = None,
) -> ColumnElement[bool]:
    """That a row which says whom it is about in these columns is about somebody who is named."""
    asked = (
        (key, ground.keys),
        (contact_id, kept_contacts(ground)),
        (account, ground.accounts),
        (number, ground.numbers),
    )
    return or_(
        false(),
        *(column.in_(names) & column.is_not(None) for column, names in asked if column is not None),
    )


@dataclass(frozen=True)
class KeptEntries:
    """What entries of the audit log are about or by, where those entries must be kept."""

    subjects: frozenset[str]
    keys: frozenset[str]


def kept_entries(connection: Connection, ground: Ground) -> KeptEntries:
    """Entries about a message that is forgotten already are known by its claims record."""
    claim = claim_record.c
    theirs = kept_rows(
        ground, contact_id=claim.contact_id, account=claim.account_id, number=claim.ticket
    )
    found: tuple[tuple[str, Queries], ...] = (
        ("ticket", kept_tickets(ground)),
        ("ticket", select(claim.ticket).where(theirs)),
        ("message", kept_messages(ground)),
        ("message", select(claim.queue_id).where(theirs)),
        ("contact", kept_contacts(ground)),
        ("account", ground.accounts),
    )
    subjects = {
        f"{name}:{value}" for name, query in found for value in connection.execute(query).scalars()
    }
    return KeptEntries(frozenset(subjects), frozenset(connection.execute(ground.keys).scalars()))


def _told(ground: Ground) -> ColumnElement[bool]:
    return outbox.c.to_key.in_(ground.keys)
