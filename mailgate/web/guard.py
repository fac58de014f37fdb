"""What stands around every page: security headers, a log line without secrets, a rate limit."""

from __future__ import annotations

import ipaddress
import re
import threading
import traceback
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailgate import logs

_POLICY: Mapping[str, str] = {
    "default-src": "'none'",
    "style-src": "'self'",
    "img-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}


def policy(**own: str) -> str:
    """The Content-Security-Policy of every page, with what one page must have otherwise:
    `policy(script_src="'self'")`."""
    directives = {**_POLICY, **{name.replace("_", "-"): value for name, value in own.items()}}
    return "; ".join(f"{name} {value}" for name, value in directives.items())


#: No script at all, nothing from elsewhere, in nobody's frame (promises W4 and L12).
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": policy(),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
#: What an answer may say for itself: a page with a frame, or what stands in that frame.
_OWN = frozenset({"Content-Security-Policy", "X-Frame-Options"})
_ROUTINE = re.compile(r".*/(?:health|static)/")
HSTS = "max-age=63072000"
#: Requests a second from one client to pages behind a token (promise W9).
TOKEN_PAGE_RATE = 30.0


class Shield:
    """The outermost layer: headers on whatever is answered, and no exception gets past it.

    An exception that reached the server would be logged with its text, and that may hold a token;
    so would the path. What is logged here is the route's template, and where the code stood.
    """

    def __init__(
        self,
        app: ASGIApp,
        https: bool,
        templates: Mapping[int, str],
        failed: Callable[[Request], Response],
    ) -> None:
        self.app = app
        self.headers = {**HEADERS, "Strict-Transport-Security": HSTS} if https else dict(HEADERS)
        self.templates = templates
        self.failed = failed
        self.log = logs.get("web")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 0

        async def shielded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                kept = "no-cache" if "ETag" in headers else "no-store"
                headers.setdefault("Cache-Control", kept)
                for name, value in self.headers.items():
                    if name not in _OWN or name not in headers:
                        headers[name] = value
            await send(message)

        try:
            await self.app(scope, receive, shielded)
        except Exception as error:  # noqa: BLE001 - see above: nothing may pass
            where = _where(error)
            self.log.error("http-failed", route=self._route(scope), **where)
            if status == 0:
                await self.failed(Request(scope))(scope, receive, shielded)
        route = self._route(scope)
        # What machines ask every few seconds is not worth a line as long as it is well.
        log = self.log.debug if status < 400 and _ROUTINE.match(route) else self.log.info
        log("http-answered", method=scope["method"], route=route, status=status)

    def _route(self, scope: Scope) -> str:
        return self.templates.get(id(scope.get("endpoint")), "-")


def _where(error: BaseException) -> dict[str, Any]:
    """The kind of an exception and the places it came through, without a word of its text."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    at = [f"{PurePath(f.filename).name}:{f.lineno} {f.name}" for f in frames]
    cause = error.__cause__ or error.__context__
    return {"error": type(error).__name__, "cause": type(cause).__name__, "at": at}


class Buckets:
    """A bucket a client, filled by `rate` a second up to `room`; kept for those last seen.

    In memory, so that looking costs nothing: of several machines each counts for itself.
    """

    def __init__(
        self, rate: float, room: float, monotonic: Callable[[], float], clients: int = 10_000
    ) -> None:
        self.rate = rate
        self.room = room
        self.monotonic = monotonic
        self.clients = clients
        self.buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, client: str) -> bool:
        now = self.monotonic()
        with self._lock:
            left, at = self.buckets.pop(client, (self.room, now))
            left = min(self.room, left + (now - at) * self.rate)
            allowed = left >= 1
            self.buckets[client] = (left - 1 if allowed else left, now)
            if len(self.buckets) > self.clients:
                self.buckets.popitem(last=False)
        return allowed

    def __len__(self) -> int:
        return len(self.buckets)


class RateLimit:
    """So many requests a second from one client (promise W9).

    Of IPv6 the /64 counts: that is what one subscriber has, and he may use any address in it.
    """

    def __init__(
        self, app: ASGIApp, rate: float, monotonic: Callable[[], float], clients: int = 10_000
    ) -> None:
        self.app = app
        self.buckets = Buckets(rate, rate, monotonic, clients)
        self.take = self.buckets.take

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self.take(client(scope)):
            raise HTTPException(429, headers={"Retry-After": "1"})
        await self.app(scope, receive, send)


def client(scope: Scope) -> str:
    """Who asks, as far as limits go."""
    host = scope["client"][0] if scope.get("client") else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ""  # a UNIX socket whose proxy names no client: all of them share one bucket
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
