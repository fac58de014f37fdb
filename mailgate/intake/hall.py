"""What all connections share: the settings, who is there, and where messages go."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mailgate import logs
from mailgate.clock import Now
from mailgate.intake.committer import Committer
from mailgate.intake.gate import Gate
from mailgate.intake.limits import Limits, Space
from mailgate.intake.peers import Peers
from mailgate.settings import Intake

if TYPE_CHECKING:
    from mailgate.intake.wire import Connection


@dataclass(eq=False)
class Hall:
    settings: Intake
    gate: Gate
    committer: Committer
    limits: Limits
    peers: Peers
    space: Space
    now: Now
    tls: ssl.SSLContext | None = None
    connections: set[Connection] = field(default_factory=set)
    handshakes: set[asyncio.Task[None]] = field(default_factory=set)
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a connection closes; who waits for that clears it."""
    stopping: bool = False
    log: Any = field(default_factory=lambda: logs.get("intake"))

    def start(self, handshake: Coroutine[Any, Any, None]) -> None:
        """Run a TLS handshake; the loop alone would not keep its task alive."""
        task = asyncio.create_task(handshake)
        self.handshakes.add(task)
        task.add_done_callback(self.handshakes.discard)
