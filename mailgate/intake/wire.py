"""One connection as a stream: octets in, lines or content out, replies gathered into writes."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import cast

import aiosmtpd.smtp

from mailgate.intake.hall import Hall
from mailgate.intake.peers import peer_name
from mailgate.intake.reader import DataReader
from mailgate.intake.replies import (
    IDLE,
    LINE_TOO_LONG,
    NOT_LISTED,
    SHUTTING_DOWN,
    TOO_MANY_ERRORS,
    TOO_SLOW,
)
from mailgate.model.envelope import TRY_AGAIN, Reply

#: Longest command line; RFC 5321 §4.5.3.1.4 asks for 512 octets and more for each extension.
COMMAND_LINE = 2048
#: Octets a client may send ahead while its message is being committed.
READ_AHEAD = 64 << 10
#: The average rate of content counts only after this long.
GRACE = timedelta(seconds=60)
#: A client that does not read our last words is cut off after this long.
LINGER = timedelta(seconds=10)


class Connection(aiosmtpd.smtp.SMTP):
    """aiosmtpd's SMTP with its reader, its task and its timer replaced.

    aiosmtpd reads a line at a time in a task for each connection, and its constructor looks at
    every method of the class; that is most of what a small message costs. So its constructor is not
    called here. Its state (`Session`, `Envelope`), its resets and its parsers are in use.
    """

    greeting = "ESMTP"

    def __init__(self, hall: Hall, loop: asyncio.AbstractEventLoop) -> None:
        self.hall = hall
        self.loop = loop
        self.hostname = hall.settings.hostname
        self.tls_context = hall.tls
        self.transport: asyncio.Transport | None = None
        self.session: aiosmtpd.smtp.Session = self._create_session()
        self.envelope: aiosmtpd.smtp.Envelope = self._create_envelope()
        self.reader: DataReader | None = None
        self.busy = False
        """Waiting for the commit or for TLS; what comes meanwhile is kept for later."""
        self.errors = 0
        self._peer = ""
        self._inbox = b""
        self._at = 0
        self._overlong = False
        self._out: list[bytes] = []
        self._congested = False
        self._paused = False
        self._closing_since: float | None = None
        self._eof = False
        self._counted = False
        self._touched = loop.time()
        self._content_since = 0.0

    # What the subclass adds: the commands, and what happens at the end of the content.

    def command(self, line: bytes) -> Reply | None:
        """Do what a command line says; None where it has replied, or will."""
        raise NotImplementedError

    def content_ended(self, reader: DataReader) -> None:
        """Answer for the content, now or after the commit."""
        raise NotImplementedError

    def answer(self, reply: Reply) -> None:
        """Give the content this reply, for each recipient where the protocol wants it so."""
        raise NotImplementedError

    def reset(self) -> None:
        """Forget the transaction (RFC 5321 §4.1.1.5)."""
        self.envelope = self._create_envelope()

    @property
    def in_transaction(self) -> bool:
        return self.envelope.mail_from is not None

    @property
    def closing(self) -> bool:
        return self._closing_since is not None

    @property
    def peer(self) -> str:
        return self._peer

    # The event loop's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport = cast("asyncio.Transport", transport)
        self._peer = peer_name(transport.get_extra_info("peername"))
        self.session.peer = self._peer
        hall = self.hall
        refusal = None
        if hall.stopping:
            refusal = SHUTTING_DOWN
        elif not hall.peers.listed(self._peer):
            refusal = NOT_LISTED
        else:
            refusal = hall.limits.enter(self._peer)
            self._counted = refusal is None
        hall.connections.add(self)
        if refusal is not None:
            hall.log.warning("client-refused", client=self._peer, reply=str(refusal))
            self.hang_up(refusal)
        else:
            transport.write(f"220 {self.hostname} {self.greeting}\r\n".encode())

    def connection_lost(self, _error: Exception | None) -> None:
        self.transport = None
        self.hall.connections.discard(self)
        self.hall.moved.set()
        if self._counted:
            self._counted = False
            self.hall.limits.leave(self._peer)
        if self.reader is not None:
            self.reader.release()
            self.reader = None
        self._inbox = b""

    def data_received(self, data: bytes) -> None:
        if self.closing:
            return
        self._inbox = self._inbox + data if self._inbox else data
        if not self.busy and not self._congested:
            self.work()
        elif len(self._inbox) > READ_AHEAD and self.transport is not None and not self._paused:
            self._paused = True
            self.transport.pause_reading()

    def eof_received(self) -> bool:
        """A client that sends its message and closes its half still gets its reply."""
        self._eof = True
        return self.busy and self.session.ssl is None

    def pause_writing(self) -> None:
        self._congested = True

    def resume_writing(self) -> None:
        self._congested = False
        self.resume()

    def resume(self) -> None:
        """Go on with what came while we were busy."""
        if self.transport is None or self.closing or self.busy or self._congested:
            return
        self._touched = self.loop.time()
        if self._paused:
            self._paused = False
            self.transport.resume_reading()
        self.work()
        if self._eof and not self.busy:
            self.close()

    # Octets in.

    def work(self) -> None:
        """Deal with all that has come; the replies to a pipelined batch leave in one write."""
        try:
            while self._at < len(self._inbox) and not self.busy and not self.closing:
                if self.reader is not None:
                    self._read_content(self.reader)
                elif not self._read_command():
                    break
                if self.errors > self.hall.settings.errors:
                    self.hang_up(TOO_MANY_ERRORS)
        finally:
            self._inbox = self._inbox[self._at :]
            self._at = 0
            self.flush()

    def _read_command(self) -> bool:
        inbox, at = self._inbox, self._at
        end = inbox.find(b"\n", at)
        if end < 0:
            if len(inbox) - at > COMMAND_LINE:
                self._overlong = True
                self._at = len(inbox)
            return False
        self._at = end + 1
        self._touched = self.loop.time()
        if self._overlong or end - at >= COMMAND_LINE:
            self._overlong = False
            self.say(LINE_TOO_LONG)
            return True
        try:
            reply = self.command(inbox[at:end].removesuffix(b"\r"))
        except Exception:  # any trouble of our own is temporary for the client
            self.hall.log.exception("session-failed", client=self._peer)
            self.reset()
            reply = TRY_AGAIN
        if reply is not None:
            self.say(reply)
        return True

    def _read_content(self, reader: DataReader) -> None:
        self._touched = self.loop.time()
        try:
            end = reader.feed(self._inbox, self._at)
        except Exception:  # a MemoryError, say: read on to the end, keep nothing
            self.hall.log.exception("session-failed", client=self._peer)
            reader.refuse(TRY_AGAIN)
            end = reader.feed(self._inbox, self._at)
        self._at = len(self._inbox) if end < 0 else end
        if end < 0:
            return
        self.reader = None
        try:
            self.content_ended(reader)
        except Exception:  # any trouble of our own is temporary for the client
            self.hall.log.exception("session-failed", client=self._peer)
            reader.release()
            self.answer(TRY_AGAIN)

    def start_content(self) -> None:
        settings = self.hall.settings
        self.reader = DataReader(settings.size, settings.line, self.hall.limits.take)
        self._content_since = self.loop.time()

    # Replies out.

    def say(self, reply: Reply, *, counts: bool = True) -> None:
        """Reply. Permanent refusals are counted, our own trouble is not."""
        self._out.append(f"{reply}\r\n".encode())
        if counts and reply.code >= 500:
            self.errors += 1

    def discard_input(self) -> None:
        self._inbox = b""

    def say_raw(self, lines: bytes) -> None:
        self._out.append(lines)

    def flush(self) -> None:
        if self._out:
            if self.transport is not None and not self.closing:
                self.transport.write(self._out[0] if len(self._out) == 1 else b"".join(self._out))
            self._out.clear()

    def hang_up(self, reply: Reply) -> None:
        """Say a last word and close (RFC 5321 §3.8)."""
        if not self.closing:
            self._out.append(f"{reply}\r\n".encode())
            self.close()

    def close(self) -> None:
        """Close once everything said is written; nothing more is read."""
        if self._closing_since is None:
            self.flush()
            self._closing_since = self.loop.time()
            self.hall.moved.set()
            if self.transport is not None:
                self.transport.close()

    def abort(self) -> None:
        """Close without caring for what is not yet written."""
        if self.transport is not None:
            self.transport.abort()

    # Time.

    def finish(self) -> None:
        """Graceful end: now where no transaction is open, else after it."""
        if not self.busy and not self.in_transaction:
            self.hang_up(SHUTTING_DOWN)

    def check(self, now: float) -> None:
        """End what is idle or too slow; called every now and then by the listeners' one timer."""
        settings = self.hall.settings
        if self._closing_since is not None:
            if now - self._closing_since > LINGER.total_seconds():
                self.abort()
        elif self.busy:
            return
        elif now - self._touched > settings.idle.total_seconds():
            self.hang_up(IDLE)
        elif self.reader is not None:
            lasted = now - self._content_since
            too_little = self.reader.received < settings.min_rate * lasted
            if lasted > GRACE.total_seconds() and too_little:
                self.hang_up(TOO_SLOW)
