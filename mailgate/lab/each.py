"""One function over many stored messages: in order, on several cores, in constant memory."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

#: Messages handed to each process and not yet taken back; bounds the memory.
_AHEAD = 64


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
    room = threading.BoundedSemaphore(_AHEAD * count)

    def bounded() -> Iterator[T]:
        for thing in things:
            room.acquire()
            yield thing

    context = multiprocessing.get_context("spawn")
    with context.Pool(count, initializer, arguments) as pool:
        for result in pool.imap(function, bounded(), chunksize=8):
            room.release()
            yield result


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
