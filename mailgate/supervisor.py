"""The supervisor of the worker processes: starts them, wakes them, kills the one that hangs."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from mailgate import logs
from mailgate.model.ports import StorageError
from mailgate.settings import Settings
from mailgate.worker import Heartbeat

#: How often the heartbeats are looked at, in seconds.
WATCH = 0.5
#: How often claims are looked at whose lease is over, in seconds.
SWEEP = 60.0
#: A worker that dies at once is started again only after this many seconds.
RESTART_PAUSE = 1.0
#: How long a worker may take to finish its item when the house stops, in seconds.
STOP_PATIENCE = 15.0


class Workers:
    """Keeps `settings.worker.processes` workers alive until it is stopped."""

    def __init__(
        self,
        config: Path,
        settings: Settings,
        release: Callable[[str], int],
        rules: Callable[[], str],
        on_decided: Callable[[], None],
        reclaim: Callable[[], int] = lambda: 0,
        command: Sequence[str] = (sys.executable, "-m", "mailgate.worker_process"),
    ) -> None:
        self._config = config
        self._settings = settings
        self._release = release
        self._rules = rules
        self._on_decided = on_decided
        self._reclaim = reclaim
        self._command = command
        self._stopping = False
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.log = logs.get("supervisor")

    def start(self) -> None:
        # Two digits each, so that no name is the beginning of another: claims go by prefix.
        names = [f"{self._settings.node}/{n:02}" for n in range(self._settings.worker.processes)]
        self._tasks = [asyncio.create_task(self._keep(name)) for name in names]
        self._sweeper = asyncio.create_task(self._sweep())

    def wake(self) -> None:
        """Say that there is work; cheap, and may be called from the loop for every message."""
        for process in self._running.values():
            if process.stdin and not process.stdin.transport.get_write_buffer_size():
                with contextlib.suppress(ConnectionError):  # it died; its keeper knows
                    process.stdin.write(b".")

    def reload(self) -> None:
        for process in self._running.values():
            with contextlib.suppress(ProcessLookupError):  # it died; its successor reads anew
                process.send_signal(signal.SIGHUP)

    async def stop(self) -> None:
        """Let every worker finish its item; kill what does not end in time."""
        self._stopping = True
        self._sweeper.cancel()
        for process in self._running.values():
            if process.stdin:
                process.stdin.close()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_PATIENCE)
        for process in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await asyncio.gather(*self._tasks)

    @property
    def alive(self) -> int:
        return len(self._running)

    async def _sweep(self) -> None:
        """Give back what workers of a machine that is gone had claimed: its lease is over."""
        while True:
            await asyncio.sleep(SWEEP)
            try:
                await asyncio.to_thread(self._reclaim)
            except StorageError as error:
                self.log.error("store-unavailable", error=str(error)[:200])

    async def _keep(self, name: str) -> None:
        while not self._stopping:
            try:
                # What a worker of this name had claimed when it died is free again.
                await asyncio.to_thread(self._release, name)
                with tempfile.TemporaryFile() as memory, tempfile.TemporaryFile() as rules:
                    rules.write(self._rules().encode())
                    rules.seek(0)
                    code = await self._run(name, memory, rules)
            except (StorageError, OSError) as error:
                self.log.error("worker-failed", worker=name, error=str(error)[:200])
                await asyncio.sleep(RESTART_PAUSE)
                continue
            if not self._stopping:
                self.log.error("worker-died", worker=name, status=code)
                await asyncio.sleep(RESTART_PAUSE)

    async def _run(self, name: str, memory: IO[bytes], rules: IO[bytes]) -> int:
        memory.truncate(Heartbeat.SIZE)
        process = await asyncio.create_subprocess_exec(
            *self._command,
            str(self._config), name, str(memory.fileno()), str(rules.fileno()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=[memory.fileno(), rules.fileno()],
        )  # fmt: skip
        self._running[name] = process
        self.log.info("worker-started", worker=name, pid=process.pid)
        heard = asyncio.create_task(self._listen(process))
        watched = asyncio.create_task(self._watch(name, process, Heartbeat(memory.fileno())))
        try:
            return await process.wait()
        finally:
            self._running.pop(name, None)
            watched.cancel()
            await asyncio.wait([heard, watched])

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None  # noqa: S101 - asked for as a pipe just above
        while await process.stdout.read(4096):
            self._on_decided()

    async def _watch(
        self, name: str, process: asyncio.subprocess.Process, heartbeat: Heartbeat
    ) -> None:
        """Kill a worker that is at one item for too long; the attempt is counted already."""
        while True:
            await asyncio.sleep(WATCH)
            since = heartbeat.busy_since()
            if since and time.monotonic() - since > self._settings.worker.item_seconds:
                self.log.error("worker-killed", worker=name, pid=process.pid)
                process.kill()
                return
