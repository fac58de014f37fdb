"""The queue of work: claim, apply, defer, hold, and what an operator may do with a held item."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, exists, select, update

from mailgate import logs
from mailgate.clock import Now
from mailgate.model.item import Item
from mailgate.model.outcome import Compose, Outcome
from mailgate.model.ticket import Ticket
from mailgate.store import apply, events, history, rows, saying
from mailgate.store.engine import Database
from mailgate.store.limits import Budget
from mailgate.store.tables import content, item
from mailgate.store.types import AnyRow

#: So many worn-out items are put aside in one transaction before somebody else gets the lock.
_HELD_AT_ONCE = 20
_ERROR_LENGTH = 500


class Queue:
    """`WorkQueue` over a database. `attempts` is how often an item may be claimed in vain."""

    def __init__(self, database: Database, now: Now, budget: Budget, attempts: int) -> None:
        self._database = database
        self.now = now
        self._budget = budget
        self._attempts = attempts
        self._due = (
            select(item)
            .where(item.c.due_at <= bindparam("now"))
            .order_by(item.c.due_at, item.c.queue_id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        self._is_due = select(exists().where(item.c.due_at <= bindparam("now")))
        self._claiming = (
            update(item)
            .where(item.c.queue_id == bindparam("claimed"))
            .values(
                state="active",
                due_at=None,
                attempts=item.c.attempts + 1,
                claim=item.c.claim + 1,
                claimed_by=bindparam("worker"),
                claimed_at=bindparam("now"),
            )
            .returning(*item.c)
        )
        self._octets = select(content.c.octets).where(content.c.sha256 == bindparam("sha"))

    def claim(self, worker: str, now: datetime) -> Item | None:
        """Take the oldest item that is due; the attempt is committed before this returns.

        The content is read after the commit: should reading it kill the process, it counts.
        """
        if self._database.sqlite:  # an idle worker does not take the write lock from the intake
            with self._database.reading() as connection:
                if not connection.execute(self._is_due, {"now": now}).scalar():
                    return None
        with self._database.writing() as connection:
            row = self._take(connection, worker, now)
        if row is None:
            return None
        with self._database.reading() as connection:
            octets = connection.execute(self._octets, {"sha": row.sha256}).scalar_one()
        return rows.item_of(row, octets)

    def apply(self, outcome: Outcome, compose: Compose, now: datetime) -> Ticket | None:
        """Write the outcome in one transaction; gives the ticket the message is on now.

        Where a fact was recorded since the claim (`revision` moved on, or the contact got a token),
        the decision is history already: it is written down, nothing is sent for it, and the item is
        decided once more.
        """
        with self._database.writing() as connection:
            overtaken = saying.overtaken(connection, outcome)
            row = apply.claimed(connection, outcome.item)
            outdated = overtaken or row.revision != outcome.item.revision
            ticket = apply.put_on_ticket(connection, outcome, now)
            if not outdated:
                saying.say(connection, outcome, compose(ticket), self._budget, now)
            unreached = apply.note_bounce(connection, outcome, now)
            apply.finish(connection, outcome, now, outdated=outdated)
        if unreached:
            logs.get("store").warning("address-paused", to=unreached)
        return ticket

    def items(self, queue_ids: Sequence[str]) -> list[Item]:
        """These messages with their content, to be judged without a claim; in no order."""
        query = select(item, content.c.octets).join(content, content.c.sha256 == item.c.sha256)
        with self._database.reading() as connection:
            found = connection.execute(query.where(item.c.queue_id.in_(queue_ids)))
            return [rows.item_of(row, row.octets) for row in found]

    def defer(self, item_: Item, error: str, until: datetime) -> None:
        """Try again later. Raises `StaleClaim` where the item is no longer this worker's."""
        with self._database.writing() as connection:
            apply.claimed(connection, item_)
            _set(connection, item_.queue_id, state="deferred", due_at=until, error=error)

    def hold(self, item_: Item, error: str) -> None:
        """Park the item with its octets and the verdict `held`: a person must look."""
        with self._database.writing() as connection:
            _hold(connection, apply.claimed(connection, item_), error, self.now())

    def release(self, worker_prefix: str) -> int:
        """Give back what workers of this prefix, known to be dead, had claimed."""
        return self._give_back(item.c.claimed_by.startswith(worker_prefix, autoescape=True))

    def reclaim(self, lease: timedelta, now: datetime) -> int:
        """Give back what any worker, on any node, claimed longer ago than the lease."""
        return self._give_back(item.c.claimed_at < now - lease)

    def release_held(self, queue_id: str, who: str, why: str, now: datetime) -> bool:
        """Let an operator send a held or deferred item through the rules again."""
        with self._database.writing() as connection:
            row = history.lock(connection, queue_id)
            if row is None or row.state not in {"hold", "deferred"}:
                return False
            again(connection, row, now)
            events.record(connection, now, "item-released", who=who, queue_id=queue_id, reason=why)
        return True

    def drop(self, queue_id: str, who: str, why: str, now: datetime) -> bool:
        """Let an operator close a held item without judging it; octets and history stay."""
        with self._database.writing() as connection:
            row = history.lock(connection, queue_id)
            if row is None or row.state != "hold":
                return False
            reasons = ("dropped-by-operator",)
            number = history.write_without_facts(
                connection, row, "filed", history.BY_OPERATOR, reasons, now
            )
            saying.supersede(connection, queue_id)
            _set(connection, queue_id, state="done", error=row.last_error)
            events.record(
                connection,
                now,
                "item-dropped",
                who=who,
                queue_id=queue_id,
                ticket=number,
                reason=why,
            )
        return True

    def _take(self, connection: Connection, worker: str, now: datetime) -> AnyRow | None:
        for _ in range(_HELD_AT_ONCE):
            row = connection.execute(self._due, {"now": now}).first()
            if row is None:
                return None
            if row.attempts < self._attempts:
                claim = {"claimed": row.queue_id, "worker": worker, "now": now}
                return connection.execute(self._claiming, claim).one()
            error = f"given up after {row.attempts} attempts: {row.last_error or 'worker died'}"
            _hold(connection, row, error, now)
        return None

    def _give_back(self, whose: Any) -> int:
        with self._database.writing() as connection:
            return connection.execute(
                update(item)
                .where(item.c.state == "active", whose)
                .values(
                    state="incoming", due_at=item.c.claimed_at, claimed_by=None, claimed_at=None
                )
            ).rowcount


def again(connection: Connection, row: AnyRow, now: datetime) -> None:
    """Record that an item has new facts, and queue it; one that is being decided comes back."""
    values: dict[str, Any] = {"revision": item.c.revision + 1}
    if row.state != "active":
        values |= {"state": "incoming", "due_at": now, "attempts": 0}
    connection.execute(update(item).where(item.c.queue_id == row.queue_id).values(values))


def _hold(connection: Connection, row: AnyRow, error: str, now: datetime) -> None:
    number = history.write_without_facts(
        connection, row, "held", history.BY_FAILURE, ("processing-failed",), now
    )
    _set(connection, row.queue_id, state="hold", due_at=None, error=error)
    events.record(connection, now, "item-held", queue_id=row.queue_id, ticket=number)


def _set(connection: Connection, queue_id: str, *, error: str, **values: Any) -> None:
    connection.execute(
        update(item)
        .where(item.c.queue_id == queue_id)
        .values(last_error=error[:_ERROR_LENGTH], claimed_by=None, claimed_at=None, **values)
    )
