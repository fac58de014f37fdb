"""The servers that are measured: both keep every message in the same embedded database."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

from mailgate import clock
from mailgate.app import run as run_on_best_loop
from mailgate.intake.gate import Gate
from mailgate.intake.listeners import Listeners
from mailgate.model.envelope import Envelope
from mailgate.settings import Settings
from mailgate.store import Store, open_store

Server = Callable[[Settings, Store, int], AbstractAsyncContextManager[None]]


def run(server: Server, port: int, folder: Path) -> None:
    """Serve until SIGTERM; says "ready" on standard output."""
    store = open_store(f"sqlite:///{folder / 'bench.db'}")
    store.upgrade()
    settings = Settings.model_validate(
        {
            "base_url": "http://localhost:8025",
            "database": "sqlite://",
            "keys": "keys",
            "rules": "rules.yaml",
            "desks": {"help": {"addresses": ["help@desk.example"], "tag": "H"}},
            "intake": {
                "smtp": [f"127.0.0.1:{port}"],
                "connections": 400,
                "connections_per_peer": 400,
            },
            "log": {"level": "error"},
        }
    )

    async def main() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        async with server(settings, store, port):
            print("ready", flush=True)
            await stop.wait()

    from mailgate import logs

    logs.configure("error", "json")
    with contextlib.closing(store):
        run_on_best_loop(main)


@asynccontextmanager
async def mailgate_server(settings: Settings, store: Store, _port: int) -> AsyncIterator[None]:
    listeners = Listeners(
        settings,
        store.intake,
        clock.now,
        clock.random,
        lambda _address: None,
        lambda: 1 << 50,
        lambda: None,
    )
    await listeners.start()
    try:
        yield
    finally:
        await listeners.stop()


@asynccontextmanager
async def aiosmtpd_server(settings: Settings, store: Store, port: int) -> AsyncIterator[None]:
    """aiosmtpd as its manual shows it: a handler that stores the message, then 250."""
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    gate = Gate(settings, clock.random)

    class Handler:
        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
            said = Envelope(envelope.mail_from, tuple(envelope.rcpt_tos), datetime.now(UTC))
            store.intake.admit(gate.admissions(said, envelope.content))
            return "250 OK"

    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(Handler(), hostname="bench.example"), "127.0.0.1", port
    )
    try:
        yield
    finally:
        server.close()
