"""Browsers that staff have signed in with before: strangers cannot lock their owners out of those.

Whoever knows a login can use up its tries, again and again. A browser that has once signed in as
that person therefore counts its tries apart ("device cookies", OWASP Authentication Cheat Sheet).
The cookie opens nothing by itself.
"""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response

from mailgate.clock import Random
from mailgate.tokens.keys import Keys

_PURPOSE = "staff device"
_SHAPE = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{64})")
_YEAR = 365 * 86400


class Devices:
    def __init__(self, keys: Keys, random: Random, *, secure: bool) -> None:
        self._keys = keys
        self._random = random
        self._secure = secure
        self._cookie = f"{'__Host-' if secure else ''}mailgate-device"

    def of(self, request: Request, login: str) -> str | None:
        """The name of this browser, if that very person has signed in with it before."""
        found = _SHAPE.fullmatch(request.cookies.get(self._cookie, ""))
        if found and self._keys.matches(found[2], bytes.hex, _PURPOSE, login, found[1]):
            return found[1]
        return None

    def remember(self, response: Response, login: str) -> None:
        name = self._random(16).hex()
        mac = self._keys.mac(_PURPOSE, login, name).hex()
        response.set_cookie(
            self._cookie,
            f"{name}.{mac}",
            max_age=_YEAR,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="strict",
        )
