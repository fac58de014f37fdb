"""The purge: what has been kept long enough goes, a little at a time, and stops where it had better
ask a person first (promises G1, G2 and G7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from mailgate.model.ports import StorageError
from mailgate.model.privacy import Removal, Upcoming
from mailgate.model.retention import Due
from mailgate.settings import Privacy
from mailgate.store import audit, events
from mailgate.store.duties import Duties, latest_seen
from mailgate.store.engine import Database
from mailgate.store.forget import clean
from mailgate.store.retention_due import (
    KINDS,
    Candidate,
    Data,
    Kind,
    Windows,
    audit_candidates,
    candidates,
)
from mailgate.store.retention_kept import hold_still
from mailgate.store.tables import ticket as tickets

#: Tickets, or other rows, that go in one transaction: the intake waits for no more than that.
_AT_ONCE = 100
#: A purge of so few tickets is never too large a share of them all.
FEW = 20
#: Clocks of several machines differ by a moment; more is a clock that was put back.
_SKEW = timedelta(minutes=1)
_AHEAD = timedelta(days=14)

Progress = Callable[[int, int], None]
"""Told after each step how many rows were looked at, and how many there are to look at."""


class _TakenBack(Exception):
    """Leaves the transaction of a dry run, so that it is rolled back."""


@dataclass(frozen=True)
class _Plan:
    """What is due: by kind, the oldest first; `entries` are those of the audit log."""

    kinds: Sequence[tuple[Kind, Sequence[Candidate]]]
    entries: Sequence[Candidate]

    def kept(self) -> Mapping[str, int]:
        """How much of it stays, by "hold" and "restricted"."""
        found = [each for _, due in self.parts() for each in due]
        return Counter(each.kept for each in found if each.kept)

    def parts(self) -> Sequence[tuple[tuple[str, Data], Sequence[Candidate]]]:
        """Every kind by its table and its class of data."""
        log: tuple[str, Data] = ("audit", "security")
        return [*(((kind.table, kind.data), due) for kind, due in self.kinds), (log, self.entries)]


class Retention:
    """What is due, what will be, and its removal."""

    def __init__(self, database: Database, privacy: Privacy) -> None:
        self._database = database
        self._windows = Windows(privacy)
        self._largest_share = privacy.largest_share

    def due(self, now: datetime) -> list[Due]:
        """What may go now, a line for each table of which anything may."""
        return [
            Due(
                table,
                data,
                count=len(goes),
                oldest=min((each.ended_at for each in goes), default=None),
                newest=max((each.ended_at for each in goes), default=None),
                kept=len(due) - len(goes),
            )
            for (table, data), due in self._plan(now).parts()
            if due
            for goes in [_going(due)]
        ]

    def upcoming(self, now: datetime) -> list[Upcoming]:
        """What falls due within two weeks: by day (UTC) and class, what is due already first."""
        lines: dict[tuple[str, Data], list[datetime]] = {}
        for (_, data), due in self._plan(now + _AHEAD).parts():
            for each in _going(due):
                day = each.due_at.date().isoformat() if each.due_at > now else ""
                lines.setdefault((day, data), []).append(each.due_at)
        return [
            Upcoming(data, min(lines[day, data]), len(lines[day, data]))
            for day, data in sorted(lines)
        ]

    def purge(
        self,
        now: datetime,
        *,
        force: bool = False,
        dry_run: bool = False,
        who: str = events.ITSELF,
        progress: Progress | None = None,
    ) -> Removal:
        """Remove what is due; gives the rows of each table that went, and how much was kept.

        Does nothing where too large a share of all tickets would go ("share"), or the clock is not
        to be believed ("clock"), unless a person forces it. A dry run does every step and takes it
        back. Safe to be killed at any moment: the next run goes on.
        """
        plan = self._plan(now)
        stopped = self._stop(plan, now)
        forced, stopped = (stopped, "") if force else ("", stopped)
        if stopped and not dry_run:
            return Removal(kept=plan.kept(), stopped=stopped)
        removed: Counter[str] = Counter()
        goes = [(kind, _going(due)) for kind, due in plan.kinds]
        done, all_ = 0, sum(len(due) for _, due in goes)
        for kind, due in goes:
            for some in _batched(due):
                removed.update(self._step(kind, some, now, dry_run=dry_run))
                done += len(some)
                if progress:
                    progress(done, all_)
        removed.update(self._shorten_audit(plan.entries, who, now, dry_run=dry_run))
        result = Removal({name: n for name, n in removed.items() if n}, plan.kept(), stopped)
        if not dry_run:
            self._finish(result, forced, who, now)
        return result

    def _plan(self, until: datetime) -> _Plan:
        with self._database.snapshot() as connection:
            return _Plan(
                [
                    (kind, sorted(candidates(connection, kind, self._windows, until), key=_oldest))
                    for kind in KINDS
                ],
                list(audit_candidates(connection, self._windows, until)),
            )

    def _stop(self, plan: _Plan, now: datetime) -> str:
        with self._database.reading() as connection:
            back = latest_seen(connection, now) - now
            count = connection.execute(select(func.count()).select_from(tickets)).scalar_one()
        if back > _SKEW or Duties(self._database).clock_jumped(now) is not None:
            return "clock"
        going = sum(len(_going(due)) for kind, due in plan.kinds if kind.table == tickets.name)
        return "share" if going > max(FEW, count * self._largest_share // 100) else ""

    def _step(
        self, kind: Kind, some: Sequence[Candidate], now: datetime, *, dry_run: bool
    ) -> Mapping[str, int]:
        """Remove some, once it is sure that nobody has added to them or keeps them since."""
        keys = [each.key for each in some]

        def remove(connection: Connection) -> Mapping[str, int]:
            hold_still(connection)
            kind.lock(connection, keys)
            still = _going(list(candidates(connection, kind, self._windows, now, among=keys)))
            return kind.remove(connection, still, now) if still else {}

        return self._do(remove, dry_run=dry_run)

    def _shorten_audit(
        self, entries: Sequence[Candidate], who: str, now: datetime, *, dry_run: bool
    ) -> Mapping[str, int]:
        if not _going(entries):
            return {}

        def shorten(connection: Connection) -> Mapping[str, int]:
            hold_still(connection)
            goes = _going(list(audit_candidates(connection, self._windows, now)))
            first = goes[-1].key + 1 if goes else 0
            return {"audit": audit.shorten(connection, first, who, now)}

        return self._do(shorten, dry_run=dry_run)

    def _do(
        self, what: Callable[[Connection], Mapping[str, int]], *, dry_run: bool
    ) -> Mapping[str, int]:
        gone: Mapping[str, int] = {}
        with suppress(_TakenBack), self._database.writing() as connection:
            gone = what(connection)
            if dry_run:
                raise _TakenBack
        return gone

    def _finish(self, result: Removal, forced: str, who: str, now: datetime) -> None:
        """Clean up even where nothing went: the run before may have been killed before it did."""
        cleaned = False
        with suppress(StorageError):  # what went is gone from the tables; the next run cleans up
            cleaned = clean(self._database)
        if forced == "clock":  # a person said that it is as late as that
            Duties(self._database).trust_clock(who, now)
        with self._database.writing() as connection:
            events.record(
                connection,
                now,
                "retention-purged",
                who=who,
                subject="retention",
                removed=dict(result.removed),
                kept=dict(result.kept),
                forced=forced,
                cleaned=cleaned,
            )


def _going(due: Sequence[Candidate]) -> list[Candidate]:
    return [each for each in due if not each.kept]


def _oldest(candidate: Candidate) -> Any:
    return candidate.due_at, candidate.key


def _batched(due: Sequence[Candidate]) -> list[Sequence[Candidate]]:
    return [due[at : at + _AT_ONCE] for at in range(0, len(due), _AT_ONCE)]
