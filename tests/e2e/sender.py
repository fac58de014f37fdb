"""A client that behaves like an MTA: it keeps each mail, octet for octet, until it was told 250."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Self

_QUEUE_ID = re.compile(rb"\bid=(\S+)")


@dataclass(frozen=True)
class Mail:
    """One queue entry of the MTA; `key` is its Message-ID without angle brackets."""

    key: str
    reverse_path: str
    recipients: tuple[str, ...]
    content: bytes


@dataclass
class Log:
    """What the sender was told, for the oracle to hold against the database."""

    acked: dict[str, list[str]] = field(default_factory=dict)
    """Queue ids of every 250, by key; more than one where a mail was sent again."""
    refused: dict[str, bytes] = field(default_factory=dict)
    """Permanent replies: mail that an MTA would bounce."""
    again: int = 0
    """Attempts that ended in 4xx, silence or a cut connection."""
    lock: threading.Lock = field(default_factory=threading.Lock)


class Dialog:
    """One connection, SMTP or LMTP, spoken in octets so that every reply can be counted."""

    def __init__(self, address: tuple[str, int] | str, *, lmtp: bool, timeout: float = 30) -> None:
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.settimeout(timeout)
        try:
            self._socket.connect(address)
            self._file = self._socket.makefile("rb")
            self.lmtp = lmtp
            self.greeting = self.reply()
            self.hello = self.say(b"LHLO mx.test" if lmtp else b"EHLO mx.test")
        except BaseException:
            self._socket.close()
            raise

    def reply(self) -> bytes:
        """One reply, all its lines (RFC 5321 §4.2); raises ConnectionError where none comes."""
        lines = []
        while True:
            line = self._file.readline(4096)
            if not line.endswith(b"\n"):
                raise ConnectionError("the connection ended within a reply")
            lines.append(line)
            if line[3:4] != b"-":
                return b"".join(lines)

    def say(self, line: bytes) -> bytes:
        self._socket.sendall(line + b"\r\n")
        return self.reply()

    def send(self, mail: Mail) -> list[bytes]:
        """One transaction. Gives the last reply: for LMTP one for each accepted recipient."""
        first = self.say(b"MAIL FROM:<%s>" % mail.reverse_path.encode())
        if first[:1] != b"2":
            return [first]
        replies = [self.say(b"RCPT TO:<%s>" % r.encode()) for r in mail.recipients]
        accepted = [r for r in replies if r[:1] == b"2"]
        if not accepted:
            return replies
        go = self.say(b"DATA")
        if go[:1] != b"3":
            return [go]
        self._socket.sendall(stuffed(mail.content) + b".\r\n")
        return [self.reply() for _ in (accepted if self.lmtp else accepted[:1])]

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def stuffed(content: bytes) -> bytes:
    """Dots doubled at the start of lines (RFC 5321 §4.5.2)."""
    return re.sub(rb"(?m)^\.", b"..", content)


class Sender:
    """Several connections that empty one queue, retrying what was not acknowledged."""

    def __init__(
        self,
        mails: Iterable[Mail],
        address: tuple[str, int] | str,
        *,
        lmtp: bool = True,
        connections: int = 8,
        pause: float = 0.1,
    ) -> None:
        self._waiting = deque(mails)
        self._total = len(self._waiting)
        self._complete = False
        self._address = address
        self._lmtp = lmtp
        self._pause = pause
        self._stop = threading.Event()
        self.log = Log()
        self._threads = [
            threading.Thread(target=self._run, name=f"sender-{n}", daemon=True)
            for n in range(connections)
        ]

    def start(self) -> Sender:
        for thread in self._threads:
            thread.start()
        return self

    def offer(self, mails: Sequence[Mail]) -> None:
        """More to send, before `wait`."""
        self._total += len(mails)
        self._waiting.extend(mails)

    @property
    def settled(self) -> int:
        with self.log.lock:
            return len(self.log.acked) + len(self.log.refused)

    @property
    def done(self) -> bool:
        return self.settled == self._total

    def wait(self, seconds: float) -> bool:
        """Whether everything was settled within that time; the threads are ended either way."""
        self._complete = True
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self.stop()
        return self.done

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    @property
    def _ended(self) -> bool:
        return self._stop.is_set() or (self._complete and self.done)

    def _run(self) -> None:
        while not self._ended:
            try:
                with Dialog(self._address, lmtp=self._lmtp) as dialog:
                    self._converse(dialog)
            except OSError:  # refused, cut or silent: what a killed server looks like
                self._stop.wait(self._pause)

    def _converse(self, dialog: Dialog) -> None:
        while not self._ended:
            try:
                mail = self._waiting.popleft()
            except IndexError:  # more may be offered, or another connection may give one back
                self._stop.wait(self._pause)
                continue
            try:
                replies = dialog.send(mail)
            except OSError:
                self._give_back(mail)
                raise
            if not self._note(mail, replies):
                self._give_back(mail)
                self._stop.wait(self._pause)
                raise ConnectionAbortedError(f"temporary: {replies!r}")

    def _note(self, mail: Mail, replies: Sequence[bytes]) -> bool:
        """Write down what was answered; False where the mail has to be sent again."""
        with self.log.lock:
            if any(r[:1] == b"5" for r in replies):
                self.log.refused[mail.key] = b"".join(replies)
                return True
            if not all(r[:1] == b"2" for r in replies):
                return False
            ids = [m[1].decode() for r in replies if (m := _QUEUE_ID.search(r))]
            self.log.acked.setdefault(mail.key, []).extend(ids)
            return True

    def _give_back(self, mail: Mail) -> None:
        with self.log.lock:
            self.log.again += 1
        self._waiting.append(mail)
