"""The one thread that commits: whatever waits goes into one transaction, and 250 follows it."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mailgate import logs
from mailgate.model.envelope import STORAGE_FULL, TRY_AGAIN, Reply
from mailgate.model.item import Admission, Admitted
from mailgate.model.ports import IntakeStore, StorageError, StorageFull

BATCH_MESSAGES = 1000
BATCH_OCTETS = 32 << 20
#: A commit that takes longer is answered with 451, long before an MTA gives up waiting for our
#: word (RFC 5321 §4.5.3.2.6).
PATIENCE = 20.0

Outcome = list[Admitted] | Reply
"""What became of the admissions, in their order; or the refusal, always temporary."""


@dataclass(slots=True, eq=False)
class _Job:
    admissions: Sequence[Admission]
    done: Callable[[Outcome], None]
    deadline: float
    settled: bool = False


class Committer:
    """Group commit without lingering: while one batch is being committed, the next one gathers.

    No connection can cancel a commit: it runs in its own thread, and `done` is called exactly once
    on the event loop, whether or not the client is still there. `close` waits for what is queued.
    """

    def __init__(
        self,
        store: IntakeStore,
        on_admitted: Callable[[], None],
        patience: float = PATIENCE,
    ) -> None:
        self._store = store
        self._on_admitted = on_admitted
        self._patience = patience
        self._log = logs.get("intake")
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._pending: deque[_Job] = deque()
        self._watch: asyncio.TimerHandle | None = None
        # A daemon: a commit that is stuck in the kernel must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)

    def start(self) -> None:
        """Begin to work for the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def submit(self, admissions: Sequence[Admission], done: Callable[[Outcome], None]) -> None:
        """Commit these together, then call `done` on the event loop."""
        job = _Job(admissions, done, self._loop.time() + self._patience)
        self._pending.append(job)
        if self._watch is None:
            self._watch = self._loop.call_at(job.deadline, self._lose_patience)
        self._jobs.put(job)

    async def admit(self, admissions: Sequence[Admission]) -> Outcome:
        """The same for every other door; cancelling the caller does not undo the commit."""
        answer: asyncio.Future[Outcome] = self._loop.create_future()

        def done(outcome: Outcome) -> None:
            if not answer.done():
                answer.set_result(outcome)

        self.submit(admissions, done)
        return await answer

    async def close(self) -> None:
        """Commit what is queued and end the thread; gives up on a commit that is stuck."""
        self._jobs.put(None)
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join, self._patience)
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        self._settle(tuple(self._pending), TRY_AGAIN)

    def _run(self) -> None:
        left_over: _Job | None = None
        while True:
            first = left_over or self._jobs.get()
            if first is None:
                return
            batch, left_over, last = self._gather(first)
            outcome = self._commit(batch)
            try:
                self._loop.call_soon_threadsafe(self._settle, batch, outcome)
            except RuntimeError:
                return  # the loop is closed: `close` lost patience and has answered for us
            if last:
                return

    def _gather(self, first: _Job) -> tuple[list[_Job], _Job | None, bool]:
        """What waits, up to a batch; the job that did not fit; whether the end was asked for."""
        batch = [first]
        messages, octets = len(first.admissions), _octets(first)
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return batch, None, False
            if job is None:
                return batch, None, True
            messages += len(job.admissions)
            octets += _octets(job)
            if messages > BATCH_MESSAGES or octets > BATCH_OCTETS:
                return batch, job, False
            batch.append(job)

    def _commit(self, batch: list[_Job]) -> Outcome:
        """Jobs that were answered meanwhile are left out: their clients come again."""
        batch[:] = [job for job in batch if not job.settled]
        admissions = [admission for job in batch for admission in job.admissions]
        if not admissions:
            return []
        try:
            admitted = self._store.admit(admissions)
            if len(admitted) != len(admissions):
                raise RuntimeError("the store did not answer for every admission")
        except StorageFull:
            self._log.error("admit-failed", messages=len(admissions), error="no storage left")
            return STORAGE_FULL
        except StorageError as error:
            self._log.error("admit-failed", messages=len(admissions), error=str(error))
            return TRY_AGAIN
        except Exception:  # noqa: BLE001 - whatever it is, the MTA keeps the mail and tries again
            self._log.exception("admit-failed", messages=len(admissions))
            return TRY_AGAIN
        return admitted

    def _settle(self, batch: Sequence[_Job], outcome: Outcome) -> None:
        at = 0
        for job in batch:
            count = len(job.admissions)
            if not job.settled:
                job.settled = True
                self._tell(job, outcome if isinstance(outcome, Reply) else outcome[at : at + count])
            at += count
        while self._pending and self._pending[0].settled:
            self._pending.popleft()
        if batch and not isinstance(outcome, Reply):
            self._on_admitted()

    def _tell(self, job: _Job, outcome: Outcome) -> None:
        try:
            job.done(outcome)
        except Exception:  # noqa: BLE001 - one connection's trouble is not that of its neighbours
            self._log.exception("session-failed")

    def _lose_patience(self) -> None:
        now = self._loop.time()
        overdue = [job for job in self._pending if job.deadline <= now]
        if overdue and not all(job.settled for job in overdue):
            self._log.error(
                "admit-failed", messages=len(overdue), error="the commit takes too long"
            )
        self._settle(overdue, TRY_AGAIN)
        self._watch = None
        if self._pending:
            self._watch = self._loop.call_at(self._pending[0].deadline, self._lose_patience)


def _octets(job: _Job) -> int:
    return sum(len(admission.content) for admission in job.admissions)
