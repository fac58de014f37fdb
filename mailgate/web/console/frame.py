"""What stands around every page of the console: who may see it, navigation, words, policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mailgate.clock import Now
from mailgate.model.directory import Language
from mailgate.model.people import Staff, StaffRole
from mailgate.web.console.ports import Around, ConsoleStore
from mailgate.web.console.say import Say
from mailgate.web.guard import policy
from mailgate.web.pages import Pages
from mailgate.web.session import Endpoint, Sessions, Visit

_RANK: dict[StaffRole, int] = {"reader": 0, "agent": 1, "admin": 2}
#: The one script helps the keyboard along; a message shows HTML in a frame of our own.
_CSP = policy(script_src="'self'", frame_src="'self'")
LONGEST_REASON = 500

Page = Callable[[Visit], Response]


def staff_of(visit: Visit) -> Staff:
    """Who is looking. Sessions of customers never get here: the cookie is another one."""
    if visit.who.staff is None:
        raise HTTPException(403)
    return visit.who.staff


def may(visit: Visit, role: StaffRole) -> bool:
    return _RANK[staff_of(visit).role] >= _RANK[role]


class Incomplete(Exception):
    """A form that cannot be acted on; `code` says why, as a key of the texts."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def reason_of(visit: Visit) -> str:
    """Why it is done: every override and every act on somebody's request needs one (W6)."""
    why = " ".join(visit.form.get("why").split())
    if not why:
        raise Incomplete("why")
    return why[:LONGEST_REASON]


@dataclass(frozen=True)
class Frame:
    """Makes endpoints of pages, and pages of templates."""

    pages: Pages
    sessions: Sessions
    store: ConsoleStore
    around: Around
    now: Now

    def endpoint(self, page: Page, role: StaffRole = "reader") -> Endpoint:
        """A page for staff of at least this role, guarded by session and CSRF token."""

        def checked(visit: Visit) -> Response:
            if not may(visit, role):
                return self.refusal(visit, "forbidden", 403)
            try:
                return page(visit)
            except HTTPException as error:
                if error.status_code != 404:
                    raise
                return self.refusal(visit, "missing", 404)
            except Incomplete as problem:
                return self.refusal(visit, problem.code, 422)

        return self.sessions.guarded(checked)

    def language(self, visit: Visit) -> Language:
        return self.pages.language(visit.request, staff_of(visit).language)

    def say(self, visit: Visit) -> Say:
        words = self.around.policy().words
        return Say(self.language(visit), self.pages.zone, self.now(), words)

    def render(
        self, visit: Visit, template: str, status: int = 200, here: str = "", **values: Any
    ) -> Response:
        """A page with its navigation; `here` is the entry of it that is open."""
        say = self.say(visit)
        query = visit.request.query_params
        response = self.pages.render(
            f"console/{template}",
            say.language,
            status,
            switch=not visit.posted,
            here=here,
            staff=staff_of(visit),
            may_act=may(visit, "agent"),
            may_manage=may(visit, "admin"),
            csrf=visit.csrf,
            kept=kept(query, drop=("lang",)),
            done=say.done(query.get("done", "")),
            desk_names=[(name, d.name or d.tag) for name, d in self.pages.desks.items()],
            home=self.home,
            link=self.link,
            **say.helpers(),
            **values,
        )
        response.headers["Content-Security-Policy"] = _CSP
        return response

    def refusal(self, visit: Visit, code: str, status: int) -> Response:
        return self.render(visit, "refusal.html", status, code=code)

    @property
    def home(self) -> str:
        return f"{self.pages.root}/console"

    def link(self, *parts: object, **query: str) -> str:
        """The address of a page of the console, with those of the query that say something."""
        path = "/".join([self.home, *map(str, parts)])
        asked = urlencode({name: value for name, value in query.items() if value})
        return f"{path}?{asked}" if asked else path

    def back(self, visit: Visit, *parts: object, done: str) -> Response:
        """Post/Redirect/Get: the page that was acted on, which says what was done."""
        lang = visit.request.query_params.get("lang", "")
        return RedirectResponse(self.link(*parts, done=done, lang=lang), 303)


def kept(query: QueryParams, drop: tuple[str, ...]) -> str:
    """The query as it is, without some names: what a link that changes those begins with."""
    rest = [(name, value) for name, value in query.multi_items() if name not in (*drop, "done")]
    return f"{urlencode(rest)}&" if rest else ""


def stranger(home: str) -> Callable[[Request], Response]:
    """Leads whoever is not signed in to the sign-in page, and from there back here."""

    def answer(request: Request) -> Response:
        path = request.url.path
        wanted = f"{path}?{request.url.query}" if request.url.query else path
        return RedirectResponse(f"{home}/in?{urlencode({'next': wanted})}", 303)

    return answer
