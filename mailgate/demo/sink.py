"""The demo's relay: an SMTP server that keeps what it is given, for the mailbox page."""

from __future__ import annotations

import socket
from typing import Any

from aiosmtpd.controller import Controller

from mailgate.clock import Now
from mailgate.web.mailbox import Caught


class Sink:
    """Catches mail on a port of loopback that the system chooses."""

    def __init__(self, now: Now) -> None:
        self.caught: list[Caught] = []
        self._now = now
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port())
        self.address = f"127.0.0.1:{self._controller.port}"

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep one mail."""
        self.caught += [Caught(self._now(), to, envelope.content) for to in envelope.rcpt_tos]
        return "250 2.0.0 kept"


def free_port() -> int:
    """A port of loopback that nobody has at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
