"""What staff does to a ticket: close, open again, give it a new code. Each leaves an event."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, update

from mailgate.model.ticket import Ticket
from mailgate.store import events, rows
from mailgate.store.engine import Database
from mailgate.store.tables import ticket


class Tickets:
    """Acts on tickets; each gives the ticket as it is afterwards, None where it did not apply."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def close(self, number: int, who: str, why: str, now: datetime) -> Ticket | None:
        changed = {"state": "closed", "closed_at": now}
        return self._change(
            number, "ticket-closed", who, why, now, changed, ticket.c.state == "open"
        )

    def reopen(self, number: int, who: str, why: str, now: datetime) -> Ticket | None:
        changed = {"state": "open", "closed_at": None}
        closed = ticket.c.state == "closed"
        return self._change(number, "ticket-reopened", who, why, now, changed, closed)

    def rotate(self, number: int, who: str, why: str, now: datetime) -> Ticket | None:
        """Give the ticket a new code: the old one is retired (promise L11)."""
        changed = {"epoch": ticket.c.epoch + 1}
        return self._change(number, "code-rotated", who, why, now, changed)

    def _change(
        self,
        number: int,
        what: str,
        who: str,
        why: str,
        now: datetime,
        values: dict[str, Any],
        *where: ColumnElement[bool],
    ) -> Ticket | None:
        with self._database.writing() as connection:
            row = connection.execute(
                update(ticket)
                .where(ticket.c.number == number, *where)
                .values(updated_at=now, **values)
                .returning(*ticket.c)
            ).first()
            if row is None:
                return None
            events.record(connection, now, what, who=who, ticket=number, reason=why)
        return rows.ticket_of(row)
