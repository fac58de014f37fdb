"""What staff do to a message or a ticket: overrides, another decision, a new link, an answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from mailgate.model.addresses import address_key
from mailgate.model.notice import Notice
from mailgate.model.people import Override, StaffWord
from mailgate.model.web_ports import Refused
from mailgate.store import events, history, queue, rows, saying
from mailgate.store.engine import Database
from mailgate.store.people_tables import override
from mailgate.store.privacy_tables import privacy_restriction
from mailgate.store.readers import readers
from mailgate.store.restricted import restricted_keys
from mailgate.store.tables import link, outbox
from mailgate.store.tables import ticket as tickets
from mailgate.store.types import AnyRow, storable


class Acts:
    """`StaffActs` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def override(
        self, queue_id: str, value: StaffWord, who: str, why: str, now: datetime
    ) -> Override | None:
        """Record it and have the message decided again; None where there is no such message."""
        said = Override(queue_id, who, why, value, now)
        with self._database.writing() as connection:
            queued = _decided(connection, queue_id)
            if queued is None:
                return None
            values = {name: getattr(said, name) for name in Override.__dataclass_fields__}
            connection.execute(insert(override), values)
            _again(connection, queued, "overridden", who, why, now, value=value)
        return said

    def decide_again(self, queue_id: str, who: str, why: str, now: datetime) -> bool:
        with self._database.writing() as connection:
            queued = _decided(connection, queue_id)
            if queued is None:
                return False
            _again(connection, queued, "decided-again", who, why, now)
        return True

    def new_link(self, queue_id: str, who: str, why: str, now: datetime) -> bool:
        """Retire the message's open link and decide again, so that a fresh one is mailed.

        False where nobody was ever asked to confirm it, or it is confirmed or denied already.
        """
        with self._database.writing() as connection:
            queued = _decided(connection, queue_id)
            query = select(link.c.state).where(link.c.queue_id == queue_id).distinct()
            states = set(connection.execute(query).scalars())
            if queued is None or not states or states & {"confirmed", "denied"}:
                return False
            saying.supersede(connection, queue_id)
            _again(connection, queued, "link-renewed", who, why, now)
        return True

    def reply(self, ticket: int, notices: Sequence[Notice], who: str, now: datetime) -> None:
        """Send an answer: a notice for each reader, who must all be of the ticket.

        The directory of this moment decides, whatever the page showed. Raises `Refused`:
        "not-found", "to-not-allowed", "cc-not-allowed", "restricted" (GDPR Art. 18(2)).
        """
        with self._database.writing() as connection:
            query = select(tickets).where(tickets.c.number == storable(ticket)).with_for_update()
            row = connection.execute(query).first()
            if row is None or not notices or any(n.ticket != row.number for n in notices):
                raise Refused("not-found")
            _require_readers(connection, row, notices)
            _require_unrestricted(connection, notices)
            connection.execute(insert(outbox), [rows.notice_row(n, now) for n in notices])
            connection.execute(
                update(tickets).where(tickets.c.number == row.number).values(updated_at=now)
            )
            first = notices[0]
            events.record(
                connection,
                now,
                "answered",
                who=who,
                ticket=row.number,
                to=first.to,
                cc=list(first.cc),
                notice=first.id,
            )


def _require_readers(connection: Connection, row: AnyRow, notices: Sequence[Notice]) -> None:
    """One notice to the one who is answered, and one to each in Cc; all have the same head."""
    found = {address_key(r.contact.address): r for r in readers(connection, row.number)}
    first, *copies = notices
    to = found.get(address_key(first.to))
    if to is None or first.envelope_to is not None or first.contact_id != to.contact.id:
        raise Refused("to-not-allowed")
    if [c.envelope_to for c in copies] != list(first.cc):
        raise Refused("cc-not-allowed")
    for copy in copies:
        reader = found.get(address_key(copy.envelope_to or ""))
        head = (copy.to, copy.cc, copy.template, copy.message_id)
        if (
            reader is None
            or not reader.shared
            or copy.contact_id != reader.contact.id
            or head != (first.to, first.cc, first.template, first.message_id)
        ):
            raise Refused("cc-not-allowed")


def _require_unrestricted(connection: Connection, notices: Sequence[Notice]) -> None:
    keys = {address_key(notice.envelope_to or notice.to) for notice in notices}
    query = restricted_keys().where(privacy_restriction.c.address_key.in_(keys))
    if connection.execute(query).first() is not None:
        raise Refused("restricted")


def _decided(connection: Connection, queue_id: str) -> AnyRow | None:
    """The locked item of a message that was decided at least once."""
    queued = history.lock(connection, queue_id)
    if queued is None or history.earlier(connection, queue_id) is None:
        return None
    return queued


def _again(
    connection: Connection,
    queued: AnyRow,
    what: str,
    who: str,
    why: str,
    now: datetime,
    **more: str,
) -> None:
    queue.again(connection, queued, now)
    before = history.earlier(connection, queued.queue_id)
    events.record(
        connection,
        now,
        what,
        who=who,
        queue_id=queued.queue_id,
        ticket=before.ticket if before else None,
        **{"reason": why, **more},
    )
