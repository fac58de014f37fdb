"""What tests put into a store: admissions, outcomes, links, entries of the directory."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

from mailgate.model.decision import Condition, Decision, Tried, Verdict
from mailgate.model.directory import Account, AccountEntry, Contact, Role, Service
from mailgate.model.envelope import Envelope
from mailgate.model.facts import Facts
from mailgate.model.item import Admission, Item
from mailgate.model.message import Head, Mailbox, Message
from mailgate.model.notice import Notice
from mailgate.model.outcome import Case, Compose, Composed, Outcome
from mailgate.model.ticket import Link, Ticket
from mailgate.store import Store, open_store

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_numbers = count(1)


def make_store(where: Path | str, *, upgrade: bool = True, **options: Any) -> Store:
    """A store with today's schema, in a folder (SQLite) or at a URL. Its clock stands at NOW.

    Without `upgrade` the schema must be there already.
    """
    url = f"sqlite:///{where / 'mailgate.db'}" if isinstance(where, Path) else where
    store = open_store(url, **{"now": lambda: NOW, "busy_timeout": 5.0, **options})
    if upgrade:
        store.upgrade()
    return store


def admission(
    text: str = "Proszę o zmianę hasła.",
    *,
    sender: str = "anna@piekarnia.example",
    key: str | None = None,
    at: datetime = NOW,
    **changes: Any,
) -> Admission:
    """A mail to the desk; the same text is the same mail, unless a key says otherwise."""
    content = f"From: {sender}\r\nSubject: Proba\r\n\r\n{text}\r\n".encode()
    envelope = Envelope(sender, ("pomoc@desk.example",), at, "127.0.0.1", "mx.desk.example")
    values: dict[str, Any] = {
        "queue_id": f"Q{next(_numbers):017d}",
        "dedup_key": sha256((key or text).encode()).hexdigest(),
        "desk": "support",
        "channel": "email",
        "envelope": envelope,
        "content": content,
        "sha256": sha256(content).hexdigest(),
    }
    return Admission(**{**values, **changes})


def admitted(store: Store, text: str = "Proszę o zmianę hasła.", **changes: Any) -> str:
    """Admit one mail; gives its queue id."""
    return store.intake.admit([admission(text, **changes)])[0].queue_id


def claimed(store: Store, text: str = "Proszę o zmianę hasła.", **changes: Any) -> Item:
    """Admit one mail and claim it."""
    queue_id = admitted(store, text, **changes)
    return take(store, queue_id)


def take(store: Store, queue_id: str, now: datetime = NOW) -> Item:
    """Claim until it is this item; it must be due."""
    item = store.queue.claim("test/0", now)
    assert item is not None, "nothing is due"
    assert item.queue_id == queue_id
    return item


def head(**changes: Any) -> Head:
    values: dict[str, Any] = {
        "fields": (),
        "message_id": "one@piekarnia.example",
        "subject": "Zmiana hasła",
        "from_": (Mailbox("Anna", "anna@piekarnia.example"),),
        "sender": (),
        "reply_to": (),
        "to": (Mailbox("", "pomoc@desk.example"),),
        "cc": (),
        "author": "anna@piekarnia.example",
        "date": NOW,
        "in_reply_to": (),
        "references": (),
        "automatic": "no",
        "automatic_reason": None,
    }
    return Head(**{**values, **changes})


def outcome(
    item: Item,
    verdict: Verdict = "authorized",
    *,
    contact: Contact | None = None,
    ticket: Ticket | None = None,
    code: str = "absent",
    opens: bool = True,
    case: dict[str, Any] | None = None,
    **of_head: Any,
) -> Outcome:
    """What processing came to, with a rule of one condition."""
    account = contact.account_id if contact else None
    values: dict[str, Any] = {
        "contact": contact,
        "account_id": account,
        "service_id": None,
        "ticket": ticket,
        "language": "pl",
    }
    message = Message(
        head(**of_head), "Proszę.", "Proszę.", (), "no", None, None, (), "clean", 100, item.sha256
    )
    tried = Tried("some-rule", matched=True, conditions=(Condition("code is absent", code, True),))
    return Outcome(
        item=item,
        message=message,
        facts=Facts({"code": code, "channel": "email"}, sources={"code": "the subject"}),
        case=Case(**{**values, **(case or {})}),
        decision=Decision(
            verdict, "some-rule", ("some-reason",), (tried,), policy_sha256="ab" * 32
        ),
        opens_ticket=opens,
    )


def silent(_ticket: Ticket | None) -> Composed:
    """Compose nothing."""
    return Composed()


def decide(store: Store, item: Item, verdict: Verdict = "authorized", **how: Any) -> Ticket | None:
    """Apply an outcome that says nothing to anybody."""
    return store.queue.apply(outcome(item, verdict, **how), silent, NOW)


def notice(number: str, to: str = "anna@piekarnia.example", **changes: Any) -> Notice:
    values: dict[str, Any] = {
        "id": number,
        "template": "request-received",
        "language": "pl",
        "desk": "support",
        "to": to,
        "to_name": "Anna",
        "contact_id": 1,
        "queue_id": None,
        "ticket": None,
        "message_id": f"{number}@gate.example",
        "date": NOW,
        "values": {"subject": "Zmiana hasła"},
    }
    return Notice(**{**values, **changes})


def link(item: Item, name: str = "first", **changes: Any) -> Link:
    values: dict[str, Any] = {
        "token_sha256": sha256(name.encode()).hexdigest(),
        "nonce": f"nonce-{name}",
        "queue_id": item.queue_id,
        "content_sha256": item.sha256,
        "contact_id": 1,
        "address": "anna@piekarnia.example",
        "step": "click",
        "state": "open",
        "tries": 0,
        "created_at": NOW,
        "expires_at": NOW + DAY,
    }
    return Link(**{**values, **changes})


def with_link(asked: Link) -> Compose:
    """Compose the mail that carries this link."""

    def compose(ticket: Ticket | None) -> Composed:
        carrier = notice(
            f"n-{asked.nonce}",
            to=asked.address,
            template="authorization-link",
            contact_id=asked.contact_id,
            queue_id=asked.queue_id,
            ticket=ticket.number if ticket else None,
            link_nonce=asked.nonce,
            link_step=asked.step,
        )
        return Composed((carrier,), asked)

    return compose


def asked(store: Store, name: str = "first", **changes: Any) -> tuple[Item, str]:
    """A message that waits for its link; gives the item and the token's hash."""
    item = claimed(store, f"mail of {name}", **changes)
    made = link(item, name)
    store.queue.apply(outcome(item, "pending"), with_link(made), NOW)
    return item, made.token_sha256


def entry(
    account: str = "1001",
    contacts: Iterable[tuple[str, Role]] = (("anna@piekarnia.example", "main"),),
    services: Iterable[str] = (),
    shares: Iterable[tuple[str, str]] = (),
    company: str = "Piekarnia Anna Nowak",
) -> AccountEntry:
    """An account; shares are pairs of address and identifier."""
    people = [Contact(i, account, a, role) for i, (a, role) in enumerate(contacts, 1)]
    things = [Service(i, account, name) for i, name in enumerate(services, 1)]
    who = {c.address: c.id for c in people}
    what = {s.identifier: s.id for s in things}
    return AccountEntry(
        Account(account, company, "pl"),
        tuple(people),
        tuple(things),
        frozenset((who[a], what[s]) for a, s in shares),
    )
