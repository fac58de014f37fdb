"""What the API takes and gives, field by field: its description follows from this."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from mailgate.model.decision import Verdict
from mailgate.model.directory import Language, Role
from mailgate.model.envelope import Channel
from mailgate.model.item import QueueState
from mailgate.model.notice import OutboxState
from mailgate.model.people import StaffRole, StaffWord
from mailgate.model.ticket import LinkState, Standing, TicketState
from mailgate.web.api.access import Scope

T = TypeVar("T")


class Shape(BaseModel):
    """Made from values of the house, by the same names; nothing else gets in or out."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


class List(Shape, Generic[T]):
    """Some rows of a list; `next` is what to ask with as `after` for more, null at the end."""

    rows: list[T]
    next: str | None


# --- what is asked --------------------------------------------------------------------------------


def _text(value: str) -> str:
    """PostgreSQL keeps no NUL, and UTF-8 has no half characters."""
    if "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value):
        raise ValueError("text has no NUL and no half characters in it")
    return value


Text = Annotated[str, AfterValidator(_text)]
Word = Annotated[Text, Field(min_length=1, max_length=200)]
Number = Annotated[int, Field(ge=1, lt=1 << 53)]
Why = Annotated[
    Text, Field(min_length=1, max_length=500, pattern=r"\S", description="For the audit log.")
]


class Listing(BaseModel):
    """What every list can be asked; a name that is not known is a mistake, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after: Annotated[Text, Field(max_length=100)] | None = None
    limit: int = Field(50, ge=1, le=200)


class WantedTickets(Listing):
    state: TicketState | None = None
    standing: Standing | None = None
    account: Word | None = None
    service: Number | None = None
    desk: Word | None = None
    text: Annotated[Text, Field(max_length=200)] = ""


class WantedMessages(Listing):
    verdict: Verdict | None = None
    account: Word | None = None
    service: Number | None = None
    ticket: Number | None = None
    desk: Word | None = None
    automatic: bool | None = None
    state: QueueState | None = None
    label: Word | None = None
    text: Annotated[Text, Field(max_length=200)] = ""


class WantedContacts(Listing):
    account: Word | None = None
    address: Word | None = None


class Because(Shape):
    """Every act on somebody's request has a reason."""

    why: Why


class StaffSays(Because):
    """`vouches` authorizes, `refuses` does not, `none` takes back what was said before."""

    value: StaffWord


class Answer(Shape):
    """A mail to a reader of the ticket: by default to whoever opened it."""

    text: Annotated[Text, Field(min_length=1, max_length=50_000, pattern=r"\S")]
    to: Number | None = None
    cc: list[Number] = Field([], max_length=20)


# --- what is answered -----------------------------------------------------------------------------


class Me(Shape):
    login: str
    name: str
    role: StaffRole
    scopes: list[Scope]
    expires_at: datetime


class Ticket(Shape):
    number: int
    subject: str
    state: TicketState
    standing: Standing
    desk: str
    language: Language
    account_id: str | None
    service_id: int | None
    created_at: datetime


class TicketRow(Shape):
    ticket: Ticket
    updated_at: datetime
    company: str
    contact: str
    service: str
    messages: int
    waiting: int = Field(description="Messages that wait for somebody to confirm them.")


class File(Shape):
    filename: str
    content_type: str
    size: int
    sha256: str


class MessageRow(Shape):
    queue_id: str
    received_at: datetime
    desk: str
    channel: Channel
    author: str | None = Field(description="The address that counts as the sender.")
    author_name: str = Field(description="The display name: anybody may write anything there.")
    subject: str
    excerpt: str
    verdict: Verdict
    rule: str
    reasons: list[str]
    labels: list[str]
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
    override: str
    restricted: bool = Field(description="Its words may only be stored (GDPR Art. 18).")


class Message(Shape):
    queue_id: str
    received_at: datetime
    date: datetime | None
    desk: str
    channel: Channel
    entered_by: str
    author: str | None
    author_name: str
    message_id: str | None
    subject: str
    text: str
    reply_text: str
    attachments: list[File]
    size: int
    verdict: Verdict
    rule: str
    reasons: list[str]
    labels: list[str]
    state: QueueState
    ticket: int | None
    account_id: str | None
    contact_id: int | None
    restricted: bool = Field(description="Its words may only be stored (GDPR Art. 18).")


class Reason(Shape):
    code: str
    text: str


class Fact(Shape):
    name: str
    value: str
    source: str


class Condition(Shape):
    asked: str
    found: str
    holds: bool


class Tried(Shape):
    rule: str
    matched: bool
    conditions: list[Condition]


class Miss(Shape):
    """With `fact` at `value` instead of `found`, `rule` would have decided `verdict`."""

    fact: str
    found: str
    value: str
    verdict: Verdict
    rule: str


class Override(Shape):
    who: str
    why: str
    value: StaffWord
    at: datetime


class Link(Shape):
    """A confirmation that was asked for."""

    contact_id: int
    address: str
    state: LinkState
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None


class Judgement(Shape):
    """Authorized or not, and why: what was known, which rules were tried, what would help."""

    queue_id: str
    verdict: Verdict
    rule: str
    reasons: list[Reason]
    decided_at: datetime | None
    policy_sha256: str
    facts: list[Fact]
    tried: list[Tried]
    misses: list[Miss]
    overrides: list[Override]
    links: list[Link]


class Mail(Shape):
    """A mail of ours."""

    template: str
    to: str
    language: Language
    state: OutboxState
    message_id: str
    date: datetime
    sent_at: datetime | None


class Reader(Shape):
    """A contact whom an answer may go to."""

    id: int
    address: str
    name: str
    opener: bool
    shared: bool


class TicketDetail(Shape):
    row: TicketRow
    token: str = Field(description="What the subject of every mail of this ticket carries.")
    messages: list[Message]
    mails: list[Mail]
    readers: list[Reader]


class Contact(Shape):
    id: int
    account_id: str
    address: str
    role: Role
    name: str
    language: Language | None
    signs_in: bool


class Service(Shape):
    id: int
    identifier: str
    name: str


class Share(Shape):
    contact_id: int
    service_id: int


class Account(Shape):
    id: str
    company: str
    language: Language
    contacts: list[Contact]
    services: list[Service]
    shares: list[Share]


class Sent(Shape):
    """Ids of the mails that are on their way."""

    notices: list[str]


class Queued(Shape):
    """The message will be decided again; ask for its verdict in a moment."""

    queue_id: str
