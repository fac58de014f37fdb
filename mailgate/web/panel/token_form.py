"""The one form that asks nobody who they are: a request for an access token (rows B4 and B10)."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mailgate.message.token_request import as_text, read_request
from mailgate.model.addresses import parse_address
from mailgate.model.directory import Language
from mailgate.model.people import Bound
from mailgate.model.ports import StorageError
from mailgate.model.token_request import TokenRequest
from mailgate.web import forms
from mailgate.web.guard import client
from mailgate.web.panel.site import Panel, one_line
from mailgate.words import words

#: From one network address.
_REQUESTS, _HOUR = 30, timedelta(hours=1)
#: So much of a field is kept; an address cut short would be somebody else's.
_LONGEST = {"company": 200, "account": 200, "address": 320, "explanation": 2000}
_FIELDS = tuple(_LONGEST)


class TokenFormPages:
    """Whatever is typed, the answer is the same: nothing here asks the directory."""

    def __init__(self, panel: Panel, desk: str) -> None:
        self.panel = panel
        self.desk = desk

    async def page(self, request: Request) -> Response:
        if request.method != "POST":
            return self._show(request, dict.fromkeys(_FIELDS, ""), {})
        self.panel.nonce.refuse_foreign(request)
        form = await forms.read(request)
        if not form.get("nonce"):
            raise HTTPException(403)  # no page of ours can have led here
        typed = {name: _typed(form, name) for name in _FIELDS}
        if not self.panel.nonce.holds(request, form):
            return self._show(request, typed, {"form": "reopened"}, 403)
        problems = _problems(typed)
        if problems:
            return self._show(request, typed, problems, 422)
        if not await run_in_threadpool(self._may_try, request):
            return self._show(request, typed, {"form": "too-often"}, 429)
        language = self.panel.language(request)
        if not await run_in_threadpool(self._enter, typed, language, form.get("once", "")):
            return self._show(request, typed, {"form": "storage"}, 503)
        return self.panel.plain(request, "token_sent.html", address=typed["address"])

    def _enter(self, typed: dict[str, str], language: Language, once: str) -> bool:
        """Through the gate and into the queue, as any mail; False where it could not be kept."""
        asked = TokenRequest(**typed, language=language, missing=())
        admission = self.panel.enter(
            desk=self.desk,
            channel="form",
            account_id="",
            entered_by=parse_address(typed["address"]),
            subject=words(language)["panel.token_form.subject"],
            text=as_text(asked, language),
            once=once,
        )
        try:
            self.panel.stores.intake.admit([admission])
        except StorageError:
            return False
        self.panel.wake()
        return True

    def _may_try(self, request: Request) -> bool:
        bounds = [Bound(f"panel-request:{client(request.scope)}", _REQUESTS, _HOUR)]
        return self.panel.stores.attempts.begin(bounds, self.panel.now())

    def _show(
        self, request: Request, typed: dict[str, str], problems: dict[str, str], status: int = 200
    ) -> Response:
        nonce = self.panel.nonce.of(request)
        response = self.panel.plain(
            request,
            "token_form.html",
            status,
            nonce=nonce,
            once=self.panel.random(16).hex(),
            typed=typed,
            problems=defaultdict(str, problems),
        )
        self.panel.nonce.keep(response, nonce)
        return response


def _typed(form: dict[str, str], name: str) -> str:
    return one_line(form.get(name, ""), _LONGEST[name])


def _problems(typed: dict[str, str]) -> dict[str, str]:
    """What is missing or wrong, by field; the same reader as for mail says what is missing."""
    problems = {}
    asked = TokenRequest(**typed, language=None, missing=())
    for name in read_request(as_text(asked, "en"), None).missing:
        problems[name] = f"token-{name}"
    try:
        parse_address(typed["address"])
    except ValueError:
        problems["address"] = "address"
    return problems
