"""Who asks: a script with a token of a member of staff, and what that token is for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, Protocol

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from mailgate.clock import Now, Random
from mailgate.model.console_ports import InboxStore, StaffActs
from mailgate.model.directory import AccountEntry, Contact, Language
from mailgate.model.people import ApiToken, Staff
from mailgate.model.ticket import Ticket
from mailgate.model.views import Page
from mailgate.model.web_ports import ApiTokenStore
from mailgate.rules.nearest import Miss
from mailgate.settings import Settings
from mailgate.tokens import access as tokens
from mailgate.tokens.keys import Keys
from mailgate.web import forms
from mailgate.web.api.problems import Wrong
from mailgate.words import words

Scope = Literal["read", "act"]
SCOPES: tuple[Scope, ...] = ("read", "act")
_SHAPE = re.compile(r"mga-[a-z2-7]{26}")


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


def api_of(request: Request) -> Api:
    api: Api = request.app.state.api
    return api


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
    if request.method not in {"GET", "HEAD"}:
        forms.refuse_foreign(request, api.origin)
    token = bearer.credentials if bearer else ""
    found = None
    if _SHAPE.fullmatch(token):
        found = api.store.api_tokens.find(tokens.sha256(token), api.now())
    if found is None:
        raise Wrong(401, "unauthorized", WWW_Authenticate="Bearer")
    its, staff = found
    lacks = set(scopes.scopes) - set(its.scopes)
    if lacks or ("act" in scopes.scopes and staff.role == "reader"):
        raise Wrong(403, "forbidden", "This token, or whose it is, may not do that.")
    return Caller(staff, its)


House = Annotated[Api, Depends(api_of)]
Reads = Annotated[Caller, Security(caller, scopes=["read"])]
Does = Annotated[Caller, Security(caller, scopes=["act"])]
