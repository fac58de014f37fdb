"""Who is signed in, on panel and console alike: the cookie, its session, and guarded pages.

A session is a row of the store, known by the hash of what the cookie holds. It is new at every
sign-in, ends when it idles, at its absolute end, or as soon as its person may not sign in any more
(promise W3). A form counts only with the session's own CSRF token and from our own page (W2).
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from inspect import iscoroutinefunction

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mailgate.clock import Now, Random
from mailgate.model.people import Session, SessionKind, SignedIn, Via
from mailgate.model.web_ports import SessionStore
from mailgate.settings import Settings
from mailgate.tokens.session import csrf_token, session_token, sha256
from mailgate.web import forms
from mailgate.web.forms import Form, FormLimits

_SAFE = frozenset({"GET", "HEAD"})
_LONGEST_COOKIE = 128


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody who is signed in, with the form it brought."""

    request: Request
    who: SignedIn
    form: Form = field(default_factory=Form)

    @property
    def posted(self) -> bool:
        return self.request.method not in _SAFE

    @property
    def csrf(self) -> str:
        """What every form of the page must carry as `csrf`."""
        return self.who.session.csrf


Page = Callable[[Visit], Response | Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]
Stranger = Callable[[Request], Response]
"""Answers somebody who is not signed in: leads them to the sign-in page, say."""


class Sessions:
    """The sessions of one kind of people; each face has a cookie of its own."""

    def __init__(
        self,
        kind: SessionKind,
        settings: Settings,
        store: SessionStore,
        *,
        now: Now,
        random: Random,
        stranger: Stranger,
    ) -> None:
        self.kind: SessionKind = kind
        self.limits = settings.web.session
        self.store = store
        self.now = now
        self.random = random
        self.stranger = stranger
        self.origin = forms.origin(settings.base_url)
        self.secure = self.origin.startswith("https:")
        self.cookie = f"{'__Host-' if self.secure else ''}mailgate-{kind}"

    def find(self, request: Request) -> SignedIn | None:
        """The person this browser is signed in as. Asks the store: call it in a thread."""
        token = request.cookies.get(self.cookie, "")
        if not token or len(token) > _LONGEST_COOKIE:
            return None
        who = self.store.find(sha256(token), self.now(), self.limits.idle)
        return who if who and who.session.kind == self.kind else None

    def start(
        self,
        request: Request,
        response: Response,
        *,
        who: str,
        via: Via,
        contact_id: int | None = None,
        staff_id: int | None = None,
        access_token_id: int | None = None,
    ) -> None:
        """Sign in: a new session, and the end of the one this browser had (fixation)."""
        self._end(request)
        token, now = session_token(self.random), self.now()
        session = Session(
            token_sha256=sha256(token),
            kind=self.kind,
            via=via,
            csrf=csrf_token(self.random),
            created_at=now,
            seen_at=now,
            ends_at=now + self.limits.absolute,
            contact_id=contact_id,
            staff_id=staff_id,
            access_token_id=access_token_id,
        )
        self.store.start(session, who)
        # Lax, not Strict: a link in a mail is to find its reader signed in. It is no more than a
        # second wall here, as no GET changes anything.
        response.set_cookie(
            self.cookie, token, path="/", secure=self.secure, httponly=True, samesite="lax"
        )

    def end(self, request: Request, response: Response) -> None:
        self._end(request)
        response.delete_cookie(
            self.cookie, path="/", secure=self.secure, httponly=True, samesite="lax"
        )

    def _end(self, request: Request) -> None:
        token = request.cookies.get(self.cookie, "")
        if 0 < len(token) <= _LONGEST_COOKIE:
            self.store.end(sha256(token), self.now())

    def guarded(self, page: Page, limits: FormLimits | None = None) -> Endpoint:
        """An endpoint for those who are signed in; `page` runs in a thread unless it is async.

        A request that would change something and comes from elsewhere, or without the session's
        token, is refused before its page sees it; a stranger's form is not even read.
        """
        waits = iscoroutinefunction(page)

        async def endpoint(request: Request) -> Response:
            changes = request.method not in _SAFE
            if changes:
                forms.refuse_foreign(request, self.origin)
            who = await run_in_threadpool(self.find, request)
            if who is None:
                if changes:
                    raise HTTPException(403)
                return self.stranger(request)
            form = Form()
            if changes:
                form = await forms.read_form(request, limits)
                if not _holds(who.session, form):
                    raise HTTPException(403)
            visit = Visit(request, who, form)
            answer = page(visit) if waits else await run_in_threadpool(page, visit)
            return await answer if isinstance(answer, Awaitable) else answer

        return endpoint


def _holds(session: Session, form: Form) -> bool:
    given = form.get("csrf").encode("utf-8", "surrogatepass")
    return secrets.compare_digest(session.csrf.encode(), given)
