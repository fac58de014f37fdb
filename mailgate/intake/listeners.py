"""The listening sockets of intake: how they are made, started, watched and drained."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from mailgate.clock import Now, Random
from mailgate.intake.committer import Committer, Outcome
from mailgate.intake.gate import Gate
from mailgate.intake.hall import Hall
from mailgate.intake.limits import BACKLOG, Limits, Space, affordable_connections
from mailgate.intake.lmtp import Lmtp
from mailgate.intake.peers import Peers
from mailgate.intake.replies import SHUTTING_DOWN
from mailgate.intake.smtp import Smtp
from mailgate.intake.wire import Connection
from mailgate.model.item import Admission
from mailgate.model.ports import IntakeStore
from mailgate.settings import Settings, Tls

#: How long transactions in flight may take to finish after the request to stop, in seconds.
DRAIN = 30.0
#: How often connections are looked at for idleness, in seconds.
_ROUND = 0.5
#: Messages of the largest size that may be in memory at the same time.
_LARGEST_AT_ONCE = 16


class Listeners:
    """Everything between the sockets and the store."""

    def __init__(
        self,
        settings: Settings,
        store: IntakeStore,
        now: Now,
        random: Random,
        verify_bounce: Callable[[str], str | None],
        free_space: Callable[[], int],
        on_admitted: Callable[[], None],
    ) -> None:
        self._settings = settings.intake
        self._free_space = free_space
        self._now = now
        self._servers: list[asyncio.Server] = []
        self._sockets: list[Path] = []
        self._watch: asyncio.TimerHandle | None = None
        self._hall: Hall | None = None
        self.gate = Gate(settings, random, verify_bounce)
        self.committer = Committer(store, on_admitted)
        self.addresses: list[str] = []
        """What is listened on, as in the settings, with the port that was given for port 0."""

    async def start(self) -> None:
        """Open every socket, or raise `OSError` and open none."""
        # aiosmtpd would log every address; our own events say what an operator needs.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        loop = asyncio.get_running_loop()
        settings = self._settings
        hall = self._hall = Hall(
            settings=settings,
            gate=self.gate,
            committer=self.committer,
            limits=Limits(
                affordable_connections(settings.connections),
                settings.connections_per_peer,
                _LARGEST_AT_ONCE * settings.size,
            ),
            peers=Peers(settings.peers),
            space=Space(self._free_space, settings.size * 3 // 2, loop.time),
            now=self._now,
            tls=_tls_context(settings.tls) if settings.tls else None,
        )
        self.committer.start()
        try:
            for kind, listens in ((Smtp, settings.smtp), (Lmtp, settings.lmtp)):
                for listen in listens:
                    await self._listen(listen, kind, hall)
        except BaseException:
            await self.stop()
            raise
        self._watch = loop.call_later(_ROUND, self._look_around)

    async def admit(self, admissions: Sequence[Admission]) -> Outcome:
        """The way in for every other door of this process: the same gate, the same commits."""
        return await self.committer.admit(admissions)

    async def stop(self) -> None:
        """Take no more; end idle connections; let transactions finish; commit what was taken."""
        hall = self._hall
        if hall is None:
            return
        hall.stopping = True
        for server in self._servers:
            server.close()
        for path in self._sockets:
            path.unlink(missing_ok=True)
        for connection in tuple(hall.connections):
            connection.finish()
        await _until(lambda: all(c.closing for c in hall.connections), hall.moved, DRAIN)
        for connection in tuple(hall.connections):
            connection.hang_up(SHUTTING_DOWN)
        await _until(lambda: not hall.connections, hall.moved, 1.0)
        for connection in tuple(hall.connections):
            connection.abort()
        await asyncio.gather(*hall.handshakes, return_exceptions=True)
        await self.committer.close()
        if self._watch is not None:
            self._watch.cancel()
        self._hall = None

    async def _listen(self, listen: str, kind: type[Connection], hall: Hall) -> None:
        loop = asyncio.get_running_loop()

        def connection() -> Connection:
            return kind(hall, loop)

        if listen.startswith("unix:"):
            path = Path(listen.removeprefix("unix:"))
            sock = _unix_socket(path, self._settings.socket_mode)
            self._sockets.append(path)
            self._servers.append(
                await loop.create_unix_server(connection, sock=sock, backlog=BACKLOG)
            )
            self.addresses.append(listen)
            return
        for sock in _tcp_sockets(listen):
            self._servers.append(await loop.create_server(connection, sock=sock, backlog=BACKLOG))
            host, port = sock.getsockname()[:2]
            self.addresses.append(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")

    def _look_around(self) -> None:
        loop = asyncio.get_running_loop()
        if self._hall is not None:
            now = loop.time()
            for connection in tuple(self._hall.connections):
                connection.check(now)
        self._watch = loop.call_later(_ROUND, self._look_around)


async def _until(done: Callable[[], bool], moved: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not done():
                moved.clear()
                await moved.wait()


def _tcp_sockets(listen: str) -> list[socket.socket]:
    """Bound sockets for HOST:PORT, one for each address that the host has."""
    host, _, port = listen.rpartition(":")
    found = socket.getaddrinfo(
        host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    sockets: list[socket.socket] = []
    try:
        for family, _type, _proto, _name, address in dict.fromkeys(found):
            # With the protocol named, asyncio turns Nagle's algorithm off for what is accepted;
            # uvloop's accepted sockets inherit the option. Else each reply may wait 40 ms.
            sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            sockets.append(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind(address)
    except OSError:
        for sock in sockets:
            sock.close()
        raise
    return sockets


def _unix_socket(path: Path, mode: int) -> socket.socket:
    """A bound socket with its mode set before anyone can connect; a dead one's file is replaced."""
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)) == 0:
                raise OSError(f"{path} is in use by another process")
        path.unlink()
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(str(path))
        path.chmod(mode)
    except OSError:
        sock.close()
        raise
    return sock


def _tls_context(tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(tls.certificate, tls.key)
    return context
