"""Access tokens: `mgt-` and 130 bits, made again from nonce and key when they are mailed."""

from __future__ import annotations

import base64
import re

from mailgate.clock import Random
from mailgate.tokens.keys import Keys
from mailgate.tokens.link import new_nonce, sha256

__all__ = ["api_token", "new_nonce", "normalised", "sha256", "token"]

_PURPOSE = "access token"
_SHAPE = re.compile(r"mgt-[a-z2-7]{26}")
_BLANKS = re.compile(r"\s+")


def token(keys: Keys, nonce: str) -> str:
    """26 letters and digits after the mark: base 32, so no case to get wrong."""
    return f"mgt-{_letters(keys.mac(_PURPOSE, nonce))}"


def normalised(typed: str) -> str | None:
    """What a person pasted as it was issued: without blanks and in lower case; None where it is
    no access token at all."""
    plain = _BLANKS.sub("", typed[:200]).lower()
    return plain if _SHAPE.fullmatch(plain) else None


def api_token(random: Random) -> str:
    """A token of a staff member for the API; shown once, hence of pure chance."""
    return f"mga-{_letters(random(32))}"


def _letters(octets: bytes) -> str:
    return base64.b32encode(octets).decode("ascii").lower()[:26]
