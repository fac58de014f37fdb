"""Bounds on what is in use at the same time: connections, memory for content, the disk."""

from __future__ import annotations

import resource
from collections import Counter
from collections.abc import Callable

from mailgate.intake.replies import TOO_MANY_CONNECTIONS
from mailgate.model.envelope import Reply

#: Descriptors kept for the database, the mailer and the web, and for what one round of accepting
#: may open before it is turned away (promise R13).
RESERVED_FILES = 32
BACKLOG = 100


class Limits:
    """Who asks first gets it; nothing waits here."""

    def __init__(self, connections: int, per_peer: int, memory: int) -> None:
        self._connections = connections
        self._per_peer = per_peer
        self._memory = memory
        self._peers: Counter[str] = Counter()

    def enter(self, peer: str) -> Reply | None:
        """Count a connection, or give the refusal; a nameless peer has no limit of its own."""
        if self._peers.total() >= self._connections:
            return TOO_MANY_CONNECTIONS
        if peer and self._peers[peer] >= self._per_peer:
            return TOO_MANY_CONNECTIONS
        self._peers[peer] += 1
        return None

    def leave(self, peer: str) -> None:
        self._peers[peer] -= 1
        if not self._peers[peer]:
            del self._peers[peer]

    def take(self, octets: int) -> bool:
        """Whether there is memory for that much more content; if so, it is taken.

        A negative number gives back.
        """
        if octets > self._memory:
            return False
        self._memory -= octets
        return True


class Space:
    """Whether the disk is nearly full, asked of the system at most once a second (promise R6)."""

    def __init__(
        self, free: Callable[[], int], needed: int, monotonic: Callable[[], float]
    ) -> None:
        self._free = free
        self._needed = needed
        self._monotonic = monotonic
        self._again = float("-inf")
        self._short = False

    def short(self) -> bool:
        now = self._monotonic()
        if now >= self._again:
            self._short = self._free() < self._needed
            self._again = now + 1
        return self._short


def affordable_connections(wanted: int) -> int:
    """As many as wanted, or as the process has file descriptors for."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(1, min(wanted, soft - RESERVED_FILES - BACKLOG))
