"""What every page of the panel has at hand: the stores, who is signed in, and how it is drawn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mailgate.clock import Now, Random
from mailgate.model.directory import LANGUAGES, Account, Contact, Language
from mailgate.model.ports import Enter, IntakeStore
from mailgate.model.privacy_ports import RequestStore
from mailgate.model.views import MessageView
from mailgate.model.web_ports import (
    AccessTokenStore,
    AttemptStore,
    ChangeStore,
    DirectoryEdits,
    PanelStore,
    SessionStore,
    SignInStore,
)
from mailgate.settings import Settings
from mailgate.tokens.keys import Keys
from mailgate.web.copy import MakeCopy
from mailgate.web.forms import PageNonce
from mailgate.web.pages import Pages
from mailgate.web.session import Sessions, Visit
from mailgate.words import words

_SPOKEN: Mapping[str, Language] = {language: language for language in LANGUAGES}
_YEAR = 365 * 86400


@dataclass(frozen=True)
class Stores:
    """The seams of the store that the panel uses."""

    sessions: SessionStore
    sign_ins: SignInStore
    access: AccessTokenStore
    attempts: AttemptStore
    panel: PanelStore
    edits: DirectoryEdits
    changes: ChangeStore
    intake: IntakeStore
    requests: RequestStore
    make_copy: MakeCopy
    contacts: Callable[[str], list[Contact]]
    """Contacts of every account with an address."""
    account: Callable[[str], Account | None]
    message: Callable[[str], MessageView | None]
    """A message by its queue id, once it was decided."""


class Panel:
    """The panel put together. `wake` says that there is work for the workers and the mailer."""

    def __init__(
        self,
        settings: Settings,
        stores: Stores,
        *,
        keys: Keys,
        now: Now,
        random: Random,
        enter: Enter,
        wake: Callable[[], None],
    ) -> None:
        self.settings = settings
        self.stores = stores
        self.keys = keys
        self.now = now
        self.random = random
        self.enter = enter
        self.wake = wake
        self.pages = Pages(settings)
        self.nonce = PageNonce(settings.base_url, random)
        self.home = f"{self.pages.root}/panel"
        self._cookie = f"{'__Host-' if self.nonce.secure else ''}mailgate-language"
        self.sessions = Sessions(
            "customer",
            settings,
            stores.sessions,
            now=now,
            random=random,
            stranger=self._sign_in_first,
        )

    # --- the way of a request -----------------------------------------------------------------

    def to(self, path: str, done: str = "", **numbers: int) -> Response:
        """Post/Redirect/Get. `done` is a key of the texts: what the next page says first."""
        query = urlencode({"done": done, **numbers}) if done else ""
        return RedirectResponse(f"{self.home}{path}{'?' if query else ''}{query}", 303)

    def _sign_in_first(self, request: Request) -> Response:
        """Whoever follows a link to a page comes back to it after signing in."""
        path = request.url.path.removeprefix(self.home)
        query = urlencode({"next": path}) if path not in {"", "/"} else ""
        return RedirectResponse(f"{self.home}/sign-in{'?' if query else ''}{query}", 303)

    # --- drawing ------------------------------------------------------------------------------

    def language(self, request: Request, usual: Language | None = None) -> Language:
        """What was chosen on any page of the panel, else the person's own."""
        kept = _SPOKEN.get(request.cookies.get(self._cookie, ""))
        return self.pages.language(request, kept or usual)

    def plain(self, request: Request, template: str, status: int = 200, **values: Any) -> Response:
        """A page for somebody who is not signed in."""
        language = self.language(request, values.pop("usual", None))
        response = self.pages.render(
            f"panel/{template}",
            language,
            status,
            switch=request.method == "GET",
            home=self.home,
            kept=_kept(request),
            done=_done(request, language),
            token_form=self.settings.token_desk is not None,
            **values,
        )
        return self._keep(request, response, language)

    def show(self, visit: Visit, template: str, status: int = 200, **values: Any) -> Response:
        """A page for the person who is signed in."""
        contact, account = person(visit)
        language = self.language(visit.request, contact.language or account.language)
        problems: Mapping[str, str] = values.pop("problems", {})
        response = self.pages.render(
            f"panel/{template}",
            language,
            status,
            switch=not visit.posted,
            home=self.home,
            kept=_kept(visit.request),
            done=_done(visit.request, language),
            me=contact,
            account=account,
            csrf=visit.csrf,
            once=self.random(16).hex(),
            problems=defaultdict(str, problems),
            waiting_count=len(self.stores.panel.waiting(contact.id)),
            **values,
        )
        return self._keep(visit.request, response, language)

    def _keep(self, request: Request, response: Response, language: Language) -> Response:
        if request.query_params.get("lang") in _SPOKEN:
            response.set_cookie(
                self._cookie,
                language,
                max_age=_YEAR,
                path="/",
                secure=self.nonce.secure,
                httponly=True,
                samesite="lax",
            )
        return response


def person(visit: Visit) -> tuple[Contact, Account]:
    """Who is signed in, and for which account, as the directory has them now."""
    if visit.who.contact is None or visit.who.account is None:
        raise HTTPException(403)  # a session of the other kind; the store gives none here
    return visit.who.contact, visit.who.account


def main_contact(visit: Visit) -> Contact:
    """The person, who must be the account's main contact: nobody else changes the account."""
    contact, _ = person(visit)
    if contact.role != "main":
        raise HTTPException(403)
    return contact


def one_line(text: str, longest: int = 200) -> str:
    """What was typed into a field of one line: no control characters, blanks as single ones."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:longest]


@dataclass(frozen=True, slots=True)
class Done:
    """What the page before has done: a key of the texts with the numbers it names."""

    key: str
    numbers: Mapping[str, int]


def _done(request: Request, language: Language) -> Done | None:
    """Read from the address, so anybody can write it: words of ours and numbers, nothing else."""
    query = request.query_params
    key = f"panel.done.{query.get('done', '')}"
    if key not in words(language):
        return None
    numbers = {name: query.get(name, "") for name in ("given", "taken")}
    return Done(key, {n: int(v) if v.isdecimal() and len(v) < 5 else 0 for n, v in numbers.items()})


def _kept(request: Request) -> str:
    """The rest of the query, so that a page in the other language is still the same page."""
    rest = [(n, v) for n, v in request.query_params.multi_items() if n not in {"lang", "done"}]
    return f"{urlencode(rest)}&" if rest else ""
