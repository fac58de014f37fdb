"""What was decided: the message row as it stands now, and one decision row for every judgement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from mailgate.model.addresses import address_key
from mailgate.model.decision import Decision, Tried, Verdict
from mailgate.model.message import Message
from mailgate.model.outcome import Outcome
from mailgate.model.ticket import Standing, TicketState
from mailgate.store import message_views, search
from mailgate.store.tables import decision, item, message, named, signature
from mailgate.store.tables import ticket as tickets
from mailgate.store.types import AnyRow, storable

#: Stand in the place of a rule's name where no rule decided.
BY_FAILURE, BY_OPERATOR = "mailgate", "operator"

_BEST_FIRST: tuple[Standing, ...] = ("authorized", "pending", "unauthorized")

# Every decision runs these; making a statement costs more than SQLite takes to execute it.
_LOCK_ITEM = select(item).where(item.c.queue_id == bindparam("queue_id")).with_for_update()
_EARLIER = select(message.c.ticket, message.c.verdict).where(
    message.c.queue_id == bindparam("queue_id")
)
_VERDICTS = select(message.c.verdict).where(message.c.ticket == bindparam("number")).distinct()
_LOCK_TICKET = (
    select(tickets.c.state).where(tickets.c.number == bindparam("number")).with_for_update()
)
_STANDS = (
    update(tickets)
    .where(tickets.c.number == bindparam("number_"))
    .values(standing=bindparam("standing"), updated_at=bindparam("updated_at"))
    .returning(*tickets.c)
)


def earlier(connection: Connection, queue_id: str) -> AnyRow | None:
    """The message row of an earlier decision: its ticket and verdict."""
    return connection.execute(_EARLIER, {"queue_id": queue_id}).first()


def write_outcome(
    connection: Connection, outcome: Outcome, ticket: int | None, now: datetime, *, again: bool
) -> None:
    """Write what the outcome says of its message; `again` where a message row is there already."""
    values = _message_values(outcome, ticket, now)
    queue_id = outcome.item.queue_id
    if again:
        connection.execute(update(message).where(message.c.queue_id == queue_id).values(values))
        for table in (named, signature):
            connection.execute(delete(table).where(table.c.queue_id == queue_id))
    else:
        connection.execute(insert(message), {"queue_id": queue_id, **values})
    head = outcome.message.head
    keys = {address_key(person.address) for person in (*head.to, *head.cc)}
    if keys:
        connection.execute(
            insert(named), [{"queue_id": queue_id, "address_key": key} for key in sorted(keys)]
        )
    if outcome.decision.verdict == "authorized" and outcome.case.signatures:
        rows = [{"queue_id": queue_id, "digest": digest} for digest in outcome.case.signatures]
        connection.execute(insert(signature), rows)
    _write_decision(connection, outcome, ticket, now)
    _index(connection, outcome, ticket)


def write_without_facts(
    connection: Connection,
    queued: AnyRow,
    verdict: Verdict,
    rule: str,
    reasons: Sequence[str],
    now: datetime,
) -> int | None:
    """Write a verdict that no rule gave, over whatever was decided before; gives the ticket.

    The earlier decision stays in the history, but an item in trouble is not authorized.
    """
    before = earlier(connection, queued.queue_id)
    values = {"verdict": verdict, "rule": rule, "reasons": list(reasons), "decided_at": now}
    if before is not None:
        connection.execute(
            update(message).where(message.c.queue_id == queued.queue_id).values(values)
        )
        search.set_verdict(connection, queued.queue_id, verdict)
    else:
        connection.execute(insert(message), {**_unread(queued), **values})
        texts = (queued.reverse_path, queued.queue_id)
        marks = (search.mark("desk", queued.desk), search.mark("verdict", verdict))
        search.write(connection, queued.queue_id, texts, marks, ())
    number = before.ticket if before else None
    connection.execute(
        insert(decision),
        {
            "queue_id": queued.queue_id,
            "ticket": number,
            "revision": queued.revision,
            "attempt": queued.attempts,
            "decided_at": now,
            "verdict": verdict,
            "rule": rule,
            "reasons": list(reasons),
            "facts": {},
            "sources": {},
            "trace": [],
            "policy_sha256": "",
        },
    )
    if number is not None:
        lock_ticket(connection, number)
        set_standing(connection, number, now)
    return number


def set_standing(connection: Connection, number: int, now: datetime) -> AnyRow:
    """A ticket stands as its best message does: authorized, then pending, then unauthorized.

    It follows from what its messages are now, not from the order of events, so that a message
    which loses its authorization takes it from the ticket too, unless another one has it. The
    caller has locked the ticket; gives its row.
    """
    verdicts = set(connection.execute(_VERDICTS, {"number": number}).scalars())
    standing = next((best for best in _BEST_FIRST if best in verdicts), "none")
    changed = {"number_": number, "standing": standing, "updated_at": now}
    return connection.execute(_STANDS, changed).one()


def lock_ticket(connection: Connection, number: int) -> TicketState:
    """Nobody else decides anything on this ticket until the end of the transaction."""
    state: TicketState = connection.execute(_LOCK_TICKET, {"number": number}).scalar_one()
    return state


def lock(connection: Connection, queue_id: str) -> AnyRow | None:
    """The item's row, ours until the end of the transaction."""
    return connection.execute(_LOCK_ITEM, {"queue_id": queue_id}).first()


def _message_values(outcome: Outcome, ticket: int | None, now: datetime) -> dict[str, Any]:
    case, judged, head = outcome.case, outcome.decision, outcome.message.head
    date = head.date
    author = head.author if outcome.item.channel == "email" else outcome.item.entered_by
    return {
        "ticket": ticket,
        "account_id": case.account_id,
        "contact_id": case.contact.id if case.contact else None,
        "author": author,
        "author_key": address_key(author) if author else None,
        "message_id": head.message_id,
        "subject": head.subject,
        # RFC 5322 §3.3: "-0000" says nothing about the zone; the time itself is in UTC.
        "date": date if date is None or date.tzinfo else date.replace(tzinfo=now.tzinfo),
        "received_at": outcome.item.envelope.received_at,
        "text": outcome.message.text,
        "reply_text": outcome.message.reply_text,
        "verdict": judged.verdict,
        "rule": judged.rule,
        "reasons": list(judged.reasons),
        "labels": list(judged.labels),
        "facts": dict(outcome.facts.values),
        "code": outcome.facts.values.get("code", "absent"),
        "claimed_ticket": storable(case.claimed_ticket),
        "decided_at": now,
        "author_name": _display_name(outcome),
        "automatic": outcome.facts.values.get("automatic", "no"),
        "attachments": message_views.attachments_row(outcome.message.attachments),
    }


def _display_name(outcome: Outcome) -> str:
    people = outcome.message.head.from_
    return people[0].name if people and outcome.item.channel == "email" else ""


def _index(connection: Connection, outcome: Outcome, ticket: int | None) -> None:
    """What finds the message: its words, and marks for what lists ask together with words."""
    case, judged = outcome.case, outcome.decision
    texts = found_by(outcome.message, outcome.item.entered_by, outcome.item.queue_id, ticket)
    marks = [search.mark("desk", outcome.item.desk), search.mark("verdict", judged.verdict)]
    if case.account_id is not None:
        marks.append(search.mark("account", case.account_id))
    if case.contact is not None and judged.verdict != "filed":
        marks.append(search.mark("people", "yes"))
    search.write(connection, outcome.item.queue_id, texts, marks, judged.labels)


def found_by(message_: Message, entered_by: str, queue_id: str, ticket: int | None) -> list[str]:
    """The texts whose words find a message."""
    head = message_.head
    people = (*head.from_, *head.to, *head.cc)
    return [
        head.subject,
        *(f"{person.name} {person.address}" for person in people),
        entered_by,
        queue_id,
        str(ticket or ""),
        *(attachment.filename for attachment in message_.attachments),
        message_.text,
    ]


def _unread(queued: AnyRow) -> dict[str, Any]:
    return {
        "queue_id": queued.queue_id,
        "account_id": queued.account_id,
        "received_at": queued.received_at,
        "subject": "",
        "text": "",
        "reply_text": "",
        "labels": [],
        "facts": {},
        "code": "absent",
    }


def _write_decision(
    connection: Connection, outcome: Outcome, ticket: int | None, now: datetime
) -> None:
    judged: Decision = outcome.decision
    connection.execute(
        insert(decision),
        {
            "queue_id": outcome.item.queue_id,
            "ticket": ticket,
            "revision": outcome.item.revision,
            "attempt": outcome.item.attempts,
            "decided_at": now,
            "verdict": judged.verdict,
            "rule": judged.rule,
            "reasons": list(judged.reasons),
            "facts": dict(outcome.facts.values),
            "sources": dict(outcome.facts.sources),
            "trace": [_tried_row(tried) for tried in judged.trace],
            "policy_sha256": judged.policy_sha256,
        },
    )


def _tried_row(tried: Tried) -> Mapping[str, Any]:
    conditions = [{"asked": c.asked, "found": c.found, "holds": c.holds} for c in tried.conditions]
    return {"rule": tried.rule, "matched": tried.matched, "conditions": conditions}
