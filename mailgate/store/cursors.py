"""Where the next page of a list begins, as a word that goes into a link and comes back."""

from __future__ import annotations

from datetime import UTC, datetime

from mailgate.model.views import BadCursor
from mailgate.store.types import storable


def moment(at: datetime, number: int) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%S.%f}-{number}"


def read_moment(cursor: str) -> tuple[datetime, int]:
    """Raises `BadCursor`."""
    stamp, _, number = cursor.partition("-")
    try:
        at = datetime.strptime(stamp, "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)
    except ValueError:
        raise BadCursor(cursor) from None
    return at, read_number(number)


def read_number(cursor: str) -> int:
    """Raises `BadCursor`."""
    number = int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) < 20 else None
    if storable(number) is None:
        raise BadCursor(cursor)
    return int(cursor)


def read_id(cursor: str) -> str:
    """A queue id; raises `BadCursor`."""
    if not (cursor.isascii() and cursor.isalnum() and len(cursor) <= 32):
        raise BadCursor(cursor)
    return cursor
