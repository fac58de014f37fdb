"""When a mail that could not be handed over is tried again, and when that is given up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta


def next_attempt(retries: Sequence[timedelta], attempts: int, now: datetime) -> datetime | None:
    """The moment of the next attempt after so many have failed; None: it has failed for good.

    The waits grow (RFC 5321 §4.5.4.1), and the last of them is the longest a link lives.
    """
    return now + retries[attempts - 1] if 0 < attempts <= len(retries) else None
