"""A live listener in a thread, a store in memory behind it, and a client that speaks raw octets."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mailgate import clock
from mailgate.intake.listeners import Listeners
from mailgate.model.item import Admission, Admitted
from mailgate.settings import Settings

CERTIFICATE = Path(__file__).parent / "localhost.pem"
CONTENT = b"Subject: x\r\n\r\nText\r\n"
TLS = {"certificate": CERTIFICATE, "key": CERTIFICATE}


def _loops() -> list[Callable[[], asyncio.AbstractEventLoop]]:
    """asyncio's loop, and the other one where it is installed: both are used in production."""
    try:
        import uvloop
    except ImportError:
        return [asyncio.new_event_loop]
    return [asyncio.new_event_loop, uvloop.new_event_loop]


on_each_loop = pytest.mark.parametrize(
    "new_loop", _loops(), ids=lambda f: f.__module__.partition(".")[0]
)


class MemoryStore:
    """Keeps admissions by their key; fails with `error` where one is set."""

    def __init__(self) -> None:
        self.items: dict[str, Admission] = {}
        self.batches: list[int] = []
        self.error: Exception | None = None

    def admit(self, batch: Sequence[Admission]) -> list[Admitted]:
        self.batches.append(len(batch))
        if self.error is not None:
            raise self.error
        kept = [self.items.setdefault(a.dedup_key, a) for a in batch]
        return [
            Admitted(k.queue_id, duplicate=k is not a) for k, a in zip(kept, batch, strict=True)
        ]

    @property
    def contents(self) -> list[bytes]:
        return [item.content for item in self.items.values()]


class SlowStore(MemoryStore):
    """Commits only when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()
        self.go = threading.Event()

    def admit(self, batch: Sequence[Admission]) -> list[Admitted]:
        self.begun.set()
        assert self.go.wait(10)
        return super().admit(batch)


def settings(**intake: Any) -> Settings:
    """Two desks, a bounce address, and whatever of `intake` a test is about."""
    return Settings.model_validate(
        {
            "base_url": "http://localhost:8025",
            "database": "sqlite://",
            "keys": "keys",
            "rules": "rules.yaml",
            "desks": {
                "help": {"addresses": ["help@desk.example", "pomoc@desk.example"], "tag": "H"},
                "sales": {"addresses": ["sales@desk.example"], "tag": "S"},
            },
            "outbound": {"bounces": "bounces@desk.example"},
            "intake": {
                "smtp": ["127.0.0.1:0"],
                "lmtp": ["127.0.0.1:0"],
                "hostname": "gate.example",
                **intake,
            },
        }
    )


def verify_bounce(address: str) -> str | None:
    """Stands for the signed addresses: only this one was made by us."""
    local = address.partition("@")[0]
    return local.removeprefix("bounces+") if local in {"bounces+n1", "bounces+n2"} else None


class Client:
    """A connection that says exactly what it is told to say."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(10)
        self.sock = sock
        self._received = b""

    def send(self, octets: bytes) -> None:
        self.sock.sendall(octets)

    def line(self) -> str:
        """The next line without its end, or "" at the end of the stream."""
        while b"\r\n" not in self._received:
            got = self.sock.recv(65536)
            if not got:
                assert not self._received, "the last line has no end"
                return ""
            self._received += got
        line, _, self._received = self._received.partition(b"\r\n")
        return line.decode("ascii")

    def reply(self) -> str:
        """The next reply, its lines joined by line feeds; "" at the end of the stream."""
        lines = [self.line()]
        while lines[-1][3:4] == "-":
            lines.append(self.line())
        return "\n".join(lines)

    def ask(self, command: str) -> str:
        self.send(command.encode() + b"\r\n")
        return self.reply()

    def hello(self, verb: str = "EHLO") -> None:
        assert self.reply().startswith("220 ")
        assert self.ask(f"{verb} client.example").startswith("250")

    def mail(self, content: bytes, *recipients: str) -> str:
        """One transaction in one write; gives the last reply."""
        recipients = recipients or ("help@desk.example",)
        self.send(
            b"MAIL FROM:<anna@client.example>\r\n"
            + b"".join(f"RCPT TO:<{r}>\r\n".encode() for r in recipients)
            + b"DATA\r\n"
            + content
            + b".\r\n"
        )
        replies = [self.reply() for _ in range(2 + len(recipients))]
        assert replies[-1].startswith("354"), replies
        return self.reply()


def begin_data(client: Client) -> None:
    for command in ("MAIL FROM:<a@client.example>", "RCPT TO:<help@desk.example>", "DATA"):
        assert client.ask(command)[0] in "23"


@dataclass
class Door:
    """The listener's side of a test."""

    listeners: Listeners
    store: MemoryStore
    loop: asyncio.AbstractEventLoop
    clients: list[Client] = field(default_factory=list)
    wakes: list[None] = field(default_factory=list)

    def address(self, protocol: str) -> str:
        return self.listeners.addresses[0 if protocol == "smtp" else -1]

    def connect(self, protocol: str = "smtp") -> Client:
        address = self.address(protocol)
        if address.startswith("unix:"):
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(address.removeprefix("unix:"))
        else:
            host, _, port = address.rpartition(":")
            sock = socket.create_connection((host, int(port)), timeout=10)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = Client(sock)
        self.clients.append(client)
        return client

    def do(self, action: Callable[[], Any]) -> Any:
        """Run on the listener's own thread."""

        async def run() -> Any:
            return action()

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(10)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self.listeners.stop(), self.loop).result(60)


@contextmanager
def listening(
    store: MemoryStore | None = None,
    *,
    free_space: Callable[[], int] = lambda: 1 << 50,
    new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
    **intake: Any,
) -> Iterator[Door]:
    """A listener on loopback until the block is left, then stopped as SIGTERM would."""
    store = store or MemoryStore()
    wakes: list[None] = []
    listeners = Listeners(
        settings(**intake),
        store,
        clock.now,
        clock.random,
        verify_bounce,
        free_space,
        lambda: wakes.append(None),
    )
    loop = new_loop() if new_loop else asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="listener")
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(listeners.start(), loop).result(10)
        door = Door(listeners, store, loop, wakes=wakes)
        try:
            yield door
        finally:
            for client in door.clients:
                client.sock.close()
            door.stop()
    finally:
        asyncio.run_coroutine_threadsafe(loop.shutdown_default_executor(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
