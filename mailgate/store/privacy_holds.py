"""What must be kept whatever is asked, and what may only be stored: holds and restrictions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    false,
    func,
    insert,
    or_,
    select,
    union,
    update,
)

from mailgate.model.addresses import address_key, normalise
from mailgate.model.privacy import Hold, Restriction
from mailgate.model.web_ports import Refused
from mailgate.store import events, queue
from mailgate.store.engine import Database
from mailgate.store.privacy_tables import privacy_hold, privacy_restriction
from mailgate.store.retention_kept import HOLD, kept_messages, kept_tickets
from mailgate.store.tables import account, contact, item, message
from mailgate.store.tables import ticket as tickets
from mailgate.store.types import AnyRow, is_number, storable
from mailgate.store.whose import who as who_is
from mailgate.store.whose import wrote

_STANDS = privacy_hold.c.lifted_at.is_(None)
_RESTRICTS = privacy_restriction.c.lifted_at.is_(None)


class PrivacyHolds:
    """`HoldStore` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def hold(
        self,
        ground: str,
        who: str,
        now: datetime,
        *,
        address: str | None = None,
        ticket: int | None = None,
        account_id: str | None = None,
    ) -> Hold:
        """Keep all that concerns an address, a ticket or an account: exactly one of them
        (GDPR Art. 17(3)(e)). Raises `Refused("not-found")` for a ticket or an account that is not
        there."""
        if [address, ticket, account_id].count(None) != 2:
            raise ValueError("a hold is on an address, on a ticket or on an account")
        values = {
            "address": None if address is None else normalise(address),
            "address_key": None if address is None else address_key(address),
            "ticket": ticket,
            "account_id": account_id,
        }
        with self._database.writing() as connection:
            _require(connection, ticket, account_id)
            row = connection.execute(
                insert(privacy_hold)
                .values(ground=ground, who=who, at=now, **values)
                .returning(*privacy_hold.c)
            ).one()
            on = "address" if address else "account" if account_id else "ticket"
            _record(connection, now, "hold-placed", who, f"hold:{row.id}", on=on, ground=ground)
        return _hold_of(row)

    def lift_hold(self, hold_id: int, who: str, why: str, now: datetime) -> bool:
        with self._database.writing() as connection:
            row = connection.execute(
                update(privacy_hold)
                .where(privacy_hold.c.id == storable(hold_id), _STANDS)
                .values(lifted_at=now, lifted_by=who)
                .returning(privacy_hold.c.id)
            ).first()
            if row is None:
                return False
            _record(connection, now, "hold-lifted", who, f"hold:{row.id}", reason=why)
        return True

    def holds(self, *, lifted: bool = False) -> list[Hold]:
        """Those that stand, the newest first; with `lifted` all there ever were."""
        query = select(privacy_hold).order_by(privacy_hold.c.id.desc())
        with self._database.reading() as connection:
            found = connection.execute(query if lifted else query.where(_STANDS))
            return [_hold_of(row) for row in found]

    def holds_on(self, address: str, account_id: str | None = None) -> list[Hold]:
        """Those that keep something of this person: their address, a ticket that they wrote on, an
        account they belong to. With `account_id` what they are in that account alone."""
        with self._database.reading() as connection:
            return holds_on(connection, address, account_id)

    def restrict(self, address: str, why: str, who: str, now: datetime) -> Restriction:
        """From now on the person's data is stored and not used (GDPR Art. 18(2)). Gives the one
        that stands already, where there is one."""
        key = address_key(address)
        values = {"address_key": key, "address": normalise(address), "why": why, "who": who}
        with self._database.writing() as connection:
            row = restriction(connection, key)
            if row is None:
                row = connection.execute(
                    insert(privacy_restriction)
                    .values(at=now, **values)
                    .returning(*privacy_restriction.c)
                ).one()
                theirs = wrote(who_is(connection, address))
                _again(connection, theirs & (message.c.verdict == "pending"), now)
                subject = f"restriction:{row.id}"
                _record(connection, now, "restriction-placed", who, subject, reason=why)
        return _restriction_of(row)

    def lift_restriction(self, address: str, why: str, who: str, now: datetime) -> bool:
        """Messages that were held for it are decided again. False where nothing stands."""
        key = address_key(address)
        with self._database.writing() as connection:
            row = connection.execute(
                update(privacy_restriction)
                .where(privacy_restriction.c.address_key == key, _RESTRICTS)
                .values(lifted_at=now, lifted_by=who)
                .returning(privacy_restriction.c.id)
            ).first()
            if row is None:
                return False
            _again(connection, message.c.verdict == "held", now, restricted=True)
            subject = f"restriction:{row.id}"
            _record(connection, now, "restriction-lifted", who, subject, reason=why)
        return True

    def restrictions(self, *, lifted: bool = False) -> list[Restriction]:
        query = select(privacy_restriction).order_by(privacy_restriction.c.id.desc())
        with self._database.reading() as connection:
            found = connection.execute(query if lifted else query.where(_RESTRICTS))
            return [_restriction_of(row) for row in found]

    def restricted(self, address: str) -> Restriction | None:
        with self._database.reading() as connection:
            row = restriction(connection, address_key(address))
        return _restriction_of(row) if row else None


def holds_on(connection: Connection, address: str, account_id: str | None = None) -> list[Hold]:
    """As `PrivacyHolds.holds_on`, inside the caller's transaction."""
    key = address_key(address)
    theirs = wrote(who_is(connection, address, account_id))
    accounts = select(contact.c.account_id).where(contact.c.address_key == key)
    written = select(message.c.account_id).where(theirs)
    if account_id is not None:
        accounts = accounts.where(contact.c.account_id == account_id)
    query = select(privacy_hold).where(
        _STANDS,
        or_(
            privacy_hold.c.address_key == key,
            privacy_hold.c.account_id.in_(union(accounts, written)),
            privacy_hold.c.ticket.in_(select(message.c.ticket).where(theirs)),
        ),
    )
    found = connection.execute(query.order_by(privacy_hold.c.id.desc()))
    return [_hold_of(row) for row in found]


def stands_on_address(connection: Connection, key: str) -> bool:
    query = select(privacy_hold.c.id).where(privacy_hold.c.address_key == key, _STANDS)
    return connection.execute(query).first() is not None


def held() -> ColumnElement[bool]:
    """A message that some hold keeps: by itself, or with the whole of its ticket."""
    kept = or_(
        message.c.queue_id.in_(kept_messages(HOLD)), message.c.ticket.in_(kept_tickets(HOLD))
    )
    return func.coalesce(kept, false())


def _again(
    connection: Connection, which: ColumnElement[bool], now: datetime, *, restricted: bool = False
) -> None:
    """Have messages decided again: what waits for a confirmation is held once its author is
    restricted, and what was held for that is decided once nobody is.

    A worker that is deciding at this moment decides once more, for it may have read the directory
    as it was.
    """
    query = (
        select(item, message.c.facts)
        .join(message, message.c.queue_id == item.c.queue_id)
        .where(which)
        .order_by(item.c.queue_id)
        .with_for_update(of=item)
    )
    for row in connection.execute(query).all():
        if not restricted or row.facts.get("restricted") == "yes":
            queue.again(connection, row, now)
    active = item.c.state == "active"
    connection.execute(update(item).where(active).values(revision=item.c.revision + 1))


def _require(connection: Connection, ticket: int | None, account_id: str | None) -> None:
    if ticket is not None:
        there: Select[Any] = select(tickets.c.number).where(is_number(tickets.c.number, ticket))
    elif account_id is not None:
        there = select(account.c.id).where(account.c.id == account_id)
    else:
        return
    if connection.execute(there).first() is None:
        raise Refused("not-found")


def restriction(connection: Connection, key: str) -> AnyRow | None:
    query = select(privacy_restriction).where(privacy_restriction.c.address_key == key, _RESTRICTS)
    return connection.execute(query).first()


def _record(
    connection: Connection, now: datetime, what: str, who: str, subject: str, **why: Any
) -> None:
    events.record(connection, now, what, who=who, subject=subject, **why)


def _hold_of(row: AnyRow) -> Hold:
    return Hold(**{name: getattr(row, name) for name in Hold.__dataclass_fields__})


def _restriction_of(row: AnyRow) -> Restriction:
    names = Restriction.__dataclass_fields__
    return Restriction(**{name: getattr(row, name) for name in names})
