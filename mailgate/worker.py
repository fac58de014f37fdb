"""The worker: claim, judge, settle; what goes wrong with an item stays with that item."""

from __future__ import annotations

import mmap
import struct
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from mailgate import logs
from mailgate.clock import Now
from mailgate.model.item import Item
from mailgate.model.ports import Lookup, StaleClaim, StorageError, WorkQueue
from mailgate.process import Bench, judge, settle

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
