"""How long something is kept: a stretch of the calendar, the moment it ends, and what is due."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal


@dataclass(frozen=True, slots=True)
class Window:
    """So many calendar months, and then so many days."""

    months: int = 0
    days: int = 0

    def end(self, start: datetime) -> datetime:
        """When a window that opened then has passed: the same day of a later month, or that
        month's last day where it has no such day (Regulation 1182/71, Art. 3(2)(c))."""
        count = start.year * 12 + start.month - 1 + self.months
        year, month = count // 12, count % 12 + 1
        day = min(start.day, monthrange(year, month)[1])
        return start.replace(year=year, month=month, day=day) + timedelta(days=self.days)

    @property
    def shortest(self) -> timedelta:
        """No window of this kind is shorter: what is younger need not be looked at."""
        return timedelta(days=self.months * 30 - (2 if self.months else 0) + self.days)

    def __str__(self) -> str:
        if self.days:
            return f"{self.days} d" if not self.months else f"{self.months} months {self.days} d"
        if self.months and self.months % 12 == 0:
            return f"{self.months // 12} years"
        return f"{self.months} months"


def after_its_year(moment: datetime) -> datetime:
    """When the year of a moment is over: a claim of two years or more ends with 31 December
    (Polish Civil Code, Art. 118)."""
    return datetime(moment.year + 1, 1, 1, tzinfo=moment.tzinfo)


@dataclass(frozen=True, slots=True)
class Due:
    """What of one table may go now: how much, when the oldest and the newest of it ended, and how
    much more is kept by a hold or a restriction."""

    table: str
    data: Literal["correspondence", "claims", "security"]
    count: int
    oldest: datetime | None
    newest: datetime | None
    kept: int
