"""A worker process: one worker, its cord to the supervisor, and the signals it heeds."""

from __future__ import annotations

import os
import resource
import select
import signal
import sys
from pathlib import Path

from mailgate import logs
from mailgate.clock import now, random
from mailgate.process import Bench
from mailgate.settings import load
from mailgate.tokens.keys import Keys
from mailgate.verifier import verifier
from mailgate.wiring import Rules, open_store
from mailgate.worker import Heartbeat, Worker

#: How long an idle worker sleeps before it looks at the queue unasked, in seconds: deferred items
#: become due, and other machines admit mail without waking us.
IDLE = 0.5


def run(config: Path, name: str, heartbeat_fd: int, rules_fd: int) -> None:
    """The life of a worker process.

    It starts with the rules that are in force, which the supervisor hands over: those in the file
    may be other ones, or broken, by now.

    Standard input is the cord to the supervisor: an octet on it says that there is work, its end
    says that the supervisor is gone. An octet on standard output says that something was decided.
    """
    settings = load(config)
    logs.configure(settings.log.level, settings.log.format)
    resource.setrlimit(resource.RLIMIT_AS, (settings.worker.memory, settings.worker.memory))
    stop = _Flag(signal.SIGTERM)
    reload = _Flag(signal.SIGHUP)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the supervisor, which ends us
    with os.fdopen(rules_fd, encoding="utf-8") as file:
        rules = Rules(settings, file.read())
    keys = Keys.load(settings.keys)
    store = open_store(settings)
    verify = verifier(settings)
    worker = Worker(
        name,
        store.queue,
        store.lookup,
        lambda: Bench(settings, keys, rules.policy, random, verify),
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
    run(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
