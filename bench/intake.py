"""Messages a second that are durably accepted: mailgate, stock aiosmtpd, and Postfix where it is.

Each server is a process of its own, the client another; rounds alternate in random order, so that
what disturbs the machine disturbs everyone. Quote the ratios, not the rates.
"""

from __future__ import annotations

import asyncio
import functools
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import postfix

ROUNDS = 5
SECONDS = 60.0  # no single run lasts longer


@dataclass(frozen=True)
class Shape:
    """One way to send: how many connections at once, how many messages, how many on each."""

    name: str
    connections: int
    messages: int
    per_connection: int
    octets: int


SHAPES = (
    Shape("4 KB, 20 connections kept", 20, 2000, 50, 4_300),
    Shape("4 KB, a connection each, 20 at once", 20, 1000, 1, 4_300),
    Shape("4 KB, one at a time", 1, 200, 1, 4_300),
    Shape("5 MB, 4 at once", 4, 24, 6, 5_000_000),
)


@dataclass
class Result:
    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """Seconds of processor time a message, the server's children included."""


def content(octets: int, number: int) -> bytes:
    """A plausible mail of about that many octets, another one each time."""
    header = (
        "Received: from mx1.client.example (mx1.client.example [192.0.2.11])\r\n"
        f" by mx.desk.example (Postfix) with ESMTPS id {number:010d}\r\n"
        "From: Anna <anna@client.example>\r\nTo: help@desk.example\r\n"
        f"Message-ID: <{number}.{os.getpid()}@client.example>\r\n"
        "Subject: Faktura\r\nMIME-Version: 1.0\r\n\r\n"
    )
    line = b"The printer does not print after the update; what can be done about it now?\r\n"
    return header.encode() + line * max(1, (octets - len(header)) // len(line))


class Client(asyncio.Protocol):
    """Sends its share of messages, a command at a time, as an MTA without pipelining does."""

    def __init__(self, messages: Iterator[bytes], count: int) -> None:
        self.messages = messages
        self.left = count
        self.sent = 0
        self.done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.received = b""
        self.steps = self._steps()

    def _steps(self) -> Iterator[tuple[bytes, bytes]]:
        """What to send, and how the reply to it must begin."""
        yield b"", b"220"
        yield b"EHLO client.example\r\n", b"250"
        while self.left and (message := next(self.messages, None)) is not None:
            yield b"MAIL FROM:<anna@client.example>\r\n", b"250"
            yield b"RCPT TO:<help@desk.example>\r\n", b"250"
            yield b"DATA\r\n", b"354"
            yield message + b".\r\n", b"250"
            self.left -= 1
            self.sent += 1
        yield b"QUIT\r\n", b"221"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.step()

    def step(self) -> None:
        step = next(self.steps, None)
        if step is None:
            self.transport.close()
            return
        octets, self.wanted = step
        if octets:
            self.transport.write(octets)

    def data_received(self, data: bytes) -> None:
        self.received += data
        if not self.received.endswith(b"\r\n"):
            return
        last = self.received[:-2].rpartition(b"\r\n")[2]
        if last[3:4] == b"-":
            return
        self.received = b""
        if not last.startswith(self.wanted):
            self.done.set_exception(RuntimeError(f"{last!r} instead of {self.wanted!r}"))
            self.transport.close()
            return
        self.step()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(self.sent)


async def send(port: int, shape: Shape) -> float:
    """Send all messages of the shape; gives the seconds it took."""
    loop = asyncio.get_running_loop()
    start = random.randrange(10**9)
    messages = iter([content(shape.octets, start + n) for n in range(shape.messages)])
    left = shape.messages

    async def slot() -> None:
        nonlocal left
        while left > 0:
            count = min(shape.per_connection, left)
            left -= count
            new_client = functools.partial(Client, messages, count)
            _, client = await loop.create_connection(new_client, "127.0.0.1", port)
            assert await client.done == count

    began = time.perf_counter()
    async with asyncio.timeout(SECONDS):
        await asyncio.gather(*(slot() for _ in range(shape.connections)))
    return time.perf_counter() - began


def cpu_seconds(root: int) -> float:
    """Processor time of a process and its descendants, those that ended included."""
    parents: dict[int, tuple[int, float]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        ticks = sum(map(int, words[11:15]))
        parents[int(stat.parent.name)] = int(words[1]), ticks / os.sysconf("SC_CLK_TCK")
    family = {root}
    while more := {p for p, (parent, _) in parents.items() if parent in family} - family:
        family |= more
    return sum(parents[p][1] for p in family if p in parents)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


@contextmanager
def own_server(kind: str, port: int) -> Iterator[int]:
    """Run `serve` of this module in a process of its own; gives its pid."""
    command = [sys.executable, "-m", "bench.intake", kind, str(port)]
    with (
        TemporaryDirectory(prefix="bench-intake-") as folder,
        subprocess.Popen([*command, folder], stdout=subprocess.PIPE) as process,
    ):
        assert process.stdout is not None
        if process.stdout.readline() != b"ready\n":
            raise RuntimeError(f"{kind} did not start")
        try:
            yield process.pid
        finally:
            process.terminate()


def measure(pids: dict[str, int], ports: dict[str, int], shape: Shape) -> dict[str, Result]:
    results = {name: Result() for name in pids}
    for number in range(ROUNDS + 1):
        order = list(pids)
        random.shuffle(order)
        for name in order:
            before = cpu_seconds(pids[name])
            seconds = asyncio.run(send(ports[name], shape))
            spent = cpu_seconds(pids[name]) - before
            if number:  # the first round warms up
                results[name].rates.append(shape.messages / seconds)
                results[name].cpu.append(spent / shape.messages)
    return results


def report(shape: Shape, results: dict[str, Result]) -> None:
    print(f"\n{shape.name}: median of {ROUNDS} alternating rounds")
    base = {name: results[name] for name in results if name != "mailgate"}
    for name, result in results.items():
        line = f"  {name:<10} {statistics.median(result.rates):8.0f} messages/s"
        line += f" {statistics.median(result.cpu) * 1e6:9.0f} us of processor a message"
        print(line)
    ours = results["mailgate"]
    for name, other in base.items():
        faster = statistics.median(a / b for a, b in zip(ours.rates, other.rates, strict=True))
        cheaper = statistics.median(a / b for a, b in zip(ours.cpu, other.cpu, strict=True) if b)
        print(f"  mailgate / {name}: {faster:.2f} x the rate, {cheaper:.2f} x the processor time")


def main() -> None:
    print("Durable accept over loopback; the Python client limits the rates, so mind the processor")
    servers: dict[str, Callable[[int], AbstractContextManager[int]]] = {
        "mailgate": lambda port: own_server("mailgate", port),
        "aiosmtpd": lambda port: own_server("aiosmtpd", port),
    }
    reason = postfix.absence()
    if reason:
        print(f"{reason}: measured without it")
    else:
        servers["postfix"] = postfix.running
    with ExitStack() as stack:
        ports = {name: free_port() for name in servers}
        pids = {name: stack.enter_context(start(ports[name])) for name, start in servers.items()}
        for shape in SHAPES:
            report(shape, measure(pids, ports, shape))


def serve(kind: str, port: int, folder: str) -> None:
    """The child's side: a server over the embedded database, until SIGTERM."""
    from bench.servers import aiosmtpd_server, mailgate_server, run

    run({"mailgate": mailgate_server, "aiosmtpd": aiosmtpd_server}[kind], port, Path(folder))


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), sys.argv[3])
