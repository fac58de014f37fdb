"""Pages as HTML: one template environment, and the language a reader gets."""

from __future__ import annotations

import re
import unicodedata
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from mailgate.model.directory import LANGUAGES, Language
from mailgate.settings import Settings
from mailgate.words import words

_LONGEST = 200
#: Marks that turn or hide the text around them (Unicode Standard Annex 9, §2).
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SPOKEN: dict[str, Language] = {language: language for language in LANGUAGES}
#: Refusals with a text of their own; every other one gets that of its class.
_REFUSALS = frozenset({403, 404, 405, 408, 413, 429, 503})


class Pages:
    def __init__(self, settings: Settings) -> None:
        self.root = urlsplit(settings.base_url).path
        self.host = urlsplit(settings.base_url).netloc
        self.zone = settings.zone
        self.desks = settings.desks
        self.house = next(iter(settings.desks))
        self.env = Environment(
            loader=PackageLoader("mailgate.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.env.filters |= {"clean": clean, "lines": lines, "size": size}
        self._failures = {each: self._refusal(each, 500).body for each in LANGUAGES}

    def language(self, request: Request, usual: Language | None = None) -> Language:
        """What the reader chose with `?lang=`, else the usual one of the contact, else the first
        the browser asks for that we speak (RFC 9110 §12.5.4; browsers list the dearest first).
        """
        asked = [request.query_params.get("lang", ""), usual or ""]
        if usual is None:
            ranges = request.headers.get("accept-language", "").split(",")
            asked += [r.strip().lower()[:2] for r in ranges]
        spoken = (_SPOKEN[a] for a in asked if a in _SPOKEN)
        return next(spoken, self.desks[self.house].language)

    def render(
        self,
        template: str,
        language: Language,
        status: int = 200,
        desk: str | None = None,
        switch: bool = True,
        **values: Any,
    ) -> HTMLResponse:
        """`switch` offers the other languages: as a link to this very address, so only of GET."""
        mailbox = self.desks[desk] if desk in self.desks else self.desks[self.house]
        spoken = words(language)
        html = self.env.get_template(template).render(
            t=spoken.say,
            date=lambda at: spoken.date(at.astimezone(self.zone)),
            reasons=spoken.reason,
            language=language,
            languages=LANGUAGES,
            switch=switch,
            root=self.root,
            host=self.host,
            brand=mailbox.name or mailbox.tag,
            tag=mailbox.tag,
            desk_address=mailbox.address,
            **values,
        )
        return HTMLResponse(html, status, headers={"Content-Language": language})

    def refusal(self, request: Request, status: int) -> HTMLResponse:
        """In the words of the face it happened on, where that has words of its own for it."""
        language, switch = self.language(request), request.method in {"GET", "HEAD"}
        face = request.url.path.removeprefix(self.root).split("/")[1:2]
        key = f"{face[0] if face else ''}.refusal.{status}"
        if f"{key}.title" not in words(language):
            return self._refusal(language, status, switch)
        home = f"{self.root}/{face[0]}"
        return self.render(
            "refusal.html", language, status, switch=switch, key=key, home=home, face=face[0]
        )

    def failure(self, request: Request) -> HTMLResponse:
        """What a fault of ours answers; made beforehand, so that it cannot fail as well."""
        return HTMLResponse(self._failures[self.language(request)], 500)

    def _refusal(self, language: Language, status: int, switch: bool = False) -> HTMLResponse:
        key = str(status) if status in _REFUSALS else f"{status // 100}xx"
        return self.render(
            "refusal.html", language, status, switch=switch, key=f"page.refusal.{key}"
        )


def lines(text: str) -> str:
    """A text of somebody else's with its lines, without what could fool the reader."""
    kept = "".join(c for c in _BIDI.sub("", text) if c in "\n\t" or unicodedata.category(c) != "Cc")
    return kept.encode("utf-8", "replace").decode()


def size(octets: int) -> str:
    """So many octets in units of people who look at files; the same in both languages."""
    if octets < 1000:
        return f"{octets} B"
    return f"{octets / 1000:.0f} kB" if octets < 1_000_000 else f"{octets // 1_000_000} MB"


def clean(text: str) -> str:
    """A text of somebody else's on one line, without what could fool the reader, and not long."""
    shown = "".join(
        " " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in _BIDI.sub("", text)
    )
    shown = " ".join(shown.split()).encode("utf-8", "replace").decode()
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
