"""A browser as far as a test needs one: keeps cookies, fills in the forms it was shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Self
from urllib.parse import urlencode

from tests.e2e.site import Site

_FORM = re.compile(r"<form\b[^>]*>.*?</form>", re.DOTALL)
_ACTION = re.compile(r'<form\b[^>]*\baction="([^"]*)"')
_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')


@dataclass(frozen=True)
class Page:
    """What came back."""

    status: int
    text: str
    location: str

    def hidden(self, action: str | None = None) -> dict[str, str]:
        """Hidden fields of the form with that action, or of the first that is ours to send."""
        for form in _FORM.findall(self.text):
            found, fields = _ACTION.search(form), dict(_HIDDEN.findall(form))
            if fields.keys() & {"nonce", "csrf"} and action in (None, found and found[1]):
                return fields
        raise AssertionError(f"no form {action or ''} on a page with {self.status}")


class Visitor:
    """One person. Limits count them apart: each comes from an address of loopback of their own."""

    def __init__(self, site: Site, number: int) -> None:
        self._site = site
        self._source = f"127.1.{number // 250}.{number % 250 + 1}"
        self._line: HTTPConnection | None = None
        self.cookies: dict[str, str] = {}

    def get(self, path: str, **headers: str) -> Page:
        return self._ask("GET", path, None, headers)

    def post(self, path: str, fields: dict[str, str], **headers: str) -> Page:
        sent = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": self._site.base_url,
            **headers,
        }
        return self._ask("POST", path, urlencode(fields), sent)

    def fill_in(self, path: str, fields: dict[str, str], action: str | None = None) -> Page:
        """Open a page and send its form, with what the page hides in it."""
        hidden = self.get(path).hidden(action)
        return self.post(action or path, {**hidden, **fields})

    def close(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Page:
        if self._line is None:
            self._line = HTTPConnection(
                *self._site.web, timeout=30, source_address=(self._source, 0)
            )
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self._line.request(method, path, body, {"Cookie": cookies, **headers})
        answer = self._line.getresponse()
        text = answer.read().decode("utf-8", "replace")
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        if answer.will_close:
            self.close()
        return Page(answer.status, text, answer.getheader("Location") or "")
