"""The demo's relay: an SMTP server that keeps what it is given, for the mailbox page."""

from __future__ import annotations

import email
import email.policy
import socket
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller


class Sink:
    """Catches mail on a port of loopback that the system chooses."""

    def __init__(self) -> None:
        self.caught: list[EmailMessage] = []
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port())
        self.address = f"127.0.0.1:{self._controller.port}"

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Keep one mail (the name is aiosmtpd's)."""
        self.caught.append(email.message_from_bytes(envelope.content, policy=email.policy.SMTP))  # type: ignore[arg-type] # the policy makes it an EmailMessage
        return "250 2.0.0 kept"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
