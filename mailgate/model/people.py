"""Who is signed in, by what means, and what people have done: sessions, tokens, staff, audit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from mailgate.model.directory import Account, Contact, Language, Role

SessionKind = Literal["customer", "staff"]
Via = Literal["link", "token", "password"]
StaffRole = Literal["reader", "agent", "admin"]
StaffWord = Literal["none", "refuses", "vouches"]
ChangeKind = Literal["add", "address", "main"]
ChangeState = Literal["open", "done", "refused", "cancelled"]
Side = Literal["new", "old"]
Scope = Literal["panel", "tickets:read", "tickets:write"]

SCOPES: tuple[Scope, ...] = ("panel", "tickets:read", "tickets:write")
STAFF_ROLES: tuple[StaffRole, ...] = ("reader", "agent", "admin")


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser; the cookie's token itself is never kept.

    `ends_at` is the end whatever happens; idleness is judged by `seen_at`. `access_token_id` is
    set where an access token opened it: with the token the session ends too.
    """

    token_sha256: str
    kind: SessionKind
    via: Via
    csrf: str
    created_at: datetime
    seen_at: datetime
    ends_at: datetime
    contact_id: int | None = None
    staff_id: int | None = None
    access_token_id: int | None = None


@dataclass(frozen=True, slots=True)
class SignIn:
    """A one-time link that signs a contact in; the token follows from `nonce` and the key."""

    token_sha256: str
    nonce: str
    contact_id: int
    address: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccessToken:
    """When a token was issued, to whom, and what became of it: never the token itself (B3)."""

    id: int
    contact_id: int
    account_id: str
    address: str
    issued_at: datetime
    issued_by: str
    expires_at: datetime
    verified_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    revoked_why: str = ""
    scopes: tuple[Scope, ...] = ("panel",)
    queue_id: str | None = None
    """The message that asked for it, where one did."""
    warned: int | None = None
    """The fewest days before its end that its owner was warned of."""


@dataclass(frozen=True, slots=True)
class Change:
    """A new contact or a new address that waits until its owner said yes.

    `add` and `address` need the new address alone; `main` needs the old one too. `contact_id` and
    `old_address` say whose address it is to replace; None and "" for `add`. The links follow from
    `nonce` and the key; `new_sha256` and, for `main`, `old_sha256` find the row by them.
    """

    id: int
    account_id: str
    kind: ChangeKind
    contact_id: int | None
    role: Role
    name: str
    language: Language | None
    old_address: str
    new_address: str
    requested_by: str
    nonce: str
    new_sha256: str
    old_sha256: str | None
    state: ChangeState
    tries: int
    created_at: datetime
    expires_at: datetime
    confirmed_new_at: datetime | None = None
    confirmed_old_at: datetime | None = None

    @property
    def sides(self) -> tuple[Side, ...]:
        """Who must say yes."""
        return ("new", "old") if self.kind == "main" else ("new",)


@dataclass(frozen=True, slots=True)
class PendingChange:
    """A change as the page behind one of its links shows it."""

    change: Change
    side: Side
    company: str
    language: Language


@dataclass(frozen=True, slots=True)
class Staff:
    """A person of ours. `login` is what the audit log calls them; it never contains an @."""

    id: int
    login: str
    name: str
    language: Language
    role: StaffRole
    signature: str = ""
    totp: bool = False
    created_at: datetime | None = None
    disabled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a staff member's password and code are checked against."""

    staff: Staff
    password_hash: str
    totp_secret: str
    totp_last_step: int


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The person behind a session, as the directory has them now: a contact or staff."""

    session: Session
    contact: Contact | None = None
    account: Account | None = None
    staff: Staff | None = None


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token of a staff member for scripts; `scopes` are words such as `tickets:read`."""

    id: int
    staff_id: int
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Bound:
    """So many failures are allowed for one key within a time."""

    key: str
    failures: int
    within: timedelta


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act of a person. `hash` covers all the rest, `prev` is the hash of the entry before."""

    id: int
    at: datetime
    who: str
    what: str
    subject: str
    why: Mapping[str, Any]
    prev: str
    hash: str


@dataclass(frozen=True, slots=True)
class AuditFault:
    """Where the chain of the audit log is broken, and how."""

    id: int
    what: str


@dataclass(frozen=True, slots=True)
class Override:
    """What a member of staff says of one message; the newest counts, `none` takes it back."""

    queue_id: str
    who: str
    why: str
    value: StaffWord
    at: datetime


@dataclass(frozen=True, slots=True)
class SavedView:
    """A list of the console that somebody wants to see again: a name for a query string."""

    id: int
    staff_id: int
    name: str
    query: str
