"""A request for an access token: what its author wrote, and whose token it is about (B4 to B6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mailgate.model.directory import Account, Contact, Language
from mailgate.model.people import AccessToken
from mailgate.model.ticket import LinkState

TokenState = Literal["unknown", "never", "expired", "revoked", "bounced", "unverified", "valid"]


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What the text says, each "" where it says nothing; `missing` names what must be asked for.

    `missing` follows from the text alone, in this order: "company" (neither company nor account),
    "address", "explanation". `language` is that of the text, None where it cannot be told.
    """

    company: str
    account: str
    address: str
    explanation: str
    language: Language | None
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TokenCase:
    """A request with what the directory says: never to be told to its author (B10).

    `contact` is the one contact that the request names, None where there is none or more than one;
    `manager` the main contact of the same account. `last` is the contact's newest token. `by` is
    who of the two answered a link of this very message, and how.
    """

    request: TokenRequest
    state: TokenState
    contact: Contact | None = None
    account: Account | None = None
    manager: Contact | None = None
    last: AccessToken | None = None
    answer: LinkState | None = None
    by: Contact | None = None


@dataclass(frozen=True, slots=True)
class TokenHistory:
    """What went before the message in question on a ticket of the token desk.

    `asked` says that something missing was asked for, `settled` that a message was complete;
    `texts` are the new texts of its author, oldest first.
    """

    asked: bool = False
    settled: bool = False
    texts: tuple[str, ...] = ()
