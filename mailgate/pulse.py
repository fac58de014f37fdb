"""The pulse: looks every few seconds whether the house can take and keep mail, and remembers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta

from mailgate.clock import Now
from mailgate.model.ports import StorageError
from mailgate.settings import Settings
from mailgate.store import Store

#: How often it looks, in seconds.
ROUND = 2.0
#: A look that takes longer than this is a failed one (promise O4: it flips within 10 s).
PATIENCE = 5.0
#: How long a message may wait for its verdict, and a mail of ours for the relay.
OLDEST_MESSAGE = timedelta(minutes=5)
OLDEST_NOTICE = timedelta(minutes=15)


class Pulse:
    """Answers from memory, so that asking costs nothing even while the database hangs."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        now: Now,
        free_space: Callable[[], int],
        workers: Callable[[], int] | None,
    ) -> None:
        self._store = store
        self._now = now
        self._free_space = free_space
        self._needed = settings.intake.size * 3 // 2
        self._workers = workers
        self._processes = settings.worker.processes
        self._checks: dict[str, bool] = {"started": False}

    def ready(self) -> Mapping[str, bool]:
        """Every check by its name, as it was found at the last look."""
        return dict(self._checks)

    async def run(self) -> None:
        """Look until cancelled; a look that hangs goes on in its thread and counts as failed."""
        look: asyncio.Future[dict[str, bool]] | None = None
        while True:
            look = look or asyncio.ensure_future(asyncio.to_thread(self._look))
            done, _ = await asyncio.wait([look], timeout=PATIENCE)
            if done:
                checks, look = look.result(), None
            else:
                checks = {"database": False}
            if self._workers is not None:
                checks["workers"] = self._workers() == self._processes
            self._checks = checks
            await asyncio.sleep(ROUND)

    def _look(self) -> dict[str, bool]:
        try:
            checks = {"disk": self._free_space() >= self._needed}
            with self._store.database.writing():
                checks["database"] = True  # the lock of a writer can be had
            now = self._now()
            ages = self._store.views.waiting()
            due = [since for state, (_, since) in ages.items() if state != "hold"]
            checks["queue"] = all(now - since < OLDEST_MESSAGE for since in due)
            unsent = self._store.views.unsent().get("waiting")
            checks["outbox"] = unsent is None or now - unsent[1] < OLDEST_NOTICE
        except (StorageError, OSError):
            return {"database": False}
        return checks
