"""Addresses that our mail does not reach: after three mails came back in a row we stop (A7)."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from mailgate.model.addresses import address_key
from mailgate.store import events
from mailgate.store.tables import outbox, paused_address

IN_A_ROW = 3
#: What still goes to a paused address: what a person of ours wrote, and the question whether
#: somebody reads there, which a main contact asks by typing the address anew.
ALLOWED = frozenset({"staff-answer", "verify-address"})
_LOOKED_AT = 100
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def is_paused(connection: Connection, address: str) -> bool:
    query = select(paused_address.c.address_key).where(
        paused_address.c.address_key == address_key(address), paused_address.c.ended_at.is_(None)
    )
    return connection.execute(query).first() is not None


def works(connection: Connection, address: str, now: datetime) -> None:
    """A mail of ours arrived there: what came back before counts no more."""
    connection.execute(
        update(paused_address)
        .where(
            paused_address.c.address_key == address_key(address),
            paused_address.c.ended_at.is_(None),
        )
        .values(ended_at=now)
    )


def came_back(connection: Connection, notice_id: str, queue_id: str, now: datetime) -> str | None:
    """Pause the address of this mail, which came back, if it is the third in a row.

    A mail that only waits there is given up. Gives the address where it was paused just now.
    """
    query = select(outbox.c.to_key, outbox.c.to_address, outbox.c.envelope_to)
    mail = connection.execute(query.where(outbox.c.id == notice_id)).first()
    if mail is None or not _nobody_there(connection, mail.to_key):
        return None
    address: str = mail.envelope_to or mail.to_address
    if is_paused(connection, address):
        return None
    _pause(connection, mail.to_key, address, now)
    connection.execute(
        update(outbox)
        .where(
            outbox.c.to_key == mail.to_key,
            outbox.c.state == "waiting",
            outbox.c.template.not_in(ALLOWED),
        )
        .values(state="failed", due_at=None, last_reply="the address is paused")
    )
    events.record(connection, now, "address-paused", queue_id=queue_id, address=address)
    return address


def _nobody_there(connection: Connection, key: str) -> bool:
    """Whether the last mails whose fate is known all came back.

    That the relay took a mail says nothing yet: only what went out before one that came back is
    known to have arrived.
    """
    ended = select(paused_address.c.ended_at).where(paused_address.c.address_key == key)
    since = connection.execute(ended).scalar() or _LONG_AGO
    query = (
        select(outbox.c.state)
        .where(
            outbox.c.to_key == key,
            outbox.c.created_at > since,
            outbox.c.state.in_(("sent", "bounced")),
        )
        .order_by(outbox.c.created_at.desc(), outbox.c.id.desc())
        .limit(_LOOKED_AT)
    )
    states = list(connection.execute(query).scalars())
    first = states.index("bounced") if "bounced" in states else len(states)
    last = states[first : first + IN_A_ROW]
    return len(last) == IN_A_ROW and set(last) == {"bounced"}


def _pause(connection: Connection, key: str, address: str, now: datetime) -> None:
    on_sqlite = connection.dialect.name == "sqlite"
    insert = sqlite.insert if on_sqlite else postgresql.insert
    values = {"address": address, "paused_at": now, "ended_at": None}
    new = insert(paused_address).values(address_key=key, **values)
    connection.execute(new.on_conflict_do_update(index_elements=["address_key"], set_=values))
