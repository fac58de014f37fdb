"""The confirmation link: a token nobody can guess, and the six digits a person types."""

from __future__ import annotations

import base64
import hashlib
import re

from mailgate.clock import Random
from mailgate.tokens.keys import Keys

_TOKEN, _CODE = "link", "link code"
_SPACES = re.compile(r"[\s\-]+")


def new_nonce(random: Random) -> str:
    """128 bits of chance; the row of the link keeps it, and without the keys it opens nothing."""
    return random(16).hex()


def token(keys: Keys, nonce: str) -> str:
    """160 bits in 32 letters and digits: no case to get wrong, nothing a line break eats."""
    return base64.b32encode(keys.mac(_TOKEN, nonce)[:20]).decode("ascii").lower()


def sha256(token: str) -> str:
    """What the database knows a token by (promise L4)."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def code(keys: Keys, nonce: str) -> str:
    return digits(keys.mac(_CODE, nonce))


def code_matches(keys: Keys, nonce: str, typed: str) -> bool:
    """Whether a person typed the code; blanks and hyphens between the digits do not matter."""
    return keys.matches(squeezed(typed), digits, _CODE, nonce)


def squeezed(typed: str) -> str:
    """Digits as a person typed them, without what stands between them."""
    return _SPACES.sub("", typed[:100])[:16]


def digits(mac: bytes) -> str:
    """The six digits of a code that a person types."""
    # 64 bits modulo a million: the bias is below 10^-13.
    return f"{int.from_bytes(mac[:8], 'big') % 1_000_000:06d}"
