"""The door of the console: a password and a code for staff, and the way out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from mailgate import logs
from mailgate.clock import Now, Random
from mailgate.model.people import Bound, Staff
from mailgate.model.web_ports import AttemptStore, StaffStore
from mailgate.settings import Settings
from mailgate.tokens import totp
from mailgate.tokens.keys import Keys
from mailgate.tokens.password import Passwords
from mailgate.web import forms
from mailgate.web.console.device import Devices
from mailgate.web.forms import PageNonce
from mailgate.web.guard import client
from mailgate.web.pages import Pages
from mailgate.web.session import Sessions, Visit

#: Failures before nobody is asked any more (promise W5).
_PER_LOGIN, _LOGIN_WINDOW = 10, timedelta(minutes=15)
_PER_CLIENT, _CLIENT_WINDOW = 100, timedelta(hours=1)
_LONGEST_LOGIN = 64


@dataclass(frozen=True)
class _Door:
    pages: Pages
    sessions: Sessions
    staff: StaffStore
    attempts: AttemptStore
    passwords: Passwords
    devices: Devices
    nonce: PageNonce
    now: Now
    nobodys_secret: str

    @property
    def home(self) -> str:
        return f"{self.pages.root}/console"

    async def enter(self, request: Request) -> Response:
        """GET shows the form, POST takes it; the way of every refusal takes the same time."""
        if request.method != "POST":
            if await run_in_threadpool(self.sessions.find, request):
                return RedirectResponse(self._wanted(request), 303)
            return self._show(request)
        self.nonce.refuse_foreign(request)
        form = await forms.read(request)
        if not self.nonce.holds(request, form):
            return self._show(request, 403, "reopened", form)
        return await run_in_threadpool(self._take, request, form)

    def leave(self, visit: Visit) -> Response:
        response = RedirectResponse(f"{self.home}/in", 303)
        self.sessions.end(visit.request, response)
        return response

    def _take(self, request: Request, form: Mapping[str, str]) -> Response:
        login = form.get("login", "").strip().lower()[:_LONGEST_LOGIN]
        device = self.devices.of(request, login)
        bounds = _bounds(login, device, client(request.scope))
        if not self.attempts.begin(bounds, self.now()):
            response = self._show(request, 429, "throttled", form)
            response.headers["Retry-After"] = str(int(_LOGIN_WINDOW.total_seconds()))
            return response
        staff = self._proved(login, form.get("password", ""), form.get("code", ""))
        if staff is None:
            logs.get("web").info("sign-in-refused", face="console")
            return self._show(request, 403, "wrong", form)
        self.attempts.succeeded([bounds[0].key])
        response = RedirectResponse(self._wanted(request), 303)
        self.sessions.start(request, response, who=staff.login, via="password", staff_id=staff.id)
        if device is None:
            self.devices.remember(response, login)
        return response

    def _proved(self, login: str, password: str, code: str) -> Staff | None:
        """The person, if both proofs hold. Everything is worked out for somebody unknown too."""
        known = self.staff.find(login)
        right = self.passwords.matches(password, known.password_hash if known else None)
        secret = known.totp_secret if known else self.nobodys_secret
        step = totp.matching_step(secret, code, self.now())
        if known is None or known.staff.disabled_at is not None or not right or step is None:
            return None
        # Whoever looked over a shoulder has a code that was used (RFC 6238 §5.2).
        return known.staff if self.staff.take_step(known.staff.id, step) else None

    def _wanted(self, request: Request) -> str:
        """Where the person was going; only ever within the console."""
        asked = request.query_params.get("next", "")
        inside = asked == self.home or asked.startswith((f"{self.home}/", f"{self.home}?"))
        return asked if inside and "\\" not in asked and asked.isprintable() else self.home

    def _show(
        self,
        request: Request,
        status: int = 200,
        problem: str = "",
        form: Mapping[str, str] | None = None,
    ) -> Response:
        nonce = self.nonce.of(request)
        values: dict[str, Any] = {
            "nonce": nonce,
            "problem": problem,
            "login": (form or {}).get("login", "")[:_LONGEST_LOGIN],
            "action": f"{self.home}/in" + (f"?{q}" if (q := request.url.query) else ""),
            "kept": _but_language(request),
            "minutes": int(_LOGIN_WINDOW.total_seconds() // 60),
        }
        response = self.pages.render(
            "console/signin.html",
            self.pages.language(request),
            status,
            switch=request.method != "POST",
            **values,
        )
        self.nonce.keep(response, nonce)
        return response


def routes(
    settings: Settings,
    sessions: Sessions,
    *,
    staff: StaffStore,
    attempts: AttemptStore,
    keys: Keys,
    now: Now,
    random: Random,
    passwords: Passwords | None = None,
) -> Sequence[BaseRoute]:
    """`/console/in` and `/console/out`; `sessions` are those of staff."""
    nonce = PageNonce(settings.base_url, random)
    door = _Door(
        pages=Pages(settings),
        sessions=sessions,
        staff=staff,
        attempts=attempts,
        passwords=passwords or Passwords(random),
        devices=Devices(keys, random, secure=nonce.secure),
        nonce=nonce,
        now=now,
        nobodys_secret=totp.new_secret(random),
    )
    return [
        Route("/console/in", door.enter, methods=["GET", "POST"]),
        Route("/console/out", sessions.guarded(door.leave), methods=["POST"]),
    ]


def _bounds(login: str, device: str | None, address: str) -> tuple[Bound, Bound]:
    """What is typed as a login may be a password typed too early: only its hash is counted by."""
    whose = f"device {device}" if device else f"login {_digest(login)}"
    return (
        Bound(f"staff {whose}", _PER_LOGIN, _LOGIN_WINDOW),
        Bound(f"staff client {address}", _PER_CLIENT, _CLIENT_WINDOW),
    )


def _but_language(request: Request) -> str:
    """The query that a link to the same page in another language begins with."""
    rest = [(n, v) for n, v in request.query_params.multi_items() if n != "lang"]
    return f"{urlencode(rest)}&" if rest else ""


def _digest(login: str) -> str:
    return hashlib.sha256(login.encode("utf-8", "surrogatepass")).hexdigest()[:32]
