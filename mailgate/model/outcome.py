"""The outcome of one processing: everything the store writes in the deciding transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from mailgate.model.decision import Decision
from mailgate.model.directory import Contact, Language
from mailgate.model.facts import Facts
from mailgate.model.item import Item
from mailgate.model.message import Message
from mailgate.model.notice import Notice
from mailgate.model.people import Scope
from mailgate.model.ticket import Link, Ticket
from mailgate.model.token_request import TokenCase


@dataclass(frozen=True, slots=True)
class Case:
    """What gathering found besides the facts: the rows the facts speak of.

    `ticket` is the one the message belongs to by identification, None for a new matter.
    `claimed_ticket` is the number named by a token that did not link (wrong, unknown, retired).
    `links_muted` is set where this contact disowned a message of this ticket lately (promise L14).
    `bounced_notice` is the id of our own mail that a delivery report gives back, by its VERP.
    `signatures` are digests of the message's DKIM signatures, kept once it is authorized.
    """

    contact: Contact | None
    account_id: str | None
    service_id: int | None
    ticket: Ticket | None
    language: Language
    claimed_ticket: int | None = None
    links_muted: bool = False
    bounced_notice: str | None = None
    bounced_status: str = ""
    signatures: tuple[str, ...] = ()
    token: TokenCase | None = None
    """What is asked of the token desk; None at any other."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """An access token about to be issued; the one mail that carries it is `notice`."""

    contact_id: int
    token_sha256: str
    expires_at: datetime
    scopes: tuple[Scope, ...]
    notice: Notice


@dataclass(frozen=True, slots=True)
class Composed:
    """Mails to put into the outbox in this order, the link that one of them carries, and the
    access token that is issued with one of its own."""

    notices: tuple[Notice, ...] = ()
    link: Link | None = None
    token: NewToken | None = None

    @property
    def mails(self) -> tuple[Notice, ...]:
        """All of them."""
        return (*self.notices, *([self.token.notice] if self.token else ()))


Compose = Callable[[Ticket | None], Composed]
"""Called inside the transaction, once the ticket's number is known; pure."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`opens_ticket` says whether a ticket is made where the case has none."""

    item: Item
    message: Message
    facts: Facts
    case: Case
    decision: Decision
    opens_ticket: bool
