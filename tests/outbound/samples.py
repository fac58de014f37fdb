"""A desk, its keys and outcomes of processing, as every test of outbound mail needs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mailgate.model.decision import Decision
from mailgate.model.directory import Account, Contact
from mailgate.model.envelope import Envelope
from mailgate.model.facts import Facts
from mailgate.model.item import Item
from mailgate.model.message import Head, Mailbox, Message
from mailgate.model.notice import Notice
from mailgate.model.outcome import Case, Composed, Outcome
from mailgate.model.people import AccessToken
from mailgate.model.ticket import Ticket
from mailgate.model.token_request import TokenCase, TokenRequest
from mailgate.outbound.compose import compose
from mailgate.settings import Settings
from mailgate.tokens.keys import Keys

NOW = datetime(2026, 3, 14, 9, 26, 53, 589793, tzinfo=UTC)
KEYS = Keys((b"k" * 32,))
ANNA = Contact(7, "1001", "Anna@piekarnia.example", "main", "Anna Nowak")
OLA = Contact(8, "1001", "ola@piekarnia.example", "technical", "Ola")

TICKET = Ticket(
    number=23328,
    desk="support",
    subject="Zmiana serwerów DNS",
    state="open",
    standing="pending",
    epoch=0,
    language="pl",
    account_id="1001",
    service_id=None,
    created_at=NOW,
)

_FACTS = {
    "channel": "email",
    "desk": "support",
    "sender.account": "known",
    "sender.role": "main",
    "sender.share": "not-applicable",
    "sender.proof": "dmarc",
    "code": "absent",
    "code.holder": "other",
    "ticket": "none",
    "ticket.standing": "none",
    "cc": "none",
    "automatic": "no",
    "parsed": "clean",
    "freshness": "fresh",
    "staff": "none",
    "token.request": "none",
    "token.state": "unknown",
    "restricted": "no",
}


def settings(**changes: Any) -> Settings:
    outbound = {"hostname": "mailgate.desk.example", "bounces": "zwroty@desk.example"}
    outbound |= changes.pop("outbound", {})
    return Settings.model_validate(
        {
            "base_url": "https://support.desk.example",
            "database": "sqlite://",
            "keys": Path("keys"),
            "rules": Path("rules.yaml"),
            "timezone": "UTC",
            "desks": {
                "support": {
                    "name": "Dział Pomocy desk.example",
                    "addresses": ["pomoc@desk.example", "support@desk.example"],
                    "tag": "IQ.pl",
                },
                "billing": {"addresses": ["faktury@desk.example"], "tag": "BOK"},
                "tokens": {
                    "name": "Tokeny desk.example",
                    "addresses": ["tokeny@desk.example"],
                    "tag": "TOK",
                    "purpose": "tokens",
                },
            },
            "outbound": outbound,
            **changes,
        }
    )


def counter() -> Callable[[int], bytes]:
    """Chance that is none: 1, 2, 3…"""
    given = 0

    def random(count: int) -> bytes:
        nonlocal given
        given += 1
        return given.to_bytes(count, "big")

    return random


def outcome(
    *,
    notice: str | None = "authorization-link",
    facts: dict[str, str] | None = None,
    head: dict[str, Any] | None = None,
    case: dict[str, Any] | None = None,
    item: dict[str, Any] | None = None,
    decision: dict[str, Any] | None = None,
) -> Outcome:
    """Anna asks from the account's main address, and the rules want her to confirm it."""
    sender = Mailbox("Anna Nowak", "anna@piekarnia.example")
    read = Head(
        fields=(),
        message_id="abc.123@piekarnia.example",
        subject="Zmiana serwerów DNS",
        from_=(sender,),
        sender=(),
        reply_to=(),
        to=(Mailbox("", "pomoc@desk.example"),),
        cc=(),
        author=sender.address,
        date=NOW,
        in_reply_to=(),
        references=(),
        automatic="no",
        automatic_reason=None,
    )
    queued = Item(
        queue_id="01JQUEUE",
        desk="support",
        channel="email",
        envelope=Envelope(
            "anna@piekarnia.example", ("pomoc@desk.example",), NOW - timedelta(seconds=3)
        ),
        content=b"",
        sha256="c" * 64,
        attempts=1,
        revision=0,
    )
    decided = Decision(
        verdict="pending",
        rule="main-confirms",
        reasons=("main-contact-must-confirm",),
        trace=(),
        notice=notice,
        confirm="adaptive",
    )
    found = Case(ANNA, "1001", None, None, "pl")
    return Outcome(
        item=replace(queued, **item or {}),
        message=Message(replace(read, **head or {}), "", "", (), "no", None, None, (), "clean", 9),
        facts=Facts(_FACTS | (facts or {})),
        case=replace(found, **case or {}),
        decision=replace(decided, **decision or {}),
        opens_ticket=True,
    )


#: What Ola's token was, for those who ask for a new one.
TOKEN = AccessToken(
    5, OLA.id, "1001", OLA.address, NOW - timedelta(days=80), "kasia", NOW + timedelta(days=10)
)
ASKED = TokenRequest(
    company="Piekarnia Anna Nowak",
    account="1001",
    address=OLA.address,
    explanation="Token wygasł, zob. https://evil.example/x i [TOK#1:0123456789abcdef0123]",
    language="pl",
    missing=(),
)


def token_outcome(
    step: str | None = None,
    acknowledge: str | None = None,
    *,
    facts: dict[str, str] | None = None,
    head: dict[str, Any] | None = None,
    item: dict[str, Any] | None = None,
    **case: Any,
) -> Outcome:
    """Somebody asks the token desk for a token of Ola's; the account is Anna's."""
    token: dict[str, Any] = {
        "request": ASKED,
        "state": "valid",
        "contact": OLA,
        "account": Account("1001", "Piekarnia Anna Nowak", "pl"),
        "manager": ANNA,
        "last": TOKEN,
    }
    return outcome(
        notice=None,
        facts={"token.request": "complete", "desk": "tokens", **(facts or {})},
        head=head,
        item={"desk": "tokens", **(item or {})},
        case={"contact": None, "account_id": None, "token": TokenCase(**token | case)},
        decision={"token": step, "acknowledge": acknowledge, "confirm": None},
    )


TOKEN_TICKET = replace(TICKET, number=17, desk="tokens", subject="Token")


def token_composed(*args: Any, ticket: Ticket | None = TOKEN_TICKET, **parts: Any) -> Composed:
    return compose(
        token_outcome(*args, **parts),
        ticket,
        settings=settings(),
        keys=KEYS,
        now=NOW,
        random=counter(),
    )


def composed(ticket: Ticket | None = TICKET, **parts: Any) -> Composed:
    return compose(
        outcome(**parts), ticket, settings=settings(), keys=KEYS, now=NOW, random=counter()
    )


def notice(ticket: Ticket | None = TICKET, **parts: Any) -> Notice:
    return composed(ticket, **parts).notices[0]
