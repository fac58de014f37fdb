"""The demo's mailbox: every mail that was caught instead of sent, with links one can press."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.policy import default

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from mailgate.settings import Settings
from mailgate.web.pages import Pages


@dataclass(frozen=True, slots=True)
class Caught:
    """One mail of ours as the relay would have had it."""

    at: datetime
    recipient: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """A caught mail as shown; `number` counts from 1, in the order they came."""

    number: int
    at: datetime
    recipient: str
    subject: str
    text: str


def routes(
    settings: Settings,
    mails: Callable[[], Sequence[Caught]],
    code: Callable[[], str] | None = None,
) -> list[Route]:
    """The pages `/mailbox` and `/mailbox/NUMBER`, and a way there from `/`; with `code` also
    `/mailbox/code`, which stands for an authenticator.

    Never to be mounted outside the demo: whoever can open these pages reads everybody's mail.
    """
    pages = Pages(settings)
    home = f"{pages.root}/mailbox"

    async def start(_request: Request) -> Response:
        return RedirectResponse(home, 303)

    async def box(request: Request) -> Response:
        letters = [_letter(n, mail) for n, mail in enumerate(mails(), start=1)]
        return pages.render("mailbox.html", pages.language(request), letters=letters[::-1])

    async def letter(request: Request) -> Response:
        number, caught = request.path_params["number"], mails()
        if not 1 <= number <= len(caught):
            raise HTTPException(404)
        shown = _letter(number, caught[number - 1])
        parts = list(_links(shown.text, settings.base_url))
        return pages.render("letter.html", pages.language(request), letter=shown, parts=parts)

    async def shown_code(_request: Request) -> Response:
        return PlainTextResponse(code() if code else "")

    pages_ = [Route("/", start), Route("/mailbox", box), Route("/mailbox/{number:int}", letter)]
    return [*pages_, Route("/mailbox/code", shown_code)] if code else pages_


def _letter(number: int, mail: Caught) -> Letter:
    message = message_from_bytes(mail.content, policy=default)
    body = message.get_body(("plain",))
    text = body.get_content() if body else ""
    return Letter(number, mail.at, mail.recipient, str(message["subject"] or ""), text)


def _links(text: str, base_url: str) -> Iterator[tuple[str, bool]]:
    """The text in pieces, each with whether it is an address of ours and so may be pressed."""
    ours = re.compile(f"({re.escape(base_url)}/[A-Za-z0-9/._~-]*)")
    for index, piece in enumerate(ours.split(text)):
        yield piece, index % 2 == 1
