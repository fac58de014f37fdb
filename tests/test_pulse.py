"""Readiness: it says within seconds that mail cannot be taken or kept, and never hangs itself."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mailgate import pulse
from mailgate.pulse import Pulse
from tests.world import World, make_world, running

MAIL = b"From: anna@piekarnia.example\r\nTo: pomoc@desk.example\r\nSubject: x\r\n\r\nText.\r\n"
PLENTY = 1 << 40


def look(world: World, free: int = PLENTY, workers: int = 1) -> dict[str, bool]:
    """What readiness says after the first look."""
    made = Pulse(world.settings, world.store, world.now, lambda: free, lambda: workers)
    return asyncio.run(_until(made, lambda checks: "started" not in checks))


async def _until(made: Pulse, enough: Callable[[dict[str, bool]], bool]) -> dict[str, bool]:
    task = asyncio.create_task(made.run())
    end = time.monotonic() + 20
    while not enough(dict(made.ready())) and time.monotonic() < end:  # noqa: ASYNC110 - it polls too
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])
    return dict(made.ready())


def test_a_house_in_order_is_ready(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    assert look(world) == {
        "disk": True, "database": True, "queue": True, "outbox": True, "workers": True,
    }  # fmt: skip
    world.store.close()


def test_it_is_not_ready_before_it_has_looked(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    made = Pulse(world.settings, world.store, world.now, lambda: PLENTY, None)
    assert not all(made.ready().values())
    world.store.close()


def test_a_full_disk_and_a_dead_worker_are_named(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    checks = look(world, free=1 << 20, workers=0)
    assert (checks["disk"], checks["workers"], checks["database"]) == (False, False, True)
    world.store.close()


def test_mail_that_waits_for_its_verdict_too_long_is_named(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    with running(world):
        world.send(MAIL, "anna@piekarnia.example")
    assert look(world)["queue"]
    world.later(minutes=6)
    assert not look(world)["queue"]
    world.work()
    assert look(world)["queue"]
    world.store.close()


def test_a_locked_database_is_told_within_ten_seconds_and_so_is_its_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "ROUND", 0.1)
    monkeypatch.setattr(pulse, "PATIENCE", 0.5)
    world = make_world(tmp_path)
    made = Pulse(world.settings, world.store, world.now, lambda: PLENTY, None)
    other = sqlite3.connect(tmp_path / "mailgate.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    started = time.monotonic()
    locked = asyncio.run(_until(made, lambda checks: checks.get("database") is False))
    assert locked == {"database": False}
    assert time.monotonic() - started < 11, "the look that hangs does not hold up the answer"
    other.execute("ROLLBACK")
    other.close()
    again = asyncio.run(_until(made, lambda checks: checks.get("database") is True))
    assert all(again.values())
    world.store.close()
