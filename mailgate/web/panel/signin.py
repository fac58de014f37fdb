"""Signing in to the panel: by an access token, or by a one-time link to the registered address."""

from __future__ import annotations

import re
from datetime import timedelta

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mailgate import logs
from mailgate.model.addresses import parse_address
from mailgate.model.directory import Contact
from mailgate.model.people import Bound
from mailgate.model.ports import StorageError
from mailgate.tokens import access, session
from mailgate.web import forms
from mailgate.web.guard import client
from mailgate.web.panel import letters
from mailgate.web.panel.site import Panel
from mailgate.web.session import Visit

#: From one network address (promise W5). A token has 130 bits: this is against noise, not guessing.
_HOUR = timedelta(hours=1)
_TOKENS, _LINKS = 100, 30
#: Where a person may be led after signing in: a page of the panel, never another site.
_NEXT = re.compile(r"(?:/[a-z0-9-]{1,40}){1,6}")
#: One address may be a contact of several accounts; each gets a link of its own.
_ACCOUNTS = 5


class SignInPages:
    def __init__(self, panel: Panel) -> None:
        self.panel = panel

    async def page(self, request: Request) -> Response:
        if await run_in_threadpool(self.panel.sessions.find, request):
            return RedirectResponse(self.panel.home + _next(request.query_params.get("next")), 303)
        return self._show(request, next=request.query_params.get("next", ""))

    async def by_token(self, request: Request) -> Response:
        form = await self._posted(request)
        if form is None:
            return self._show(request, 403, problem="reopened")
        back = form.get("next", "")
        if not await self._may_try(request, "token", _TOKENS):
            return self._show(request, 429, problem="too-often", next=back)
        found = await run_in_threadpool(self._use, form.get("token", ""))
        if found is None:
            return self._show(request, 422, problem="token", next=back)
        token_id, contact = found
        await run_in_threadpool(self.panel.stores.attempts.succeeded, [self._key(request, "token")])
        response = RedirectResponse(self.panel.home + _next(back), 303)
        await run_in_threadpool(self._start, request, response, contact, token_id)
        return response

    async def ask(self, request: Request) -> Response:
        """Ask for a link. The answer is made before anybody has looked whether the address is
        known, so neither its words nor its time say anything (promise W5, row B10).
        """
        form = await self._posted(request)
        if form is None:
            return self._show(request, 403, problem="reopened")
        try:
            address = parse_address(form.get("address", ""))
        except ValueError:
            given = form.get("address", "")[:200]
            return self._show(request, 422, problem="address", address=given)
        if not await self._may_try(request, "link", _LINKS):
            return self._show(request, 429, problem="too-often", address=address)
        response = self.panel.plain(request, "link_sent.html", address=address)
        response.background = BackgroundTask(self._mail, address)
        return response

    async def link(self, request: Request) -> Response:
        """GET shows a button, whoever follows the link; POST uses the link up, once (L1)."""
        sha = session.sha256(request.path_params["token"])
        form = await self._posted(request) if request.method == "POST" else {}
        if await run_in_threadpool(self.panel.stores.sign_ins.find, sha, self.panel.now()) is None:
            return self.panel.plain(request, "link_over.html", 410)
        if request.method != "POST" or form is None:
            status = 200 if request.method != "POST" else 403
            problem = "" if form is not None else "reopened"
            return self._with_nonce(request, "link.html", status, problem=problem)
        redeem = self.panel.stores.sign_ins.redeem
        contact = await run_in_threadpool(redeem, sha, self.panel.now())
        if contact is None:
            return self.panel.plain(request, "link_over.html", 410)
        response = RedirectResponse(f"{self.panel.home}/tickets", 303)
        await run_in_threadpool(self._start, request, response, contact, None)
        return response

    def out(self, visit: Visit) -> Response:
        response = RedirectResponse(f"{self.panel.home}/sign-in?done=signed-out", 303)
        self.panel.sessions.end(visit.request, response)
        # Whoever presses "back" on a shared computer finds nothing (W3C Clear Site Data §3.1).
        response.headers["Clear-Site-Data"] = '"cache"'
        return response

    def _start(
        self, request: Request, response: Response, contact: Contact, token_id: int | None
    ) -> None:
        self.panel.sessions.start(
            request,
            response,
            who=contact.address,
            via="link" if token_id is None else "token",
            contact_id=contact.id,
            access_token_id=token_id,
        )

    def _use(self, typed: str) -> tuple[int, Contact] | None:
        token = access.normalised(typed)
        if token is None:
            return None
        found = self.panel.stores.access.use(access.sha256(token), self.panel.now())
        return (found[0].id, found[1]) if found else None

    def _mail(self, address: str) -> None:
        """Mail a link for each account this address may sign in to; nobody waits for this."""
        panel = self.panel
        try:
            contacts = [c for c in panel.stores.contacts(address) if c.signs_in]
            for contact in contacts[:_ACCOUNTS]:
                account = panel.stores.account(contact.account_id)
                if account is not None:
                    now = panel.now()
                    link, notice = letters.sign_in(panel, contact, account, now)
                    panel.stores.sign_ins.ask(link, notice, now)
        except StorageError:
            logs.get("web").error("sign-in-link-not-kept")
        panel.wake()

    async def _may_try(self, request: Request, what: str, bound: int) -> bool:
        bounds = [Bound(self._key(request, what), bound, _HOUR)]
        return await run_in_threadpool(self.panel.stores.attempts.begin, bounds, self.panel.now())

    def _key(self, request: Request, what: str) -> str:
        return f"panel-{what}:{client(request.scope)}"

    async def _posted(self, request: Request) -> dict[str, str] | None:
        """What was posted by our own page; None where its nonce is not this browser's."""
        self.panel.nonce.refuse_foreign(request)
        form = await forms.read(request)
        if not form.get("nonce"):
            raise HTTPException(403)  # no page of ours can have led here
        return form if self.panel.nonce.holds(request, form) else None

    def _show(self, request: Request, status: int = 200, **values: str) -> Response:
        empty = {"problem": "", "address": "", "next": ""}
        return self._with_nonce(request, "sign_in.html", status, **empty | values)

    def _with_nonce(
        self, request: Request, template: str, status: int = 200, **values: str
    ) -> Response:
        nonce = self.panel.nonce.of(request)
        response = self.panel.plain(request, template, status, nonce=nonce, **values)
        self.panel.nonce.keep(response, nonce)
        return response


def _next(path: str | None) -> str:
    return path if path and _NEXT.fullmatch(path) else "/tickets"
