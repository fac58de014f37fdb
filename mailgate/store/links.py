"""Confirmation links: exactly one answer each, and a new one in place of an old one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from mailgate.model.ticket import Link, LinkState
from mailgate.store import events, history, queue, rows
from mailgate.store.engine import Database
from mailgate.store.limits import Budget, exceeded, token_letter_exceeded
from mailgate.store.tables import contact, link
from mailgate.store.types import AnyRow


class Links:
    """`LinkStore` over a database."""

    def __init__(self, database: Database, budget: Budget) -> None:
        self._database = database
        self._budget = budget

    def find(self, token_sha256: str) -> Link | None:
        with self._database.reading() as connection:
            row = _row(connection, token_sha256)
        return rows.link_of(row) if row else None

    def decide(self, token_sha256: str, state: LinkState, now: datetime) -> bool:
        """Settle an open, unexpired link and queue its message again, in one transaction.

        False where it was not open any more: exactly one of many callers gets True (promise L5).
        """
        with self._database.writing() as connection:
            row = _row(connection, token_sha256)
            if row is None:
                return False
            queued = history.lock(connection, row.queue_id)
            settled = connection.execute(
                update(link)
                .where(
                    link.c.token_sha256 == token_sha256,
                    link.c.state == "open",
                    link.c.expires_at > now,
                )
                .values(state=state, decided_at=now)
            )
            if queued is None or settled.rowcount != 1:
                return False
            queue.again(connection, queued, now)
            _record(connection, row, f"link-{state}", now)
        return True

    def count_try(self, token_sha256: str) -> int:
        """Count one code that was typed, before it is looked at; gives the tries so far."""
        with self._database.writing() as connection:
            tries = connection.execute(
                update(link)
                .where(link.c.token_sha256 == token_sha256)
                .values(tries=link.c.tries + 1)
                .returning(link.c.tries)
            ).scalar()
        return tries or 0

    def request_new(self, token_sha256: str, now: datetime) -> bool:
        """Supersede a link nobody has decided and have its message judged once more.

        So a fresh link goes to the same registered address. False, and nothing done, where it is
        decided or superseded already, or where the limits leave no room for the new mail.
        """
        with self._database.writing() as connection:
            row = _row(connection, token_sha256)
            if row is None:
                return False
            queued = history.lock(connection, row.queue_id)
            if queued is None or not self._room(connection, row, now):
                return False
            replaced = connection.execute(
                update(link)
                .where(link.c.token_sha256 == token_sha256, link.c.state == "open")
                .values(state="superseded")
            )
            if replaced.rowcount != 1:
                return False
            queue.again(connection, queued, now)
            _record(connection, row, "link-requested", now)
        return True

    def _room(self, connection: Connection, row: AnyRow, now: datetime) -> bool:
        """Whether the limits leave room for one more mail like the one that carried this link."""
        if row.about == "message":
            limits, ticket = self._budget.limits, row.ticket
            return not exceeded(connection, limits, now, to=row.address, ticket=ticket, link=True)
        whose = select(contact.c.account_id).where(contact.c.id == row.contact_id)
        return not token_letter_exceeded(
            connection,
            self._budget,
            now,
            to=row.address,
            template="token-approval" if row.about == "manager" else "token-verify",
            account_id=connection.execute(whose).scalar() or "",
        )


def _row(connection: Connection, token_sha256: str) -> AnyRow | None:
    return connection.execute(select(link).where(link.c.token_sha256 == token_sha256)).first()


def _record(connection: Connection, row: AnyRow, what: str, now: datetime) -> None:
    events.record(
        connection,
        now,
        what,
        who=row.address,
        queue_id=row.queue_id,
        ticket=row.ticket,
        contact_id=row.contact_id,
    )
