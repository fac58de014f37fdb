"""The page behind the links of a change of address: GET shows what changes, POST says yes or no."""

from __future__ import annotations

import re

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mailgate.model.people import PendingChange
from mailgate.model.web_ports import Refused
from mailgate.tokens import change as change_tokens
from mailgate.web import forms
from mailgate.web.panel import letters
from mailgate.web.panel.site import Panel

_CODE = re.compile(r"(?:[0-9][\s\-]*){6}", re.ASCII)
_GONE = frozenset({"expired", "refused", "cancelled", "spent"})


class ChangePages:
    """Nobody is signed in here: the link shows that its mailbox is read.

    For the old main address the code from the mail is asked as well: a scanner that presses every
    button must not give an account away (promise L3).
    """

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self.tries = panel.settings.links.tries

    async def page(self, request: Request) -> Response:
        sha = change_tokens.sha256(request.path_params["token"])
        form: dict[str, str] | None = None
        if request.method == "POST":
            self.panel.nonce.refuse_foreign(request)
            form = await forms.read(request)
        found = await run_in_threadpool(self.panel.stores.changes.find, sha, self.panel.now())
        if found is None:
            if form is not None:
                raise HTTPException(403)  # no page of ours can have led here
            return self.panel.plain(request, "change_state.html", 404, state="unknown", found=None)
        if form is None:
            return self._show(request, found)
        if not self.panel.nonce.holds(request, form):
            return self._show(request, found, 403, "reopened")
        if self.stand(found) == "open":
            problem = await run_in_threadpool(self._settle, sha, found, form)
            if problem:
                return self._show(request, found, 422, problem, form.get("code", ""))
        return RedirectResponse(request.url.path, 303)

    def stand(self, found: PendingChange) -> str:
        change = found.change
        if change.state != "open":
            return change.state
        if self.panel.now() >= change.expires_at:
            return "expired"
        said = change.confirmed_new_at if found.side == "new" else change.confirmed_old_at
        if said is not None:
            return "half"
        if found.side == "old" and change.tries >= self.tries:
            return "spent"
        return "open"

    def _settle(self, sha: str, found: PendingChange, form: dict[str, str]) -> str:
        """Do what the form says; gives what is wrong with it, "" where nothing is."""
        choice, changes = form.get("choice"), self.panel.stores.changes
        if choice not in {"confirm", "deny"}:
            return "choose"
        if choice == "deny":
            changes.refuse(sha, self.panel.now())
            return ""
        if found.side == "old":
            typed = form.get("code", "")
            if _CODE.fullmatch(typed.strip()) is None:
                return "no-code"
            tries = changes.count_try(found.change.id)
            if tries > self.tries:
                return ""
            if not change_tokens.code_matches(self.panel.keys, found.change.nonce, typed):
                return "wrong-code" if tries < self.tries else ""
        try:
            changes.confirm(sha, self.panel.now(), letters.teller(self.panel, found))
        except Refused as refused:
            return refused.code
        self.panel.wake()
        return ""

    def _show(
        self,
        request: Request,
        found: PendingChange,
        status: int = 200,
        problem: str = "",
        typed: str = "",
    ) -> Response:
        state = self.stand(found)
        nonce = self.panel.nonce.of(request)
        response = self.panel.plain(
            request,
            "change.html" if state == "open" else "change_state.html",
            410 if state in _GONE and status == 200 else status,
            usual=found.language,
            found=found,
            state=state,
            nonce=nonce,
            problem=problem,
            typed=typed[:16],
            left=self.tries - found.change.tries - 1,
        )
        self.panel.nonce.keep(response, nonce)
        return response
