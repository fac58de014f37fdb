"""A relay that can be told to misbehave, and an outbox in memory, for the tests of the mailer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from mailgate.model.notice import Notice, OutboxRow
from tests.outbound.samples import NOW

DROP = "drop"
Script = Callable[[str, str, int], str | None]
"""Given the phase (mail, rcpt, data), the address it is about and how often that address came
before: the reply, `DROP` to cut the connection, or None for the usual reply."""


def obliging(_phase: str, _address: str, _before: int) -> str | None:
    return None


class Relay:
    """What an SMTP server does to us, by a script; keeps what it was sent."""

    def __init__(self, script: Script = obliging) -> None:
        self.script = script
        self.connections = 0
        self.received: list[tuple[str, str, bytes]] = []
        self.options: list[list[str]] = []
        self.logins: list[tuple[bytes, bytes]] = []
        self._seen: dict[tuple[str, str], int] = {}

    def _answer(self, phase: str, address: str, server: SMTP) -> str | None:
        before = self._seen.get((phase, address), 0)
        self._seen[phase, address] = before + 1
        said = self.script(phase, address, before)
        if said == DROP:
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
        return said

    async def handle_MAIL(  # noqa: N802 - the names are aiosmtpd's
        self, server: SMTP, _s: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        said = self._answer("mail", address, server)
        envelope.mail_from = address
        self.options.append(options)
        return said or "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _s: Session, envelope: Envelope, address: str, _o: list[str]
    ) -> str:
        said = self._answer("rcpt", address, server)
        if said is None:
            envelope.rcpt_tos.append(address)
        return said or "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, _s: Session, envelope: Envelope) -> str:  # noqa: N802
        octets = envelope.original_content or b""
        recipient = envelope.rcpt_tos[0]
        self.received.append((envelope.mail_from or "", recipient, octets))
        return self._answer("data", recipient, server) or "250 2.0.0 queued as 4711"


@asynccontextmanager
async def listening(
    relay: Relay, path: Path | None = None, port: int = 0, **how: Any
) -> AsyncIterator[str]:
    """Serve on loopback or on a UNIX socket; gives the address for the settings."""

    def connected() -> SMTP:
        relay.connections += 1
        return SMTP(relay, hostname="relay.example", **how)

    loop = asyncio.get_running_loop()
    if path is not None:
        server = await loop.create_unix_server(connected, str(path))
        address = f"unix:{path}"
    else:
        server = await loop.create_server(connected, "127.0.0.1", port)
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield address
    finally:
        server.close()
        await server.wait_closed()


class Outbox:
    """`OutboxStore` in memory, with a clock that stands until it is moved."""

    def __init__(self, notices: Sequence[Notice]) -> None:
        self.at = NOW
        self.rows = {n.id: OutboxRow(n, "waiting", 0, NOW) for n in notices}
        self.resets = 0
        self.results = 0
        self.looked = 0
        self.trouble: list[Exception] = []
        """Raised by the next calls, one each."""
        self._changed = threading.Condition()

    def now(self) -> datetime:
        return self.at

    def later(self, wait: timedelta) -> None:
        self.at += wait

    def row(self) -> OutboxRow:
        """The only one."""
        (row,) = self.rows.values()
        return row

    async def until(self, state: str) -> None:
        """Wait until every row is in this state."""
        await self._reached(lambda: all(row.state == state for row in self.rows.values()))

    async def found_empty(self) -> None:
        """Wait until the mailer has found nothing to do."""
        await self._reached(lambda: self.looked > 0)

    async def settled(self, times: int) -> None:
        """Wait until so many attempts in all have got their result."""
        await self._reached(lambda: self.results >= times)

    async def _reached(self, goal: Callable[[], bool]) -> None:
        def wait() -> bool:
            with self._changed:
                return self._changed.wait_for(goal, 20)

        assert await asyncio.to_thread(wait), self.rows

    def _trouble(self) -> None:
        if self.trouble:
            raise self.trouble.pop(0)

    def _set(self, notice_id: str, **values: Any) -> None:
        self._trouble()
        with self._changed:
            self.rows[notice_id] = replace(self.rows[notice_id], **values)
            self.results += values["state"] != "active"
            self._changed.notify_all()

    def claim_due(self, now: datetime, limit: int) -> list[OutboxRow]:
        self._trouble()
        due = [r for r in self.rows.values() if r.state == "waiting" and r.next_at <= now][:limit]
        for row in due:
            self._set(row.notice.id, state="active", attempts=row.attempts + 1)
        return [self.rows[row.notice.id] for row in due]

    def next_due(self, now: datetime) -> datetime | None:
        later = [r.next_at for r in self.rows.values() if r.state == "waiting" and r.next_at > now]
        with self._changed:
            self.looked += 1
            self._changed.notify_all()
        return min(later, default=None)

    def sent(self, notice_id: str, reply: str, now: datetime) -> None:
        self._set(notice_id, state="sent", last_reply=reply, sent_at=now)

    def retry(self, notice_id: str, reply: str, at: datetime) -> None:
        self._set(notice_id, state="waiting", last_reply=reply, next_at=at)

    def failed(self, notice_id: str, reply: str, now: datetime) -> None:
        self._set(notice_id, state="failed", last_reply=reply, next_at=now)

    def reset_active(self) -> int:
        self._trouble()
        self.resets += 1
        return 0
