"""Which submitted forms count: from our own page, in the browser that was shown it."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mailgate.clock import Random
from mailgate.model.item import Enclosure

_NONCE = re.compile(r"[0-9a-f]{32}")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class PageNonce:
    """A value that stands in the form and in a cookie; another site can set or read neither.

    The cookie carries the `__Host-` prefix, so that no sibling domain can plant it. Over plain
    http, which the settings allow on loopback only, browsers refuse the prefix.
    """

    def __init__(self, base_url: str, random: Random) -> None:
        self.origin = origin(base_url)
        self.secure = self.origin.startswith("https:")
        self.cookie = "__Host-mailgate" if self.secure else "mailgate"
        self.random = random

    def of(self, request: Request) -> str:
        """The nonce this browser has already, so that two open pages do not undo each other."""
        known = request.cookies.get(self.cookie, "")
        return known if _NONCE.fullmatch(known) else self.random(16).hex()

    def keep(self, response: Response, nonce: str) -> None:
        response.set_cookie(
            self.cookie, nonce, path="/", secure=self.secure, httponly=True, samesite="strict"
        )

    def holds(self, request: Request, form: Mapping[str, str]) -> bool:
        known = request.cookies.get(self.cookie, "")
        given = form.get("nonce", "")
        return _NONCE.fullmatch(known) is not None and secrets.compare_digest(
            known.encode(), given.encode("utf-8", "surrogatepass")
        )

    def refuse_foreign(self, request: Request) -> None:
        refuse_foreign(request, self.origin)


def refuse_foreign(request: Request, ours: str) -> None:
    """Raise 403 for a request that another site made the browser send; `ours` is our origin.

    Our own pages ask for no referrer, and for them browsers send `Origin: null` (Fetch
    standard, "append a request Origin header"); then Sec-Fetch-Site tells. A browser too old
    for that one still has to bring the cookie, which no other site makes it send.
    """
    site = request.headers.get("sec-fetch-site", "same-origin")
    sent = request.headers.get("origin", "null")
    if site != "same-origin" or sent not in {"null", ours}:
        raise HTTPException(403)


def origin(url: str) -> str:
    """Scheme, host and port as browsers write them into Origin (RFC 6454 §6.2)."""
    parts = urlsplit(url)
    if parts.port in {None, _DEFAULT_PORTS.get(parts.scheme)}:
        return f"{parts.scheme}://{host(url)}"
    return f"{parts.scheme}://{host(url)}:{parts.port}"


def host(url: str) -> str:
    """The host in lower case, an IPv6 address in its brackets (RFC 3986 §3.2.2)."""
    name = urlsplit(url).hostname or ""
    return f"[{name}]" if ":" in name else name


@dataclass(frozen=True, slots=True)
class Form:
    """What was posted: every value of every field, and the files."""

    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    files: tuple[Enclosure, ...] = ()

    def get(self, name: str) -> str:
        """The first value of that name, "" where there is none."""
        return next(iter(self.fields.get(name, ())), "")

    def all(self, name: str) -> tuple[str, ...]:
        return self.fields.get(name, ())


@dataclass(frozen=True, slots=True)
class FormLimits:
    """So much of a form is read; how large it may be as a whole is for the middleware."""

    fields: int = 20
    files: int = 0
    seconds: float = 10.0
    """For the whole form to arrive: nobody keeps us waiting without an end."""


async def read(request: Request) -> dict[str, str]:
    """The text fields of a form, the first of each name; no files, and no endless waiting."""
    form = await read_form(request)
    return {name: values[0] for name, values in form.fields.items()}


async def read_form(request: Request, limits: FormLimits | None = None) -> Form:
    """A form within its limits; raises 400, 408 or 413 beyond them. Empty file fields are none."""
    limits = limits or FormLimits()
    try:
        async with asyncio.timeout(limits.seconds):
            sent = await request.form(max_files=limits.files, max_fields=limits.fields)
    except TimeoutError:
        raise HTTPException(408) from None
    try:
        return await _form(sent)
    finally:
        await sent.close()


async def _form(sent: FormData) -> Form:
    fields: dict[str, tuple[str, ...]] = {}
    files = []
    for name, value in sent.multi_items():
        if isinstance(value, str):
            fields[name] = (*fields.get(name, ()), value)
        elif value.filename:
            kind = value.content_type or ""
            files.append(Enclosure(value.filename, kind, await value.read()))
    return Form(fields, tuple(files))
