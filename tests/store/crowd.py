"""Tickets by the thousand, put into the tables as they are: what is kept too long or not enough."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Table, insert

from mailgate.model.addresses import address_key
from mailgate.store import Store
from mailgate.store.people_tables import search
from mailgate.store.tables import content, decision, event, item, message, named, outbox
from mailgate.store.tables import ticket as tickets


@dataclass(frozen=True)
class Past:
    """A ticket by its times: messages that came in, mails that went out, and its closing."""

    number: int
    received: Sequence[datetime]
    closed: datetime | None
    sent: Sequence[datetime] = ()
    author: str = "anna@piekarnia.example"
    cc: str = ""
    account: str | None = None
    unsettled: bool = False
    """Its last message waits to be decided."""
    words: str = "proba"


@dataclass
class Rows:
    by_table: dict[Table, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, table: Table, **values: Any) -> None:
        self.by_table.setdefault(table, []).append(values)


def enter(store: Store, pasts: Iterable[Past]) -> int:
    """Put them in; gives how many messages that are."""
    rows = Rows()
    for past in pasts:
        _ticket(rows, past)
        for nth, at in enumerate(past.received):
            last = past.unsettled and nth == len(past.received) - 1
            _message(rows, past, f"Q{past.number:09d}{nth:03d}", at, "hold" if last else "done")
        for nth, at in enumerate(past.sent):
            _mail(rows, past, f"N{past.number}.{nth}", at)
    order = (content, item, tickets, message, named, decision, search, outbox, event)
    with store.database.writing() as connection:
        for table in order:
            if table in rows.by_table:
                connection.execute(insert(table), rows.by_table[table])
    return len(rows.by_table.get(item, ()))


def _ticket(rows: Rows, past: Past) -> None:
    opened = min(past.received)
    rows.add(
        tickets,
        number=past.number,
        desk="support",
        subject=f"Temat {past.words}",
        state="open" if past.closed is None else "closed",
        standing="authorized",
        language="pl",
        account_id=past.account,
        created_at=opened,
        updated_at=opened,
        closed_at=past.closed,
    )
    _event(rows, opened, ticket=past.number)


def _message(rows: Rows, past: Past, queue_id: str, at: datetime, state: str) -> None:
    octets = f"From: {past.author}\r\n\r\n{past.words} {queue_id}\r\n".encode()
    digest = sha256(octets).hexdigest()
    rows.add(content, sha256=digest, size=len(octets), octets=octets)
    rows.add(
        item,
        queue_id=queue_id,
        dedup_key=digest,
        desk="support",
        channel="email",
        sha256=digest,
        reverse_path=past.author,
        recipients=("pomoc@desk.example",),
        received_at=at,
        client="127.0.0.1",
        helo="mx.desk.example",
        protocol="ESMTP",
        tls=False,
        entered_by="",
        state=state,
    )
    judged: dict[str, Any] = {
        "verdict": "held" if state == "hold" else "authorized",
        "rule": "some-rule",
        "reasons": ["some-reason"],
        "facts": {},
        "decided_at": at,
    }
    rows.add(
        message,
        queue_id=queue_id,
        ticket=past.number,
        account_id=past.account,
        author=past.author,
        author_key=address_key(past.author),
        subject=f"Temat {past.words}",
        received_at=at,
        text=past.words,
        reply_text=past.words,
        labels=[],
        code="valid",
        **judged,
    )
    if past.cc:
        rows.add(named, queue_id=queue_id, address_key=address_key(past.cc))
    rows.add(
        decision,
        queue_id=queue_id,
        ticket=past.number,
        revision=0,
        attempt=1,
        sources={},
        trace=[],
        policy_sha256="ab" * 32,
        **judged,
    )
    rows.add(search, queue_id=queue_id, words=past.words)
    _event(rows, at, queue_id=queue_id)


def _event(
    rows: Rows, at: datetime, *, queue_id: str | None = None, ticket: int | None = None
) -> None:
    what = {"who": "mailgate", "what": "noted", "why": {}}
    rows.add(event, at=at, queue_id=queue_id, ticket=ticket, **what)


def _mail(rows: Rows, past: Past, number: str, at: datetime) -> None:
    rows.add(
        outbox,
        id=number,
        template="request-received",
        language="pl",
        desk="support",
        to_address=past.author,
        to_key=address_key(past.author),
        to_name="",
        ticket=past.number,
        message_id=f"{number}@gate.example",
        date=at,
        details={"subject": past.words},
        state="sent",
        created_at=at,
        sent_at=at,
    )
