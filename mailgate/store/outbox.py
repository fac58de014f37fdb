"""The outbox: each notice goes out at least once, with the same Message-ID each time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update

from mailgate.model.notice import OutboxRow
from mailgate.store import events, rows
from mailgate.store.engine import Database
from mailgate.store.restricted import restricted_keys
from mailgate.store.tables import outbox

#: What somebody is sent although their data may only be stored (GDPR Art. 18(2)): what they ask
#: for themselves, and what the law wants them to be told.
_EVEN_SO = ("privacy-answered", "sign-in-link")

_REPLY_LENGTH = 500


class Outbox:
    """`OutboxStore` over a database. `node` tells the mailers of several machines apart."""

    def __init__(self, database: Database, node: str) -> None:
        self._database = database
        self._node = node
        self._due = (
            select(outbox.c.id)
            .where(
                outbox.c.due_at <= bindparam("now"),
                outbox.c.template.in_(_EVEN_SO) | outbox.c.to_key.not_in(restricted_keys()),
            )
            .order_by(outbox.c.due_at)
            .limit(bindparam("most"))
            .with_for_update(skip_locked=True)
        )

    def claim_due(self, now: datetime, limit: int) -> list[OutboxRow]:
        """Take what is due, the longest waiting first; the attempt is counted before it is made."""
        asked = {"now": now, "most": limit}
        if self._database.sqlite:
            with self._database.reading() as connection:
                if connection.execute(self._due, asked).first() is None:
                    return []
        with self._database.writing() as connection:
            ids = list(connection.execute(self._due, asked).scalars())
            if not ids:
                return []
            taken = connection.execute(
                update(outbox)
                .where(outbox.c.id.in_(ids))
                .values(
                    state="active",
                    due_at=None,
                    attempts=outbox.c.attempts + 1,
                    claimed_by=self._node,
                )
                .returning(*outbox.c)
            ).all()
        return sorted((rows.outbox_of(row) for row in taken), key=lambda row: row.notice.date)

    def next_due(self, now: datetime) -> datetime | None:
        query = select(func.min(outbox.c.due_at)).where(outbox.c.due_at > now)
        with self._database.reading() as connection:
            found: datetime | None = connection.execute(query).scalar()
        return found

    def sent(self, notice_id: str, reply: str, now: datetime) -> None:
        self._settle(notice_id, reply, state="sent", sent_at=now)

    def retry(self, notice_id: str, reply: str, at: datetime) -> None:
        self._settle(notice_id, reply, state="waiting", due_at=at)

    def failed(self, notice_id: str, reply: str, now: datetime) -> None:
        """Give up; the row stays for all to see, and the event says when."""
        with self._database.writing() as connection:
            row = connection.execute(
                self._settling(notice_id, reply, state="failed").returning(
                    outbox.c.queue_id, outbox.c.ticket
                )
            ).first()
            if row is not None:
                events.record(
                    connection,
                    now,
                    "notice-failed",
                    queue_id=row.queue_id,
                    ticket=row.ticket,
                    notice=notice_id,
                    reply=reply[:_REPLY_LENGTH],
                )

    def reset_active(self) -> int:
        """Put back what this node was sending when it died."""
        with self._database.writing() as connection:
            return connection.execute(
                update(outbox)
                .where(outbox.c.state == "active", outbox.c.claimed_by == self._node)
                .values(state="waiting", due_at=outbox.c.created_at, claimed_by=None)
            ).rowcount

    def send_again(self, notice_id: str, who: str, why: str, now: datetime) -> bool:
        """Let an operator try a failed or waiting notice at once, with its attempts from 0."""
        with self._database.writing() as connection:
            row = connection.execute(
                update(outbox)
                .where(outbox.c.id == notice_id, outbox.c.state.in_(("failed", "waiting")))
                .values(state="waiting", attempts=0, due_at=now)
                .returning(outbox.c.queue_id, outbox.c.ticket)
            ).first()
            if row is None:
                return False
            events.record(
                connection,
                now,
                "notice-retried",
                who=who,
                queue_id=row.queue_id,
                ticket=row.ticket,
                notice=notice_id,
                reason=why,
            )
        return True

    def _settle(self, notice_id: str, reply: str, **values: Any) -> None:
        with self._database.writing() as connection:
            connection.execute(self._settling(notice_id, reply, **values))

    def _settling(self, notice_id: str, reply: str, **values: Any) -> Any:
        # Only an active row: a delivery report may have come in before our relay's reply (A7).
        return (
            update(outbox)
            .where(outbox.c.id == notice_id, outbox.c.state == "active")
            .values(last_reply=reply[:_REPLY_LENGTH], claimed_by=None, **values)
        )
