"""Group commit: what goes together, what every outcome is answered with, and how it ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime

import pytest

from mailgate.intake.committer import BATCH_MESSAGES, Committer
from mailgate.model.envelope import STORAGE_FULL, TRY_AGAIN, Envelope
from mailgate.model.item import Admission, Admitted
from mailgate.model.ports import StorageError, StorageFull
from tests.intake.door import MemoryStore


class GatedStore(MemoryStore):
    """Each commit waits until the test opens the gate; says when one has begun."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Semaphore(0)
        self.gate = threading.Semaphore(0)

    def admit(self, batch: Sequence[Admission]) -> list[Admitted]:
        self.begun.release()
        assert self.gate.acquire(timeout=10)
        return super().admit(batch)


def admission(name: str, content: bytes = b"x") -> Admission:
    envelope = Envelope("a@b", ("help@desk.example",), datetime(2026, 1, 1, tzinfo=UTC))
    return Admission(name, name, "help", "email", envelope, content, name)


def run(
    story: Callable[[Committer], Coroutine[object, object, None]],
    store: MemoryStore,
    *,
    patience: float = 20.0,
    on_admitted: Callable[[], None] = lambda: None,
) -> None:
    async def main() -> None:
        committer = Committer(store, on_admitted, patience)
        committer.start()
        try:
            await story(committer)
        finally:
            await committer.close()

    asyncio.run(asyncio.wait_for(main(), 20))


async def begun(store: GatedStore) -> None:
    assert await asyncio.to_thread(store.begun.acquire, timeout=10)


def test_what_comes_during_a_commit_goes_into_the_next_one_together() -> None:
    store = GatedStore()
    wakes: list[None] = []

    async def story(committer: Committer) -> None:
        first = asyncio.create_task(committer.admit([admission("first")]))
        await begun(store)
        others = [asyncio.create_task(committer.admit([admission(f"{n}")])) for n in range(50)]
        await asyncio.sleep(0)
        store.gate.release(2)
        assert await first == [Admitted("first", duplicate=False)]
        assert [await o for o in others] == [[Admitted(f"{n}", False)] for n in range(50)]

    run(story, store, on_admitted=lambda: wakes.append(None))
    assert store.batches == [1, 50]
    assert len(wakes) == 2, "workers are woken once a commit"


@pytest.mark.parametrize(
    ("count", "size", "batches"),
    [
        (BATCH_MESSAGES + 1, 1, [1, BATCH_MESSAGES, 1]),
        (5, 15 << 20, [1, 2, 2, 1]),
        (2, 40 << 20, [1, 1, 1]),
    ],
)
def test_a_batch_is_bounded(count: int, size: int, batches: list[int]) -> None:
    store, content = GatedStore(), bytes(size)

    async def story(committer: Committer) -> None:
        first = asyncio.create_task(committer.admit([admission("first")]))
        await begun(store)
        rest = [
            asyncio.create_task(committer.admit([admission(f"{n}", content)])) for n in range(count)
        ]
        await asyncio.sleep(0)
        store.gate.release(10)
        await asyncio.gather(first, *rest)

    run(story, store)
    assert store.batches == batches


@pytest.mark.parametrize(
    ("error", "reply"),
    [
        (StorageFull("full"), STORAGE_FULL),
        (StorageError("down"), TRY_AGAIN),
        (RuntimeError("a bug"), TRY_AGAIN),
        (MemoryError(), TRY_AGAIN),
    ],
)
def test_a_failed_commit_is_a_temporary_refusal_and_the_next_one_works(
    error: Exception, reply: object
) -> None:
    store = MemoryStore()
    wakes: list[None] = []
    store.error = error

    async def story(committer: Committer) -> None:
        assert await committer.admit([admission("a"), admission("b")]) == reply
        store.error = None
        assert await committer.admit([admission("a")]) == [Admitted("a", False)]

    run(story, store, on_admitted=lambda: wakes.append(None))
    assert len(wakes) == 1


def test_a_store_that_forgets_an_answer_has_not_stored() -> None:
    class Forgetful(MemoryStore):
        def admit(self, batch: Sequence[Admission]) -> list[Admitted]:
            return super().admit(batch)[1:]

    async def story(committer: Committer) -> None:
        assert await committer.admit([admission("a")]) == TRY_AGAIN

    run(story, Forgetful())


def test_a_commit_that_takes_too_long_is_put_off_and_its_outcome_ignored() -> None:
    store = GatedStore()

    async def story(committer: Committer) -> None:
        stuck = asyncio.create_task(committer.admit([admission("stuck")]))
        await begun(store)
        behind = asyncio.create_task(committer.admit([admission("behind")]))
        assert await stuck == TRY_AGAIN
        assert await behind == TRY_AGAIN
        store.gate.release(2)
        assert await committer.admit([admission("after")]) == [Admitted("after", False)]

    run(story, store, patience=0.2)
    assert set(store.items) == {"stuck", "after"}, "who was put off meanwhile is not committed"


def test_a_caller_that_goes_away_does_not_undo_the_commit() -> None:
    store = GatedStore()

    async def story(committer: Committer) -> None:
        caller = asyncio.create_task(committer.admit([admission("a")]))
        await begun(store)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        store.gate.release()

    run(story, store)
    assert set(store.items) == {"a"}


def test_closing_commits_what_is_queued() -> None:
    store = GatedStore()
    outcomes: list[object] = []

    async def story(committer: Committer) -> None:
        committer.submit([admission("a")], outcomes.append)
        await begun(store)
        committer.submit([admission("b")], outcomes.append)
        store.gate.release(2)

    run(story, store)
    assert outcomes == [[Admitted("a", False)], [Admitted("b", False)]]


def test_closing_does_not_wait_for_a_disk_that_hangs() -> None:
    store = GatedStore()
    outcomes: list[object] = []

    async def story(committer: Committer) -> None:
        committer.submit([admission("a")], outcomes.append)
        await begun(store)

    try:
        run(story, store, patience=0.2)
        assert outcomes == [TRY_AGAIN]
    finally:
        store.gate.release()


def test_one_connections_trouble_is_not_that_of_its_neighbours() -> None:
    outcomes: list[object] = []

    def broken(_outcome: object) -> None:
        raise RuntimeError("gone")

    async def story(committer: Committer) -> None:
        committer.submit([admission("a")], broken)
        committer.submit([admission("b")], outcomes.append)
        await committer.admit([admission("c")])

    run(story, MemoryStore())
    assert outcomes == [[Admitted("b", False)]]
