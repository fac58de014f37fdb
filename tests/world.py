"""A small house for tests: real sockets, a real database, and a worker that is stepped by hand."""

from __future__ import annotations

import asyncio
import re
import smtplib
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mailgate.clock import random
from mailgate.intake.listeners import Listeners
from mailgate.model.notice import OutboxRow
from mailgate.model.ports import IntakeStore
from mailgate.outbound.render import render
from mailgate.outbound.templates import Templates
from mailgate.process import Bench
from mailgate.rules.load import load_policy
from mailgate.settings import Settings
from mailgate.store import Store
from mailgate.store.directory_files import parse_yaml
from mailgate.store.migrations import upgrade
from mailgate.tokens import verp
from mailgate.tokens.keys import Keys
from mailgate.wiring import open_checked_store, open_store
from mailgate.worker import Worker

ROOT = Path(__file__).parent.parent
KEYS = Keys((bytes(range(32)),))
START = datetime(2026, 11, 16, 10, 21, 5, tzinfo=UTC)
DESK = "pomoc@desk.example"
TOKENS = "tokens@desk.example"


def settings(folder: Path, database: str | None = None) -> Settings:
    """The settings of every test house; ports are chosen by the system."""
    return Settings.model_validate(
        {
            "base_url": "http://127.0.0.1:8025",
            "database": database or f"sqlite:///{folder / 'mailgate.db'}",
            "keys": folder / "keys",
            "rules": ROOT / "config" / "rules.yaml",
            "desks": {
                "support": {"addresses": [DESK], "tag": "Desk", "old_tags": ["Old"]},
                "tokens": {"addresses": [TOKENS], "tag": "DeskT", "purpose": "tokens"},
            },
            "intake": {"smtp": ["127.0.0.1:0"], "hostname": "gate.desk.example"},
            "authentication": {"authserv_ids": ["mx.desk.example"]},
            "outbound": {"hostname": "gate.desk.example", "bounces": "bounce@desk.example"},
        }
    )


@dataclass
class World:
    """One house. Time stands still until `clock` is moved."""

    settings: Settings
    store: Store
    clock: list[datetime] = field(default_factory=lambda: [START])
    port: int = 0

    def __post_init__(self) -> None:
        self.policy = load_policy(self.settings.rules, tuple(self.settings.desks))
        self.bench = Bench(self.settings, KEYS, self.policy, random)
        self.worker = Worker(
            "test/0", self.store.queue, self.store.lookup, lambda: self.bench, self.now
        )
        self.templates = Templates.load(None)

    def now(self) -> datetime:
        return self.clock[0]

    def later(self, **span: float) -> None:
        self.clock[0] += timedelta(**span)

    def directory(self, path: Path) -> None:
        entries = parse_yaml(path.read_text("utf-8"), str(path))
        self.store.directory.import_entries(entries, self.now())

    def send(self, content: bytes, sender: str, recipients: list[str] | None = None) -> str:
        """Hand one mail over by SMTP, as an MTA does; gives the queue id of the 250."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=10) as client:
            client.ehlo("mx.desk.example")
            client.mail(sender)
            for recipient in recipients or [DESK]:
                code, said = client.rcpt(recipient)
                assert code == 250, said
            code, said = client.data(content)
        assert code == 250, said
        found = re.search(rb"id=(\w+)", said)
        assert found, said
        return found[1].decode()

    def work(self) -> None:
        """Process everything that is due."""
        while self.worker.one():
            pass

    def outbox(self) -> list[OutboxRow]:
        return self.store.views.outbox(("waiting", "active", "sent", "failed", "bounced"), 10_000)

    def mail(self, row: OutboxRow) -> bytes:
        """The octets of a mail of ours, as the relay gets them."""
        return render(
            row.notice, settings=self.settings, keys=KEYS, templates=self.templates
        ).octets


@contextmanager
def running(world: World, store: IntakeStore | None = None) -> Iterator[World]:
    """Open the house's SMTP door on a port of loopback."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def call(coroutine: object) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, loop).result(timeout=30)  # type: ignore[arg-type]

    listeners = Listeners(
        settings=world.settings,
        store=store or world.store.intake,
        now=world.now,
        random=random,
        verify_bounce=lambda address: verp.read(KEYS, "bounce@desk.example", address),
        free_space=lambda: 1 << 40,
        on_admitted=lambda: None,
    )
    try:
        call(listeners.start())
        world.port = int(listeners.addresses[0].rpartition(":")[2])
        yield world
    finally:
        call(listeners.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def make_world(folder: Path, database: str | None = None) -> World:
    chosen = settings(folder, database)
    with closing(open_store(chosen)) as store:
        upgrade(store.database)
    return World(chosen, open_checked_store(chosen))
