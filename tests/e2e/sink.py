"""The relay of the tests: an SMTP server on loopback that keeps every mail as it came."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass(frozen=True)
class Caught:
    """One mail, octet for octet."""

    reverse_path: str
    recipients: tuple[str, ...]
    content: bytes

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.content, policy=policy.default)

    @property
    def text(self) -> str:
        part = self.message.get_body(("plain",))
        assert part is not None
        return str(part.get_content())


class Sink:
    """Listens between `start` and `stop`; keeps what came over both."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._caught: list[Caught] = []
        self._changed = threading.Condition()
        self._controller: Controller | None = None

    def start(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's hook
        content = envelope.original_content
        assert content is not None
        mail = Caught(envelope.mail_from or "", tuple(envelope.rcpt_tos), content)
        with self._changed:
            self._caught.append(mail)
            self._changed.notify_all()
        return "250 2.0.0 kept"

    @property
    def caught(self) -> list[Caught]:
        with self._changed:
            return list(self._caught)

    def wait_for(self, recipient: str, *, count: int = 1, seconds: float = 30) -> list[Caught]:
        """The mails to this recipient, as soon as there are that many."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                found = [c for c in self._caught if recipient in c.recipients]
                left = deadline - time.monotonic()
                if len(found) >= count:
                    return found
                if left <= 0:
                    raise TimeoutError(f"{len(found)} of {count} mails to {recipient} came")
                self._changed.wait(left)
