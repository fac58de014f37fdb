"""The only clock and the only source of chance; everything else gets them as arguments."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime

Now = Callable[[], datetime]
"""Gives the current time, aware, in UTC."""
Random = Callable[[int], bytes]
"""Gives that many unpredictable octets."""

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U


def now() -> datetime:
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds that never go backwards; for timeouts and leases inside one process."""
    return time.monotonic()


def random(count: int) -> bytes:
    return secrets.token_bytes(count)


def queue_id(at: datetime, chance: Random) -> str:
    """An id that sorts by time: 10 characters of milliseconds and 8 of chance (40 bits)."""
    number = (int(at.timestamp() * 1000) << 40) | int.from_bytes(chance(5), "big")
    digits = []
    for _ in range(18):
        number, digit = divmod(number, 32)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
