"""Worker and supervisor: a bad message harms no other, a bad database harms no message."""

from __future__ import annotations

import asyncio
import sys
import textwrap
from datetime import datetime
from pathlib import Path
from typing import Any

from mailgate.model.item import Item
from mailgate.model.ports import StaleClaim, StorageError
from mailgate.settings import Settings
from mailgate.supervisor import Workers
from mailgate.worker import Worker
from tests.world import World, make_world, running, settings

MAIL = b"From: anna@piekarnia.example\r\nTo: pomoc@desk.example\r\nSubject: x\r\n\r\nText.\r\n"


class Poisoned:
    """A table on which every message breaks something."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __call__(self) -> Any:
        return self

    @property
    def settings(self) -> Settings:
        return self.world.settings

    @property
    def policy(self) -> Any:
        raise RuntimeError("a bug")


def states(world: World) -> list[tuple[str, int]]:
    rows = world.store.views.queue(("incoming", "active", "deferred", "hold", "done"))
    return [(row.state, row.attempts) for row in rows]


def test_a_message_that_breaks_the_worker_three_times_is_parked_with_its_octets(
    tmp_path: Path,
) -> None:
    world = make_world(tmp_path)
    with running(world):
        queue_id = world.send(MAIL, "anna@piekarnia.example")
    worker = Worker("test/0", world.store.queue, world.store.lookup, Poisoned(world), world.now)
    for attempt in (1, 2):
        assert worker.one()
        assert states(world) == [("deferred", attempt)]
        assert not worker.one(), "a deferred item is not due at once"
        world.later(seconds=30)
    assert worker.one()
    assert states(world) == [("hold", 3)]
    view = world.store.views.message(queue_id)
    assert view is not None
    assert (view.verdict, view.reasons) == ("held", ("processing-failed",))
    assert world.store.views.octets(queue_id) == MAIL
    assert not world.outbox()
    world.store.close()


def test_what_is_queued_behind_a_bad_message_does_not_wait_for_it(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    with running(world):
        world.send(MAIL, "anna@piekarnia.example")
        world.later(seconds=1)
        good = world.send(MAIL.replace(b": x", b": y"), "anna@piekarnia.example")
    bad = Worker("test/0", world.store.queue, world.store.lookup, Poisoned(world), world.now)
    assert bad.one()
    assert world.worker.one()
    view = world.store.views.message(good)
    assert view is not None
    assert view.verdict == "unauthorized"
    world.store.close()


def test_a_database_that_is_away_counts_against_no_message(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    with running(world):
        world.send(MAIL, "anna@piekarnia.example")
    failures = [StorageError("locked")] * 5
    pauses: list[float] = []

    class Away:
        def __getattr__(self, name: str) -> Any:
            return getattr(world.store.queue, name)

        def apply(self, *arguments: Any) -> Any:
            if failures:
                raise failures.pop()
            return world.store.queue.apply(*arguments)

    worker = Worker(
        "test/0", Away(), world.store.lookup, lambda: world.bench, world.now, sleep=pauses.append
    )
    assert worker.one()
    assert states(world) == [("done", 1)]
    assert len(pauses) == 5
    world.store.close()


def test_an_item_that_was_given_away_meanwhile_is_left_alone(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    with running(world):
        world.send(MAIL, "anna@piekarnia.example")

    class Late:
        def __getattr__(self, name: str) -> Any:
            return getattr(world.store.queue, name)

        def apply(self, outcome: Any, *_: Any) -> Any:
            raise StaleClaim(outcome.item.queue_id)

        def hold(self, _item: Item, _error: str) -> None:
            raise AssertionError("not ours to hold")

        def defer(self, _item: Item, _error: str, _until: datetime) -> None:
            raise AssertionError("not ours to defer")

    worker = Worker("test/0", Late(), world.store.lookup, lambda: world.bench, world.now)
    assert worker.one()
    assert states(world) == [("active", 1)]
    world.store.close()


def test_a_worker_that_hangs_is_killed_and_another_takes_its_place(tmp_path: Path) -> None:
    """The script stands for a worker: it says that it is at an item, and never ends."""
    script = tmp_path / "hangs.py"
    script.write_text(
        textwrap.dedent(
            """
            import sys, time
            from mailgate.worker import Heartbeat
            Heartbeat(int(sys.argv[3])).busy()
            time.sleep(600)
            """
        )
    )
    made = settings(tmp_path)
    quick = made.model_copy(update={"worker": made.worker.model_copy(update={"item_seconds": 1})})
    released: list[str] = []

    async def watch() -> None:
        twice = asyncio.Event()

        def release(name: str) -> int:
            released.append(name)
            if len(released) == 2:
                loop.call_soon_threadsafe(twice.set)
            return 0

        loop = asyncio.get_running_loop()
        workers = Workers(
            tmp_path / "unused.yaml",
            quick,
            release,
            rules=str,
            on_decided=lambda: None,
            command=(sys.executable, str(script)),
        )
        workers.start()
        await asyncio.wait_for(twice.wait(), 20)
        await workers.stop()

    asyncio.run(watch())
    assert released == ["main/00", "main/00"], "what a dead worker had claimed is given back"


def test_workers_end_with_their_supervisor(tmp_path: Path) -> None:
    """The cord is standard input: when the supervisor is gone, it ends, and so does the worker."""
    script = tmp_path / "waits.py"
    script.write_text("import sys\nsys.stdin.buffer.read()\n")

    async def watch() -> None:
        workers = Workers(
            tmp_path / "unused.yaml",
            settings(tmp_path),
            lambda _name: 0,
            rules=str,
            on_decided=lambda: None,
            command=(sys.executable, str(script)),
        )
        workers.start()
        while not workers.alive:  # noqa: ASYNC110 - nothing of ours tells, and it is soon
            await asyncio.sleep(0.01)
        workers.wake()
        await asyncio.wait_for(workers.stop(), 10)
        assert workers.alive == 0

    asyncio.run(watch())
