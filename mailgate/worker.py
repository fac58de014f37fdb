"""The worker: claim, judge, settle; in a process of its own that may be killed at any moment."""

from __future__ import annotations

import mmap
import os
import resource
import select
import signal
import struct
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailgate import logs
from mailgate.clock import Now
from mailgate.model.item import Item
from mailgate.model.ports import Lookup, StaleClaim, StorageError, WorkQueue
from mailgate.process import Bench, judge, settle

if TYPE_CHECKING:
    from mailgate.store import Store

#: How long an idle worker sleeps before it looks at the queue unasked, in seconds: deferred items
#: become due, and other machines admit mail without waking us.
IDLE = 0.5
#: How long it waits for a database that does not answer, in seconds.
STORE_PAUSE = 1.0


class Heartbeat:
    """One number in memory shared with the supervisor: since when the worker is at an item.

    0 means that it is not at one. The clock is the machine's monotonic one, the same for both.
    """

    SIZE = 8

    def __init__(self, fd: int) -> None:
        self._memory = mmap.mmap(fd, self.SIZE)

    def busy(self) -> None:
        struct.pack_into("d", self._memory, 0, time.monotonic())

    def idle(self) -> None:
        struct.pack_into("d", self._memory, 0, 0.0)

    def busy_since(self) -> float:
        value: float = struct.unpack_from("d", self._memory, 0)[0]
        return value


class Worker:
    """Takes one item after the other. What goes wrong with an item stays with that item."""

    def __init__(
        self,
        name: str,
        queue: WorkQueue,
        lookup: Lookup,
        bench: Callable[[], Bench],
        now: Now,
        heartbeat: Heartbeat | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self.queue = queue
        self.lookup = lookup
        self.bench = bench
        self.now = now
        self.heartbeat = heartbeat
        self.sleep = sleep
        self.log = logs.get("worker")

    def one(self) -> bool:
        """Process the next due item; False where there is none."""
        item = self._patiently(lambda: self.queue.claim(self.name, self.now()))
        if item is None:
            return False
        self._beat(busy=True)
        try:
            self._patiently(lambda: self._process(item))
        except StaleClaim:
            self.log.warning("stale-claim", queue_id=item.queue_id)
        except Exception as error:  # noqa: BLE001 - a poisonous message must not stop the queue
            self._failed(item, error)
        finally:
            self._beat(busy=False)
        return True

    def _process(self, item: Item) -> None:
        bench = self.bench()
        outcome = judge(item, self.lookup, bench)
        # From here on only the database can take time, and that is not the message's fault.
        self._beat(busy=False)
        settle(outcome, self.queue, bench, self.now())
        decision = outcome.decision
        self.log.info(
            "decided",
            queue_id=item.queue_id,
            verdict=decision.verdict,
            rule=decision.rule,
            reasons=decision.reasons,
        )

    def _failed(self, item: Item, error: Exception) -> None:
        """Count a failure: try again soon, and after the last try park the item for a person."""
        said = f"{type(error).__name__}: {error}"[:500]
        self.log.error(
            "item-deferred", queue_id=item.queue_id, attempt=item.attempts, exc_info=error
        )
        if item.attempts >= self.bench().settings.worker.attempts:
            self._patiently(lambda: self.queue.hold(item, said))
            self.log.error("item-held", queue_id=item.queue_id)
            return
        until = self.now() + timedelta(seconds=2**item.attempts)
        self._patiently(lambda: self.queue.defer(item, said, until))

    def _patiently(self, action: Callable[[], Any]) -> Any:
        """Repeat until the database answers: its absence counts against no message."""
        while True:
            try:
                return action()
            except StorageError as error:
                self._beat(busy=False)
                self.log.error("store-unavailable", error=str(error)[:200])
                self.sleep(STORE_PAUSE)

    def _beat(self, *, busy: bool) -> None:
        if self.heartbeat is not None:
            self.heartbeat.busy() if busy else self.heartbeat.idle()


def run(config: Path, name: str, heartbeat_fd: int) -> None:
    """The life of a worker process.

    Standard input is the cord to the supervisor: an octet on it says that there is work, its end
    says that the supervisor is gone. An octet on standard output says that something was decided.
    """
    from mailgate.app import Rules, open_store
    from mailgate.clock import now, random
    from mailgate.settings import load
    from mailgate.tokens.keys import Keys

    settings = load(config)
    logs.configure(settings.log.level, settings.log.format)
    resource.setrlimit(resource.RLIMIT_AS, (settings.worker.memory, settings.worker.memory))
    stop = _Flag(signal.SIGTERM)
    reload = _Flag(signal.SIGHUP)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the supervisor, which ends us
    rules = Rules(settings)
    keys = Keys.load(settings.keys)
    store: Store = open_store(settings)
    worker = Worker(
        name,
        store.queue,
        store.lookup,
        lambda: Bench(settings, keys, rules.policy, random),
        now,
        Heartbeat(heartbeat_fd),
    )
    while not stop.raised:
        if reload.take():
            rules.reload()
        if worker.one():
            os.write(1, b".")
        elif not _wait_for_cord():
            return


class _Flag:
    """Remembers that a signal came, so that it is looked at between two items."""

    def __init__(self, number: signal.Signals) -> None:
        self.raised = False
        signal.signal(number, self._raise)

    def _raise(self, _number: int, _frame: object) -> None:
        self.raised = True

    def take(self) -> bool:
        raised, self.raised = self.raised, False
        return raised


def _wait_for_cord() -> bool:
    """Sleep until woken; False once the supervisor is gone."""
    ready, _, _ = select.select([0], [], [], IDLE)
    return not ready or bool(os.read(0, 65536))


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
