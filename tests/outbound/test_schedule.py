"""When a mail is tried again, and when that ends."""

from __future__ import annotations

from datetime import timedelta

from mailgate.outbound.schedule import next_attempt
from tests.outbound.samples import NOW, settings

RETRIES = settings().outbound.retries


def test_each_failed_attempt_is_followed_by_the_next_wait_and_the_last_by_none() -> None:
    waits = []
    for attempt in range(1, len(RETRIES) + 1):
        at = next_attempt(RETRIES, attempt, NOW)
        assert at is not None
        waits.append(at - NOW)
    assert waits == RETRIES == sorted(RETRIES)
    assert waits[:4] == [timedelta(minutes=m) for m in (1, 5, 15, 60)]
    assert waits[-1] == timedelta(hours=24)
    assert next_attempt(RETRIES, len(RETRIES) + 1, NOW) is None


def test_without_a_schedule_the_first_failure_is_the_last() -> None:
    assert next_attempt([], 1, NOW) is None
