"""Who asks: a script with a token of staff or of a contact, and what that token is for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Annotated, Literal, Protocol

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from mailgate import clock
from mailgate.clock import Now, Random
from mailgate.model.console_ports import InboxStore, StaffActs
from mailgate.model.directory import AccountEntry, Contact, Language
from mailgate.model.people import AccessToken, ApiToken, Staff
from mailgate.model.ports import Enter, IntakeStore
from mailgate.model.ticket import Ticket
from mailgate.model.views import Page
from mailgate.model.web_ports import AccessTokenStore, ApiTokenStore, PanelStore
from mailgate.rules.nearest import Miss
from mailgate.settings import Settings
from mailgate.tokens import access as tokens
from mailgate.tokens.keys import Keys
from mailgate.web import forms
from mailgate.web.api.problems import Wrong
from mailgate.web.guard import Buckets, client
from mailgate.words import words

Scope = Literal["read", "act"]
SCOPES: tuple[Scope, ...] = ("read", "act")
_STAFF = re.compile(r"mga-[a-z2-7]{26}")
_CONTACT = re.compile(r"mgt-[a-z2-7]{26}")


class TicketActs(Protocol):
    def close(self, number: int, who: str, why: str, now: datetime) -> Ticket | None: ...

    def reopen(self, number: int, who: str, why: str, now: datetime) -> Ticket | None: ...


class QueueActs(Protocol):
    def release_held(self, queue_id: str, who: str, why: str, now: datetime) -> bool: ...


class Directory(Protocol):
    def export(self, account_id: str | None = None) -> list[AccountEntry]: ...

    def contacts(
        self,
        *,
        account_id: str | None = None,
        address: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Contact]: ...


class ApiStore(Protocol):
    """The parts of the store that the API uses, by the names they have there."""

    @property
    def api_tokens(self) -> ApiTokenStore: ...
    @property
    def inbox(self) -> InboxStore: ...
    @property
    def acts(self) -> StaffActs: ...
    @property
    def tickets(self) -> TicketActs: ...
    @property
    def queue(self) -> QueueActs: ...
    @property
    def directory(self) -> Directory: ...
    @property
    def access_tokens(self) -> AccessTokenStore: ...
    @property
    def panel(self) -> PanelStore: ...
    @property
    def intake(self) -> IntakeStore: ...


@dataclass(frozen=True)
class Api:
    """What stands behind the API. `own_words` are texts of the administrator's reason codes."""

    settings: Settings
    store: ApiStore
    keys: Keys
    now: Now
    random: Random
    own_words: Callable[[], Mapping[str, Mapping[Language, str]]]
    misses: Callable[[str], Sequence[Miss]]
    """What would have given a message a better verdict, by the rules in force."""
    wake_workers: Callable[[], None]
    wake_mailer: Callable[[], None]
    enter: Enter
    monotonic: Callable[[], float] = clock.monotonic

    def reason(self, code: str, language: Language) -> str:
        """Why, in a sentence; a code that a later version wrote is its own word."""
        own, said = self.own_words().get(code), words(language)
        if own is not None:
            return own[language]
        key = f"reason.{code}.customer"
        return said[key] if key in said else code  # noqa: SIM401 - texts are no dict

    @property
    def origin(self) -> str:
        return forms.origin(self.settings.base_url)


@dataclass(frozen=True, slots=True)
class Caller:
    """The member of staff whose token it is. They may do with it what they may do themselves."""

    staff: Staff
    token: ApiToken


@dataclass(frozen=True, slots=True)
class Customer:
    """The contact whose access token it is. They see with it what the panel shows them."""

    contact: Contact
    token: AccessToken


def api_of(request: Request) -> Api:
    api: Api = request.app.state.api
    return api


_access_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="access token",
    description="An access token as it was mailed; `tickets:read` looks, `tickets:write` asks.",
)
_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="staff token",
    description="A token made with `mailgate staff token add`; `read` looks, `act` does.",
)


def caller(
    request: Request,
    scopes: SecurityScopes,
    api: Annotated[Api, Depends(api_of)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Caller:
    """Whoever brings a token that is valid now and of these scopes.

    A browser keeps no such token, so no other site can use one; all the same, a request that
    comes from a page of another site is none we want (promise W2).
    """
    sha256 = _brought(request, api, bearer, _STAFF)
    found = api.store.api_tokens.find(sha256, api.now()) if sha256 else None
    if found is None:
        raise _unknown(request)
    its, staff = found
    _require_patience(request, f"staff:{its.id}")
    lacks = set(scopes.scopes) - set(its.scopes)
    if lacks or ("act" in scopes.scopes and staff.role == "reader"):
        raise Wrong(403, "forbidden", "This token, or whose it is, may not do that.")
    return Caller(staff, its)


def customer(
    request: Request,
    scopes: SecurityScopes,
    api: Annotated[Api, Depends(api_of)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_access_bearer)],
) -> Customer:
    """Whoever brings an access token that is valid now and of these scopes."""
    sha256 = _brought(request, api, bearer, _CONTACT)
    found = api.store.access_tokens.use(sha256, api.now(), None) if sha256 else None
    if found is None:
        raise _unknown(request)
    its, contact = found
    _require_patience(request, f"contact:{its.id}")
    if set(scopes.scopes) - set(its.scopes):
        raise Wrong(403, "forbidden", "This token may not do that.")
    return Customer(contact, its)


def _brought(
    request: Request, api: Api, bearer: HTTPAuthorizationCredentials | None, shape: re.Pattern[str]
) -> str | None:
    """The hash of the token that came along, if it can be one of this kind."""
    if request.method not in {"GET", "HEAD"}:
        forms.refuse_foreign(request, api.origin)
    token = bearer.credentials if bearer else ""
    return tokens.sha256(token) if shape.fullmatch(token) else None


def _unknown(request: Request) -> Wrong:
    """RFC 6750 §3. A token has 130 bits: that somebody tries many is noise, and bounded as such."""
    _require_patience(request, f"client:{client(request.scope)}")
    return Wrong(401, "unauthorized", WWW_Authenticate="Bearer")


def _require_patience(request: Request, who: str) -> None:
    buckets: Buckets = request.app.state.buckets
    if not buckets.take(who):
        after = str(ceil(1 / buckets.rate))
        raise Wrong(429, "too-many-requests", Retry_After=after)


House = Annotated[Api, Depends(api_of)]
Reads = Annotated[Caller, Security(caller, scopes=["read"])]
Does = Annotated[Caller, Security(caller, scopes=["act"])]
ReadsMine = Annotated[Customer, Security(customer, scopes=["tickets:read"])]
WritesMine = Annotated[Customer, Security(customer, scopes=["tickets:write"])]
