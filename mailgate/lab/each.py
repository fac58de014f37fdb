"""One function over many stored messages: in order, on several cores, in constant memory."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_BATCH = 8
#: Batches handed to each process and not yet taken back; bounds the memory.
_AHEAD = 8


def each(
    function: Callable[[T], R],
    things: Iterable[T],
    jobs: int,
    initializer: Callable[..., None] | None = None,
    arguments: tuple[Any, ...] = (),
) -> Iterator[R]:
    """Results in the order of the things; `jobs` processes, 0 for one a core.

    With one job everything runs in this process. The function and the things must be picklable.
    """
    count = jobs or os.cpu_count() or 1
    if count == 1:
        if initializer:
            initializer(*arguments)
        yield from map(function, things)
        return
    waiting: deque[Future[list[R]]] = deque()
    rest = iter(things)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, context, initializer, arguments) as pool:
        while batch := list(islice(rest, _BATCH)):
            waiting.append(pool.submit(_all, function, batch))
            if len(waiting) >= _AHEAD * count:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _all(function: Callable[[T], R], batch: list[T]) -> list[R]:
    return [function(thing) for thing in batch]


def counted(results: Iterable[R]) -> Iterator[R]:
    """Count on standard error, where a person watches it and standard output goes elsewhere."""
    if not sys.stderr.isatty() or sys.stdout.isatty():
        yield from results
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(), TextColumn("{task.completed} messages"), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        for result in results:
            bar.advance(task)
            yield result
