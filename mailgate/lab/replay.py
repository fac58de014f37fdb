"""Replay: many stored messages judged by one or two rule sets, on several cores."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mailgate import clock
from mailgate.lab.each import each
from mailgate.lab.sources import Source
from mailgate.lab.stored import Judged, judge_stored, verdict_json
from mailgate.process import Bench
from mailgate.rules.load import load_policy
from mailgate.settings import Settings
from mailgate.store import Store, open_store
from mailgate.store.directory_files import parse_csv, parse_yaml
from mailgate.store.migrations import require_current, upgrade
from mailgate.tokens.keys import Keys
from mailgate.verifier import verifier
from mailgate.yamlfile import read


@dataclass(frozen=True)
class Court:
    """Who judges, by which rules, over which directory; small enough to be sent to a process."""

    settings: Settings
    keys: Keys
    rules: tuple[Path, ...]
    now: datetime


class Judge:
    """A court in session: rules loaded, database open."""

    def __init__(self, court: Court) -> None:
        self._now = court.now
        self._store: Store = open_store(court.settings.database)
        require_current(self._store.database)
        desks = tuple(court.settings.desks)
        verify = verifier(court.settings)
        self._benches = [
            Bench(court.settings, court.keys, load_policy(rules, desks), clock.random, verify)
            for rules in court.rules
        ]

    def judge(self, source: Source) -> list[Judged]:
        """One outcome for each rule set; raises `UnreadableError`."""
        content = source.content
        lookup = self._store.lookup
        return [
            judge_stored(source.file, content, lookup, bench, self._now) for bench in self._benches
        ]

    def close(self) -> None:
        self._store.close()


def replay(court: Court, sources: Iterable[Source], jobs: int) -> Iterator[list[dict[str, Any]]]:
    """For each message its verdict objects, one for each rule set, in the order of the messages."""
    return each(_judge, sources, jobs, _sit, (court,))


@contextmanager
def paper_directory(settings: Settings, file: Path | None) -> Iterator[Settings]:
    """The same settings over a throw-away database with this directory, or an empty one.

    Raises `ConfigError` for a file that is not right.
    """
    with tempfile.TemporaryDirectory(prefix="mailgate-") as folder:
        paper = settings.model_copy(update={"database": f"sqlite:///{folder}/paper.db"})
        with closing(open_store(paper.database)) as store:
            upgrade(store.database)
            if file is not None:
                parse = parse_csv if file.suffix == ".csv" else parse_yaml
                store.directory.import_entries(parse(read(file), str(file)), clock.now())
        yield paper


# A process of a pool gets its judge once and then one message after the other; there is no other
# place to keep it between two calls.
_sitting: list[Judge] = []


def _sit(court: Court) -> None:
    _sitting[:] = [Judge(court)]


def _judge(source: Source) -> list[dict[str, Any]]:
    return [verdict_json(judged) for judged in _sitting[0].judge(source)]
