"""The deciding transaction: ticket, message, decision, outbox and queue state, all or none.

Rows are locked in one order everywhere (item, ticket, link, outbox), so that no two transactions
wait for each other.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, update

from mailgate.model.item import Item
from mailgate.model.outcome import Outcome
from mailgate.model.ports import StaleClaim
from mailgate.model.ticket import Ticket
from mailgate.store import events, history, paused, rows
from mailgate.store.tables import item, outbox
from mailgate.store.tables import ticket as tickets
from mailgate.store.types import AnyRow


def claimed(connection: Connection, mine: Item) -> AnyRow:
    """The locked row of an item that is still this claim's, else `StaleClaim`."""
    row = history.lock(connection, mine.queue_id)
    if row is None or row.state != "active" or row.claim != mine.claim:
        raise StaleClaim(mine.queue_id)
    return row


def put_on_ticket(connection: Connection, outcome: Outcome, now: datetime) -> Ticket | None:
    """Write message and decision, on the ticket they belong to; gives the ticket as it is now.

    A message stays on the ticket it was put on first: deciding again moves nothing.
    """
    before = history.earlier(connection, outcome.item.queue_id)
    number = before.ticket if before else None
    if number is None and outcome.case.ticket is not None:
        number = outcome.case.ticket.number
    if number is not None:
        _lock_and_reopen(connection, number, outcome, now)
    elif outcome.opens_ticket:
        number = _open(connection, outcome, now)
    history.write_outcome(connection, outcome, number, now, again=before is not None)
    if number is None:
        return None
    return rows.ticket_of(history.set_standing(connection, number, now))


def note_bounce(connection: Connection, outcome: Outcome, now: datetime) -> str | None:
    """Mark our mail that this delivery report is about (promise A7); gives the address where the
    mail was the third in a row that came back from it.

    Only class 5, or a report without a status, means that it did not arrive (RFC 3463 §2): a
    delay (4) may still end well.
    """
    case = outcome.case
    if case.bounced_notice is None:
        return None
    said = f"delivery report {case.bounced_status}".rstrip()
    values: dict[str, Any] = {"last_reply": said}
    if case.bounced_status[:1] in {"", "5"}:
        values |= {"state": "bounced", "due_at": None}
    connection.execute(update(outbox).where(outbox.c.id == case.bounced_notice).values(values))
    if "state" not in values:
        return None
    return paused.came_back(connection, case.bounced_notice, outcome.item.queue_id, now)


def finish(connection: Connection, outcome: Outcome, now: datetime, *, outdated: bool) -> None:
    """Leave the queue; with facts recorded meanwhile, go back to be decided once more."""
    values: dict[str, Any] = {"claimed_by": None, "claimed_at": None, "last_error": ""}
    if outdated:
        values |= {"state": "incoming", "due_at": now, "attempts": 0}
    elif outcome.decision.verdict == "held":
        values |= {"state": "hold", "last_error": f"held by the rule {outcome.decision.rule}"}
    else:
        values |= {"state": "done"}
    connection.execute(update(item).where(item.c.queue_id == outcome.item.queue_id).values(values))


def _open(connection: Connection, outcome: Outcome, now: datetime) -> int:
    case = outcome.case
    made = connection.execute(
        insert(tickets),
        {
            "desk": outcome.item.desk,
            "subject": outcome.message.head.subject,
            "state": "open",
            "standing": "none",
            "language": case.language,
            "account_id": case.account_id,
            "service_id": case.service_id,
            "opener_id": case.contact.id if case.contact else None,
            "created_at": now,
            "updated_at": now,
        },
    )
    key = made.inserted_primary_key
    if key is None:  # pragma: no cover - both databases give it
        raise RuntimeError("the database gave no ticket number")
    number: int = key[0]
    return number


def _lock_and_reopen(connection: Connection, number: int, outcome: Outcome, now: datetime) -> None:
    state = history.lock_ticket(connection, number)
    if state == "closed" and outcome.decision.verdict != "filed":
        connection.execute(
            update(tickets).where(tickets.c.number == number).values(state="open", closed_at=None)
        )
        queue_id = outcome.item.queue_id
        events.record(connection, now, "ticket-reopened", queue_id=queue_id, ticket=number)
