"""The wiring: who is handed what, and how the house starts, reloads and stops."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailgate import clock, logs
from mailgate.settings import Settings
from mailgate.tokens.keys import Keys
from mailgate.wiring import Rules, open_checked_store

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.routing import BaseRoute

#: A claim that is this old belongs to a machine that is gone; far more than a killed worker needs.
LEASE = timedelta(minutes=15)
PARTS = ("intake", "worker", "mailer", "web")


class House:
    """Everything that runs in the main process, and the order in which it starts and stops.

    The way of a message backwards: whoever hands on starts after the one he hands on to, and
    stops before it.
    """

    def __init__(self, config: Path, settings: Settings, parts: frozenset[str]) -> None:
        self.config = config
        self.settings = settings
        self.parts = parts
        self.keys = Keys.load(settings.keys)
        self.rules = Rules(settings)
        self.store = open_checked_store(settings)
        self.log = logs.get("house")
        self._stack = AsyncExitStack()
        self._wake_workers: Callable[[], None] = _nothing
        self._wake_mailer: Callable[[], None] = _nothing
        self._reload_workers: Callable[[], None] = _nothing
        self._alive_workers: Callable[[], int] | None = None
        self._ready: Callable[[], Mapping[str, bool]] = dict
        self.fell = asyncio.Event()
        """Set where a part ended that should have gone on: better to start anew than to limp."""

    async def start(self, routes: Sequence[BaseRoute] = ()) -> None:
        """Start the parts; raises `OSError` where a socket cannot be had."""
        if "mailer" in self.parts:
            await self._stack.enter_async_context(self._mailer())
        if "worker" in self.parts:
            await self._stack.enter_async_context(self._workers())
            await self._stack.enter_async_context(self._duties())
        if "web" in self.parts:
            await self._stack.enter_async_context(self._pulse())
            await self._stack.enter_async_context(self._web(routes))
        if "intake" in self.parts:
            await self._stack.enter_async_context(self._intake())
        self.log.info("ready", parts=sorted(self.parts), rules=self.rules.policy.sha256[:12])

    async def stop(self) -> None:
        self.log.info("stopping")
        await self._stack.aclose()
        self.store.close()
        self.log.info("stopped")

    def wake(self) -> None:
        """Say that there is work that did not come in by a socket of ours."""
        self._wake_workers()

    def reload(self) -> None:
        """Take up a changed rules file; a broken one leaves everything as it is."""
        if self.rules.reload():
            self._reload_workers()

    @asynccontextmanager
    async def _intake(self) -> AsyncIterator[None]:
        from mailgate.intake.listeners import Listeners
        from mailgate.tokens import verp

        bounces = self.settings.outbound.bounces
        listeners = Listeners(
            settings=self.settings,
            store=self.store.intake,
            now=clock.now,
            random=clock.random,
            verify_bounce=lambda address: (
                verp.read(self.keys, bounces, address) if bounces else None
            ),
            free_space=self._free_space,
            on_admitted=self._wake_workers,
        )
        await listeners.start()
        try:
            yield
        finally:
            await listeners.stop()

    @asynccontextmanager
    async def _workers(self) -> AsyncIterator[None]:
        from mailgate.supervisor import Workers

        workers = Workers(
            self.config,
            self.settings,
            release=self.store.queue.release,
            rules=lambda: self.rules.text,
            on_decided=self._wake_mailer,
            reclaim=lambda: self.store.queue.reclaim(LEASE, clock.now()),
        )
        self._wake_workers, self._reload_workers = workers.wake, workers.reload
        self._alive_workers = lambda: workers.alive
        workers.start()
        try:
            yield
        finally:
            await workers.stop()

    @asynccontextmanager
    async def _mailer(self) -> AsyncIterator[None]:
        from mailgate.outbound.mailer import Mailer
        from mailgate.outbound.templates import Templates

        mailer = Mailer(
            self.settings,
            self.keys,
            self.store.outbox,
            Templates.load(self.settings.outbound.templates),
            now=clock.now,
        )
        self._wake_mailer = mailer.wake
        task = self._watched(mailer.run())
        try:
            yield
        finally:
            await mailer.stop()
            await asyncio.wait([task])

    @asynccontextmanager
    async def _pulse(self) -> AsyncIterator[None]:
        from mailgate.pulse import Pulse

        pulse = Pulse(self.settings, self.store, clock.now, self._free_space, self._alive_workers)
        self._ready = pulse.ready
        task = self._watched(pulse.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    @asynccontextmanager
    async def _duties(self) -> AsyncIterator[None]:
        from mailgate.duties import Rota, house_duties

        duties = house_duties(self.settings, self.store, self.keys, clock.random)
        rota = Rota(duties, self.store.duties, clock.now, self._wake)
        task = self._watched(rota.run())
        try:
            yield
        finally:
            rota.stop()
            task.cancel()
            await asyncio.wait([task])

    def _wake(self) -> None:
        self._wake_workers()
        self._wake_mailer()

    def _watched(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task whose failure brings the house down, so that it is started anew."""

        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()):
                self.log.error("part-failed", exc_info=error)
                self.fell.set()

        task = asyncio.create_task(work)
        task.add_done_callback(ended)
        return task

    @asynccontextmanager
    async def _web(self, routes: Sequence[BaseRoute]) -> AsyncIterator[None]:
        from mailgate.web.app import create

        app = create(
            self.settings,
            links=self.store.links,
            view=self.store.confirm_view,
            keys=self.keys,
            now=clock.now,
            random=clock.random,
            on_decided=self._wake_workers,
            ready=self._ready,
            routes=[*self._faces(), *routes],
        )
        async with serving(app, self.settings.web.listen):
            yield

    def _faces(self) -> Sequence[BaseRoute]:
        """Panel, console and API. Their pages run in threads, and wake the house from there."""
        from mailgate.faces import Faces
        from mailgate.tokens.password import Passwords

        soon = asyncio.get_running_loop().call_soon_threadsafe

        def wake_workers() -> None:
            soon(self._wake_workers)

        def wake_mailer() -> None:
            soon(self._wake_mailer)

        return Faces(
            settings=self.settings,
            store=self.store,
            keys=self.keys,
            now=clock.now,
            random=clock.random,
            policy=lambda: self.rules.policy,
            ready=self._ready,
            wake_workers=wake_workers,
            wake_mailer=wake_mailer,
            passwords=Passwords(clock.random),
        ).routes()

    def _free_space(self) -> int:
        """Octets free where the embedded database lives; plenty where the database is elsewhere."""
        file = self.settings.database_file
        return shutil.disk_usage(file.parent).free if file else 1 << 62


@asynccontextmanager
async def serving(app: Starlette, listen: str) -> AsyncIterator[None]:
    """Serve a web application until the block is left."""
    import uvicorn

    class Server(uvicorn.Server):
        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield  # the house has its own handlers, for all parts together

    # No access log: it would hold the paths, and they hold tokens (promise W7).
    server = Server(
        uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", server_header=False, ws="none"
        )
    )
    listener = listening_socket(listen)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await task


def listening_socket(listen: str) -> socket.socket:
    """A bound socket for HOST:PORT or unix:/PATH; raises `OSError`."""
    if listen.startswith("unix:"):
        path = Path(listen.removeprefix("unix:"))
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        return listener
    host, _, port = listen.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, else asyncio leaves Nagle's algorithm on for what is accepted.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host.strip("[]"), int(port)))
    return listener


async def serve(house: House) -> None:
    """Run until SIGTERM or SIGINT; SIGHUP reloads the rules."""
    stop = stopped_by_signal()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, house.reload)
    try:
        await house.start()
        notify("READY=1")
        await _first(stop.wait(), house.fell.wait())
    finally:
        notify("STOPPING=1")
        await house.stop()
    if house.fell.is_set():
        raise SystemExit(1)


async def _first(*waits: Coroutine[Any, Any, Any]) -> None:
    tasks = [asyncio.create_task(wait) for wait in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


def stopped_by_signal() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set; from here on they do nothing else."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def run(main: Callable[[], Any]) -> None:
    """Run a coroutine function on uvloop where it is installed, else on asyncio's own loop."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    with contextlib.suppress(ImportError):
        from uvloop import new_event_loop as factory
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main())


def notify(state: str) -> None:
    """Tell systemd how we are, where it asked (sd_notify(3)): one datagram, no dependency."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.connect("\0" + address[1:] if address.startswith("@") else address)
        client.sendall(state.encode())


def _nothing() -> None:
    """What is woken where the part runs on another machine: it looks by itself."""
