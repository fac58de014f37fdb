"""What lists and pages show of a ticket and its messages: rows with all of it looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mailgate.model.decision import Verdict
from mailgate.model.envelope import Channel
from mailgate.model.notice import OutboxRow
from mailgate.model.ticket import LinkState, Ticket


@dataclass(frozen=True, slots=True)
class DecisionView:
    """One judgement of a message, as it was written down at the time."""

    decided_at: datetime
    revision: int
    verdict: Verdict
    rule: str
    reasons: tuple[str, ...]
    facts: Mapping[str, str]
    sources: Mapping[str, str]
    trace: tuple[Mapping[str, Any], ...]
    policy_sha256: str


@dataclass(frozen=True, slots=True)
class LinkView:
    """A confirmation that was asked for, without what would let anybody give it."""

    contact_id: int
    address: str
    state: LinkState
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message and why it stands as it does. `history` has the newest judgement last."""

    queue_id: str
    channel: Channel
    ticket: int | None
    account_id: str | None
    contact_id: int | None
    author: str | None
    message_id: str | None
    subject: str
    date: datetime | None
    received_at: datetime
    text: str
    reply_text: str
    verdict: Verdict
    rule: str
    reasons: tuple[str, ...]
    labels: tuple[str, ...]
    facts: Mapping[str, str]
    size: int
    history: tuple[DecisionView, ...] = ()
    links: tuple[LinkView, ...] = ()


@dataclass(frozen=True, slots=True)
class EventView:
    """One line of the audit trail."""

    at: datetime
    who: str
    what: str
    queue_id: str | None
    ticket: int | None
    why: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TicketView:
    """A ticket with all that belongs to it, oldest first."""

    ticket: Ticket
    messages: tuple[MessageView, ...]
    notices: tuple[OutboxRow, ...]
    events: tuple[EventView, ...]
