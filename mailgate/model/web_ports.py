"""The seams between the pages and the store: what the panel, the console and the API may ask.

Whoever acts is named by `who`: a contact by their address, staff by their login. Every act writes
a row of the audit log in the same transaction. What a contact asks for is checked against the
directory of that moment; what is not theirs looks as if it were not there (None or False).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from mailgate.model.directory import AccountEntry, Contact, Language, Role, Service
from mailgate.model.notice import Notice
from mailgate.model.outcome import Composed
from mailgate.model.people import (
    AccessToken,
    ApiToken,
    Bound,
    Change,
    Credentials,
    PendingChange,
    Scope,
    Session,
    SignedIn,
    SignIn,
    Staff,
    StaffRole,
)
from mailgate.model.ticket import LinkState
from mailgate.model.views import (
    Page,
    PanelTicket,
    TicketRow,
    WaitingRow,
)

Tell = Callable[[Change, tuple[Contact, ...]], Composed]
"""Compose the mails about a change that came into force, and the access token of who is new; pure.
Called inside the transaction with the account's contacts as they are now."""


class Refused(Exception):
    """What was asked for is not allowed; `code` says why, as a key of the texts."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


# --- signing in -----------------------------------------------------------------------------------


class SessionStore(Protocol):
    def start(self, session: Session, who: str) -> None:
        """Keep a new session; the old one of this browser is to be ended by the caller."""

    def find(self, token_sha256: str, now: datetime, idle: timedelta) -> SignedIn | None:
        """The person behind it; None where it ended, idled, or its person may not sign in now."""

    def end(self, token_sha256: str, now: datetime) -> None: ...

    def end_all(self, *, contact_id: int | None = None, staff_id: int | None = None) -> int: ...


class SignInStore(Protocol):
    def ask(self, link: SignIn, notice: Notice, now: datetime) -> bool:
        """Keep the link and mail it; False, and nothing done, where the limits leave no room or
        the contact may not sign in."""

    def find(self, token_sha256: str, now: datetime) -> SignIn | None:
        """A link that can still be used."""

    def redeem(self, token_sha256: str, now: datetime) -> Contact | None:
        """Use it up: exactly one of many callers gets the contact."""


class AccessTokenStore(Protocol):
    def issue(
        self,
        contact_id: int,
        token_sha256: str,
        notice: Notice,
        who: str,
        now: datetime,
        expires_at: datetime,
        scopes: Sequence[Scope] = ("panel",),
        *,
        account_id: str | None = None,
        kept_session: str = "",
        why: str = "",
    ) -> AccessToken | None:
        """Keep a new token, revoke the contact's older ones, and mail it; None where the limits
        leave no room. With `account_id` only for a contact of that account; the session of that
        hash goes on with the new token."""

    def use(
        self, token_sha256: str, now: datetime, scope: Scope | None = "panel"
    ) -> tuple[AccessToken, Contact] | None:
        """Whom a token signs in, if it is valid and has the scope; the first use verifies the
        address. Without a scope the caller looks at what it is good for."""

    def of_account(self, account_id: str) -> list[AccessToken]:
        """Newest first; for the account's main contact and for staff."""

    def of_contact(self, contact_id: int) -> list[AccessToken]: ...

    def revoke(
        self, token_id: int, who: str, why: str, now: datetime, account_id: str | None = None
    ) -> bool:
        """End a token and the sessions it opened; with `account_id` only one of that account."""


class StaffStore(Protocol):
    def add(
        self,
        login: str,
        name: str,
        language: Language,
        role: StaffRole,
        password_hash: str,
        totp_secret: str,
        who: str,
        now: datetime,
    ) -> Staff:
        """Raises `Refused("login-taken")` or `Refused("bad-login")`."""

    def all(self) -> list[Staff]: ...

    def find(self, login: str) -> Credentials | None:
        """Also of somebody disabled: the caller looks at `staff.disabled_at`."""

    def get(self, staff_id: int) -> Staff | None: ...

    def disable(self, login: str, who: str, why: str, now: datetime) -> bool:
        """Ends sessions and API tokens too. `Refused("last-admin")` for the last admin."""

    def set_password(self, login: str, password_hash: str, who: str, now: datetime) -> bool: ...

    def set_profile(
        self, staff_id: int, name: str, language: Language, signature: str, who: str, now: datetime
    ) -> bool: ...

    def take_step(self, staff_id: int, step: int) -> bool:
        """Use up a TOTP time step; False where it, or a later one, was used before (W5)."""


class AttemptStore(Protocol):
    def begin(self, bounds: Sequence[Bound], now: datetime) -> bool:
        """Count one attempt for every key before it is checked; False where a bound is reached."""

    def succeeded(self, keys: Sequence[str]) -> None:
        """The attempt was right: its keys start from nothing again."""


class ApiTokenStore(Protocol):
    def issue(
        self,
        staff_id: int,
        name: str,
        token_sha256: str,
        scopes: Sequence[str],
        who: str,
        now: datetime,
        expires_at: datetime,
    ) -> ApiToken: ...

    def find(self, token_sha256: str, now: datetime) -> tuple[ApiToken, Staff] | None:
        """Only a valid token of somebody who is not disabled."""

    def all(self, staff_id: int | None = None) -> list[ApiToken]: ...

    def revoke(self, token_id: int, who: str, now: datetime, staff_id: int | None = None) -> bool:
        """With `staff_id` only a token of that person."""


# --- the customer panel ---------------------------------------------------------------------------


class PanelStore(Protocol):
    """All of it is asked in the name of a contact, and answers with what that contact may see:
    the main contact the account's tickets, others those of services shared with them."""

    def tickets(
        self,
        contact_id: int,
        *,
        state: str | None = None,
        text: str = "",
        after: str | None = None,
        limit: int = 25,
    ) -> Page[TicketRow]:
        """The last changed first. Raises `BadCursor`."""

    def ticket(self, contact_id: int, number: int) -> PanelTicket | None: ...

    def octets(self, contact_id: int, queue_id: str) -> bytes | None:
        """The content of a message that `ticket` shows, for its attachments."""

    def waiting(self, contact_id: int, limit: int = 50) -> list[WaitingRow]:
        """What waits for this contact's answer: questions about access tokens, then messages in
        their own name, newest first."""

    def asked(self, contact_id: int, queue_id: str) -> bool:
        """Whether this contact was ever asked about a token by this message."""

    def answer(self, contact_id: int, queue_id: str, answer: LinkState, now: datetime) -> bool:
        """Record `confirmed` or `denied` for a waiting message and queue it again, once (L5)."""

    def services(self, contact_id: int) -> list[Service]:
        """What this contact may write about."""

    def account(self, contact_id: int) -> AccountEntry | None:
        """The whole account; for its main contact alone."""


class DirectoryEdits(Protocol):
    """What a main contact, or staff, change in an account; each has waiting messages decided again.

    An address in `who` must be that of the account's main contact at this moment; a login of staff
    may edit any. Gives False, and does nothing, where something is not of the account.
    """

    def set_account(
        self, account_id: str, company: str, language: Language, who: str, now: datetime
    ) -> bool: ...

    def set_contact(
        self,
        account_id: str,
        contact_id: int,
        *,
        name: str,
        role: Role,
        language: Language | None,
        signs_in: bool,
        who: str,
        now: datetime,
    ) -> bool:
        """Everything but the address. Raises `Refused("main-stays")` where the role would make or
        unmake the main contact: that is a `Change`."""

    def remove_contact(self, account_id: str, contact_id: int, who: str, now: datetime) -> bool:
        """Raises `Refused("main-stays")` for the main contact."""

    def set_shares(
        self, account_id: str, shares: frozenset[tuple[int, int]], who: str, now: datetime
    ) -> bool:
        """Make the pairs (contact id, service id) of the account exactly these."""


class ChangeStore(Protocol):
    def ask(self, change: Change, notices: Sequence[Notice], now: datetime) -> Change:
        """Keep a change (its `id` is not looked at) and mail its links.

        Raises `Refused`: "address-taken" (a contact of the account has it), "too-many" (limits),
        "not-found" (the contact is not of the account).
        """

    def of_account(self, account_id: str, now: datetime) -> list[Change]:
        """Changes that still wait, newest first."""

    def find(self, token_sha256: str, now: datetime) -> PendingChange | None:
        """By one of its links; also one that is decided or expired, so that the page can say so."""

    def count_try(self, change_id: int) -> int:
        """Count one code that was typed, before it is looked at; gives the tries so far."""

    def confirm(self, token_sha256: str, now: datetime, tell: Tell) -> Change | None:
        """One side says yes. Once all have, the directory changes, the mails of `tell` go out,
        tokens and sessions of a replaced address end, and waiting messages are decided again.

        None where it cannot be confirmed any more. Raises `Refused("address-taken")`.
        """

    def refuse(self, token_sha256: str, now: datetime) -> bool:
        """One side says no, and that is the end of it."""

    def cancel(self, change_id: int, account_id: str, who: str, now: datetime) -> bool: ...
