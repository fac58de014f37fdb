"""A visit to the confirmation page, as a person with a browser would make it."""

from __future__ import annotations

import http.cookiejar
import re
import urllib.parse
import urllib.request
from email import message_from_bytes
from email.policy import default

_LINK = re.compile(r"^\s*(http://\S+/c/\S+)\s*$", re.MULTILINE)
_CODE = re.compile(r"^\s+(\d{3} ?\d{3})\s*$", re.MULTILINE)
_NONCE = re.compile(r'name="nonce" value="([0-9a-f]+)"')


def link_and_code(content: bytes) -> tuple[str, str] | None:
    """What a person reads in one of our mails; None where it carries no link."""
    body = message_from_bytes(content, policy=default).get_body()
    text = body.get_content() if body else ""
    link, code = _LINK.search(text), _CODE.search(text)
    return (link[1], code[1] if code else "") if link else None


def confirm(link: str, code: str) -> str:
    """Open the page, press "I sent this", and give the page that follows.

    Raises `OSError` where the page cannot be had, `ValueError` where it asks nothing.
    """
    cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    browser = urllib.request.build_opener(cookies)
    with browser.open(link, timeout=10) as page:
        nonce = _NONCE.search(page.read().decode())
    if nonce is None:
        raise ValueError("the page asks nothing: the link was used before, or has expired")
    form = urllib.parse.urlencode({"nonce": nonce[1], "choice": "confirm", "code": code})
    with browser.open(link, form.encode(), timeout=20) as answer:
        shown: bytes = answer.read()
    return shown.decode()
