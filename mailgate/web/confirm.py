"""The confirmation page: shows a message to the person it names, and takes that person's answer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mailgate import logs
from mailgate.clock import Now
from mailgate.model.confirmation import Confirmation
from mailgate.model.ports import ConfirmView, LinkStore
from mailgate.model.ticket import Link, LinkState
from mailgate.tokens import link as link_tokens
from mailgate.web import forms
from mailgate.web.forms import PageNonce
from mailgate.web.pages import Pages

Stand = Literal["open", "expired", "spent", "confirmed", "denied", "superseded"]

#: Seconds between looks at the verdict after a confirmation: soon, and 2.9 s in all.
PAUSES = (0.05, 0.1, 0.2, 0.35, 0.5, 0.5, 0.6, 0.6)

_CHOICES: dict[str, LinkState] = {"confirm": "confirmed", "deny": "denied"}
_CODE = re.compile(r"(?:[0-9][\s\-]*){6}", re.ASCII)
#: A link nobody has decided, and nobody can any more; a new one may take its place.
_OVER = frozenset({"expired", "spent"})
#: Gone for good (410) is what a link is that cannot be answered any more.
_STATUS: dict[Stand, int] = {"expired": 410, "spent": 410, "superseded": 410}


@dataclass(frozen=True)
class ConfirmPage:
    """`GET` and `HEAD` change nothing, whoever sends them and however often (promise L1).

    Where a link asks for the code, both answers need it: a mail scanner that presses every button
    can then neither authorize nor disown a message (promise L3).
    """

    links: LinkStore
    view: ConfirmView
    code_is_right: Callable[[str, str], bool]
    now: Now
    tries: int
    pages: Pages
    nonce: PageNonce
    on_decided: Callable[[], None]
    pauses: Sequence[float] = PAUSES

    def stand(self, link: Link) -> Stand:
        if link.state != "open":
            return link.state
        if self.now() >= link.expires_at:
            return "expired"
        if link.step == "code" and link.tries >= self.tries:
            return "spent"
        return "open"

    async def page(self, request: Request) -> Response:
        form = await self._form(request)
        found = await self._find(request)
        if found is None:
            return self._unknown(request)
        if form is not None:
            return await self._answer(request, found, form)
        if request.method == "GET" and found.link.state == "confirmed":
            found = await self._judged(found)
        return self._show(request, found)

    async def renew(self, request: Request) -> Response:
        """Ask for a new mail in place of a link that came too late; only ever to its address."""
        form = await self._form(request)
        found = await self._find(request)
        if form is None or found is None:
            return self._unknown(request)
        if not self.nonce.holds(request, form):
            return self._show(request, found, 403, "reopened")
        if self.stand(found.link) in _OVER:
            sha = found.link.token_sha256
            if await run_in_threadpool(self.links.request_new, sha, self.now()):
                self.on_decided()
            elif (again := await self._find(request)) and again.link.state == "open":
                return self._show(request, again, 429, "limit")
        return self._back(request)

    async def _form(self, request: Request) -> dict[str, str] | None:
        """What was posted by our own page; None for a request that only looks."""
        if request.method != "POST":
            return None
        self.nonce.refuse_foreign(request)
        return await forms.read(request)

    async def _find(self, request: Request) -> Confirmation | None:
        sha = link_tokens.sha256(request.path_params["token"])
        return await run_in_threadpool(self.view.confirmation, sha)

    async def _judged(self, found: Confirmation) -> Confirmation:
        """Look again for a few seconds: the worker is judging the message that was confirmed."""
        for pause in self.pauses:
            if found.verdict is not None:
                break
            await asyncio.sleep(pause)
            again = await run_in_threadpool(self.view.confirmation, found.link.token_sha256)
            found = again or found
        return found

    async def _answer(
        self, request: Request, found: Confirmation, form: dict[str, str]
    ) -> Response:
        if not self.nonce.holds(request, form):
            return self._show(request, found, 403, "reopened")
        if self.stand(found.link) == "open":
            problem = await self._settle(found.link, form)
            if problem is not None:
                return self._show(request, found, 422, problem, form.get("code", ""))
        return self._back(request)

    async def _settle(self, link: Link, form: dict[str, str]) -> str | None:
        """Decide the link as the form says; gives what is wrong with the form, if anything.

        None as well where somebody else was first or the tries are used up: the page that the
        browser is sent back to says how the link stands.
        """
        choice = _CHOICES.get(form.get("choice", ""))
        if choice is None:
            return "choose"
        if link.step == "code":
            typed = form.get("code", "")
            if _CODE.fullmatch(typed.strip()) is None:
                return "no-code"
            tries = await run_in_threadpool(self.links.count_try, link.token_sha256)
            if tries > self.tries:
                return None
            if not self.code_is_right(link.nonce, typed):
                return "wrong-code" if tries < self.tries else None
        if await run_in_threadpool(self.links.decide, link.token_sha256, choice, self.now()):
            self.on_decided()
            logs.get("web").info(
                "confirm-answered", queue_id=link.queue_id, answer=choice, step=link.step
            )
        return None

    def _back(self, request: Request) -> Response:
        """Post/Redirect/Get: reloading the page afterwards sends nothing again."""
        return RedirectResponse(self._path(request) + _query(request), 303)

    def _path(self, request: Request) -> str:
        return f"{self.pages.root}/c/{request.path_params['token']}"

    def _unknown(self, request: Request) -> Response:
        if request.method == "POST":
            raise HTTPException(403)  # no page of ours can have led here
        language = self.pages.language(request)
        return self.pages.render(
            "link_state.html", language, 404, state="unknown", stand="unknown", shown=None
        )

    def _show(
        self,
        request: Request,
        found: Confirmation,
        status: int = 200,
        problem: str = "",
        typed: str = "",
    ) -> Response:
        stand = self.stand(found.link)
        asks = stand == "open" or stand in _OVER
        nonce = self.nonce.of(request) if asks else ""
        values: dict[str, Any] = {
            "shown": found,
            "nonce": nonce,
            "stand": stand,
            "state": _state(found, stand),
            "whose": found.said.get("address") or found.link.address,
            "action": self._path(request) + ("/new" if stand in _OVER else "") + _query(request),
            "problem": problem,
            "typed": typed[:16],
            "left": self.tries - found.link.tries - 1,
        }
        response = self.pages.render(
            "confirm.html" if stand == "open" else "link_state.html",
            self.pages.language(request, found.language),
            _STATUS.get(stand, 200) if status == 200 else status,
            found.desk,
            **values,
        )
        if asks:
            self.nonce.keep(response, nonce)
        return response


def _state(found: Confirmation, stand: Stand) -> str:
    """How the link stands, as a key of the texts; about tokens it has words of its own."""
    about = found.link.about
    if stand != "confirmed":
        return stand if about == "message" or stand == "superseded" else f"{about}-{stand}"
    if about == "message" or found.verdict == "held":
        return _outcome(found)
    if found.issued:
        return "token-issued"
    return "token-working" if found.verdict is None else "token-late"


def _outcome(found: Confirmation) -> str:
    """What a confirmation has led to so far, as a key of the texts."""
    if found.verdict is None:
        return "working"
    if found.verdict in {"authorized", "held"}:
        return found.verdict
    return "not-authorized"


def _query(request: Request) -> str:
    language = request.query_params.get("lang")
    return f"?lang={language}" if language in {"pl", "en"} else ""
