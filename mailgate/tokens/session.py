"""What opens a session and what keeps it: the cookie's token, one-time links, and CSRF tokens."""

from __future__ import annotations

import base64

from mailgate.clock import Random
from mailgate.tokens.keys import Keys
from mailgate.tokens.link import new_nonce, sha256

__all__ = ["csrf_token", "new_nonce", "session_token", "sha256", "sign_in_token"]

_PURPOSE = "sign-in link"


def session_token(random: Random) -> str:
    """256 bits of chance for a cookie; the database knows it by `sha256` alone."""
    return random(32).hex()


def csrf_token(random: Random) -> str:
    return random(16).hex()


def sign_in_token(keys: Keys, nonce: str) -> str:
    """160 bits that follow from the nonce and the key, as for every link that is mailed."""
    return base64.b32encode(keys.mac(_PURPOSE, nonce)[:20]).decode("ascii").lower()
