"""Windows of the calendar: months end where the calendar says, in leap years too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.model.retention import Window, after_its_year

MOMENTS = st.datetimes(
    datetime(1996, 1, 1), datetime(2104, 12, 31), timezones=st.just(UTC)  # noqa: DTZ001 - hypothesis puts the zone there
)  # fmt: skip
MONTHS = st.integers(0, 120)
DAYS = st.integers(0, 800)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2027-11-30", 3, "2028-02-29"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2026-03-31", 3, "2026-06-30"),
        ("2026-12-15", 3, "2027-03-15"),
        ("2024-02-29", 72, "2030-02-28"),
        ("2024-02-29", 48, "2028-02-29"),
        ("2096-02-29", 48, "2100-02-28"),
        ("2026-10-25 01:30", 24, "2028-10-25 01:30"),
    ],
)
def test_a_window_ends_on_the_same_day_or_on_the_last_of_the_month(
    start: str, months: int, end: str
) -> None:
    """Regulation (EEC, Euratom) 1182/71, Art. 3(2)(c)."""
    assert Window(months=months).end(at(start)) == at(end)


def a_month_later(moment: datetime, months: int) -> datetime:
    """The same by another way: count days forward until the month is reached."""
    day = moment
    for _ in range(months):
        first = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        day = first
    last = (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return min(last, day.replace(day=1) + timedelta(days=moment.day - 1)) if months else moment


@given(MOMENTS, MONTHS, DAYS)
def test_two_ways_of_counting_agree(start: datetime, months: int, days: int) -> None:
    expected = a_month_later(start, months) + timedelta(days=days)
    assert Window(months, days).end(start) == expected


@given(MOMENTS, MONTHS, DAYS)
def test_no_window_is_shorter_than_its_shortest_and_none_much_longer(
    start: datetime, months: int, days: int
) -> None:
    """The database is asked for what is older than the shortest: nothing due may be left out."""
    window = Window(months, days)
    length = window.end(start) - start
    assert window.shortest <= length <= timedelta(days=31 * months + days)


@given(MOMENTS, MOMENTS, MONTHS, DAYS)
def test_what_ended_later_is_never_due_earlier(
    one: datetime, other: datetime, months: int, days: int
) -> None:
    window = Window(months, days)
    first, second = sorted((one, other))
    assert window.end(first) <= window.end(second)


@given(MOMENTS)
def test_a_year_is_over_with_its_last_day(moment: datetime) -> None:
    over = after_its_year(moment)
    assert (over - timedelta(microseconds=1)).year == moment.year
    assert over > moment
