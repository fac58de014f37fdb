"""What the house does by the clock: on which machine, when again, and whether it is believed."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, Insert, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from mailgate.model.privacy import DutyState
from mailgate.store import events
from mailgate.store.engine import Database
from mailgate.store.people_tables import attempt, session, signin
from mailgate.store.privacy_tables import duty
from mailgate.store.types import AnyRow

#: A machine that takes a duty has it for so long; then it is taken to be dead.
LEASE = timedelta(hours=1)
#: A clock that is further than this from what was seen last is not believed (promise R14).
BELIEVED = timedelta(hours=24)
_CLOCK = "clock"
#: No bound on attempts looks further back.
_ATTEMPTS = timedelta(days=1)


class Duties:
    """`DutyStore` over a database: a row a duty, and one for the clock."""

    def __init__(self, database: Database) -> None:
        self._database = database
        insert = sqlite.insert if database.sqlite else postgresql.insert
        self._new: Insert = insert(duty).on_conflict_do_nothing()

    def take(self, name: str, every: timedelta, now: datetime) -> bool:
        """Whether the duty is due and ours for a while: of several machines one gets it.

        A next time that is too far off was written by a clock that ran ahead.
        """
        with self._database.writing() as connection:
            row = self._row(connection, name)
            if row.next_at is not None and now < row.next_at <= now + max(every, LEASE):
                return False
            _set(connection, name, next_at=now + LEASE)
        return True

    def done(self, name: str, note: str, now: datetime, again: datetime) -> None:
        with self._database.writing() as connection:
            _set(connection, name, last_at=now, next_at=again, note=note)

    def failed(self, name: str, note: str, again: datetime) -> None:
        with self._database.writing() as connection:
            _set(connection, name, next_at=again, note=note)

    def all(self) -> list[DutyState]:
        """Each duty that was ever taken, by name."""
        query = select(duty).where(duty.c.name != _CLOCK).order_by(duty.c.name)
        with self._database.reading() as connection:
            return [
                DutyState(row.name, row.last_at, row.next_at, row.note)
                for row in connection.execute(query)
            ]

    def see(self, now: datetime) -> timedelta | None:
        """Note the time. Where the clock jumped, by how much: the mark then stays as it is."""
        with self._database.writing() as connection:
            seen = self._row(connection, _CLOCK).seen_at
            jump = _jump(seen, now)
            if jump is None and (seen is None or now > seen):
                _set(connection, _CLOCK, seen_at=now)
        return jump

    def clock_jumped(self, now: datetime) -> timedelta | None:
        """How far the clock is from the latest time seen, where that is more than a day.

        Either it is wrong, or the house stood still: what is removed by age waits for a person.
        """
        query = select(duty.c.seen_at).where(duty.c.name == _CLOCK)
        with self._database.reading() as connection:
            return _jump(connection.execute(query).scalar(), now)

    def trust_clock(self, who: str, now: datetime) -> None:
        """A person says that it is as late as the clock has it."""
        with self._database.writing() as connection:
            seen = self._row(connection, _CLOCK).seen_at
            _set(connection, _CLOCK, seen_at=now)
            was = seen.isoformat() if seen else ""
            events.record(connection, now, "clock-trusted", who=who, subject="clock", before=was)

    def tidy(self, now: datetime) -> int:
        """Remove sessions that ended, links to sign in that are used or over, old attempts."""
        over = (
            delete(session).where(session.c.ends_at <= now),
            delete(signin).where(or_(signin.c.expires_at <= now, signin.c.used_at.is_not(None))),
            delete(attempt).where(attempt.c.at < now - _ATTEMPTS),
        )
        with self._database.writing() as connection:
            return sum(connection.execute(statement).rowcount for statement in over)

    def _row(self, connection: Connection, name: str) -> AnyRow:
        """The locked row of this name, made where it is not there yet."""
        connection.execute(self._new, {"name": name})
        return connection.execute(select(duty).where(duty.c.name == name).with_for_update()).one()


def latest_seen(connection: Connection, now: datetime) -> datetime:
    """Now, or the latest time any machine has seen: where the clock was put back, what had ended
    stays ended (promise R14)."""
    seen: datetime | None = connection.execute(
        select(duty.c.seen_at).where(duty.c.name == _CLOCK)
    ).scalar()
    return now if seen is None else max(now, seen)


def _jump(seen: datetime | None, now: datetime) -> timedelta | None:
    step = now - seen if seen is not None else timedelta()
    return step if abs(step) > BELIEVED else None


def _set(connection: Connection, name: str, **values: object) -> None:
    connection.execute(update(duty).where(duty.c.name == name).values(**values))
