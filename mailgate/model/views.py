"""What lists and pages show of a ticket and its messages: rows with all of it looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Generic, Literal, TypeVar

from mailgate.model.decision import Verdict
from mailgate.model.directory import Account, Contact, Service
from mailgate.model.envelope import Channel
from mailgate.model.item import QueueState
from mailgate.model.message import Attachment
from mailgate.model.notice import OutboxRow
from mailgate.model.people import Override
from mailgate.model.ticket import LinkAbout, LinkState, Standing, Ticket, TicketState

T = TypeVar("T")


class BadCursor(ValueError):
    """A place in a list that no list of ours has given out."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list; `next` is what to ask with for those after them, None at the end."""

    rows: tuple[T, ...]
    next: str | None = None


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
    desk: str = ""
    author_name: str = ""
    """The display name in From: anybody may write anything there."""
    entered_by: str = ""
    attachments: tuple[Attachment, ...] = ()
    state: QueueState = "done"
    restricted: bool = False
    """Its author's data may only be stored (GDPR Art. 18(2)): staff see none of its words."""


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


# --- the customer panel ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TicketRow:
    """A line of a ticket list. `contact` and `service` are "" where there is none to name."""

    ticket: Ticket
    updated_at: datetime
    company: str
    contact: str
    service: str
    messages: int
    waiting: int
    """Messages of it that wait for somebody to confirm them."""


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """What waits for this contact's own answer: a message, or a question about an access token.

    A question about a token shows what the mail with its link `said`, and no word of the message.
    """

    queue_id: str
    ticket: int | None
    subject: str
    received_at: datetime
    channel: Channel
    reasons: tuple[str, ...]
    about: LinkAbout = "message"
    said: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PanelTicket:
    """A ticket as one of the account's contacts may see it, oldest first.

    `messages` have neither facts nor trace nor labels; `notices` are the answers of staff, and of
    our other mails those that went to this contact. `waiting` has the ids of messages that this
    contact can confirm or deny.
    """

    row: TicketRow
    messages: tuple[MessageView, ...]
    notices: tuple[OutboxRow, ...]
    waiting: frozenset[str]


# --- the staff console ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """Which messages; None and "" ask for any. `text` is searched for word by word."""

    verdict: Verdict | None = None
    account_id: str | None = None
    service_id: int | None = None
    ticket: int | None = None
    desk: str | None = None
    automatic: bool | None = None
    state: QueueState | None = None
    label: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """Which tickets; None and "" ask for any. `text` is searched for in their messages."""

    state: TicketState | None = None
    standing: Standing | None = None
    account_id: str | None = None
    service_id: int | None = None
    desk: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A line of the inbox. What the message claims of its author is `author_name` alone."""

    queue_id: str
    received_at: datetime
    desk: str
    channel: Channel
    author: str | None
    author_name: str
    subject: str
    excerpt: str
    verdict: Verdict
    rule: str
    reasons: tuple[str, ...]
    labels: tuple[str, ...]
    automatic: str
    state: QueueState
    account_id: str | None
    company: str
    contact: str
    role: str
    ticket: int | None
    ticket_state: TicketState | None
    standing: Standing | None
    service: str
    attachments: int
    override: str = ""
    restricted: bool = False


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """All that a person needs to judge one message."""

    message: MessageView
    ticket: Ticket | None
    account: Account | None
    contact: Contact | None
    services: tuple[Service, ...]
    shared: frozenset[int]
    """The services of the account, and the ids of those shared with the contact."""
    overrides: tuple[Override, ...]
    notices: tuple[OutboxRow, ...]
    events: tuple[EventView, ...]
    last_error: str = ""


@dataclass(frozen=True, slots=True)
class Reader:
    """A contact who may be written to about a ticket; `opener` asked the question."""

    contact: Contact
    opener: bool
    shared: bool


@dataclass(frozen=True, slots=True)
class ConsoleTicket:
    """A ticket with all that belongs to it. `readers` are those an answer may go to."""

    view: TicketView
    row: TicketRow
    account: Account | None
    service: Service | None
    readers: tuple[Reader, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """So many messages of one day: by verdict, or by rule."""

    day: date
    name: str
    messages: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """Somebody our mail does not reach (`bounced`), whom we write no more until somebody says that
    the address works (`paused`), or who asked us not to ask (`muted`)."""

    kind: Literal["bounced", "muted", "paused"]
    at: datetime
    address: str
    contact_id: int | None
    ticket: int | None
    said: str


@dataclass(frozen=True, slots=True)
class PausedAddress:
    """Three mails in a row came back from here: no automatic mail goes there (promise A7)."""

    address: str
    paused_at: datetime
