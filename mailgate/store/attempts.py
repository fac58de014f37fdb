"""Attempts to sign in, counted before they are checked: many at once are no more guesses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select

from mailgate.model.people import Bound
from mailgate.store.engine import Database
from mailgate.store.people_tables import attempt

#: No bound looks further back; older rows are removed as new ones come.
_KEPT = timedelta(days=1)


class Attempts:
    """`AttemptStore` over a database. Keys are our own words, such as `staff:kasia`, `ip:192…`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, bounds: Sequence[Bound], now: datetime) -> bool:
        """Count one attempt for every key before it is checked; False where a bound is reached.

        An attempt beyond the bound is not counted: a stranger who goes on trying does not keep the
        right person out for longer than the time of the bound (promise W5).
        """
        with self._database.writing() as connection:
            for bound in bounds:
                query = select(func.count()).where(
                    attempt.c.key == bound.key, attempt.c.at > now - bound.within
                )
                if connection.execute(query).scalar_one() >= bound.failures:
                    return False
            rows = [{"key": bound.key, "at": now} for bound in bounds]
            if rows:
                connection.execute(insert(attempt), rows)
            connection.execute(delete(attempt).where(attempt.c.at < now - _KEPT))
        return True

    def succeeded(self, keys: Sequence[str]) -> None:
        """The attempt was right: its keys start from nothing again."""
        with self._database.writing() as connection:
            connection.execute(delete(attempt).where(attempt.c.key.in_(keys)))
