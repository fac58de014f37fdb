"""Counts of days as geometry: where each bar of a chart stands. Pure; the template draws it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from mailgate.model.views import Count

WIDTH, HEIGHT = 720.0, 160.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One rectangle, and what it stands for."""

    name: str
    day: date
    messages: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Line:
    """One name with its bars and its sum."""

    name: str
    total: int
    bars: tuple[Bar, ...]


def days(until: date, count: int) -> list[date]:
    return [until - timedelta(days=count - 1 - i) for i in range(count)]


def stacked(
    counts: Iterable[Count], order: Sequence[str], shown: Sequence[date]
) -> tuple[list[Bar], int]:
    """Bars piled up a day, in this order from below; and how many the tallest day has."""
    by_day: dict[date, Counter[str]] = defaultdict(Counter)
    for count in counts:
        by_day[count.day][count.name] += count.messages
    tallest = max((sum(by_day[day].values()) for day in shown), default=0)
    step = WIDTH / max(1, len(shown))
    bars = []
    for place, day in enumerate(shown):
        floor = HEIGHT
        for name in order:
            messages = by_day[day][name]
            if not messages:
                continue
            height = round(HEIGHT * messages / tallest, 2)
            floor = round(floor - height, 2)
            x = round(place * step + step * 0.12, 2)
            bars.append(Bar(name, day, messages, x, floor, round(step * 0.76, 2), height))
    return bars, tallest


def sparklines(counts: Iterable[Count], shown: Sequence[date], height: float = 24) -> list[Line]:
    """A line of small bars for each name, those with most messages first; one scale for each."""
    by_name: dict[str, Counter[date]] = defaultdict(Counter)
    for count in counts:
        by_name[count.name][count.day] += count.messages
    lines = []
    for name, found in by_name.items():
        tallest = max(found.values())
        bars = tuple(
            Bar(
                name,
                day,
                found[day],
                place * 6.0,
                round(height - height * found[day] / tallest, 2),
                4.0,
                round(height * found[day] / tallest, 2),
            )
            for place, day in enumerate(shown)
            if found[day]
        )
        lines.append(Line(name, sum(found.values()), bars))
    return sorted(lines, key=lambda line: (-line.total, line.name))


def totals(counts: Iterable[Count]) -> Counter[str]:
    summed: Counter[str] = Counter()
    for count in counts:
        summed[count.name] += count.messages
    return summed
