"""The links by which a change of address is confirmed: one for each side, and a code for the old.

The code keeps a mail scanner, which follows links and presses buttons, from giving an account's
main address away (as for confirmation links, promise L3).
"""

from __future__ import annotations

import base64

from mailgate.model.people import Side
from mailgate.tokens.keys import Keys
from mailgate.tokens.link import digits, new_nonce, sha256, squeezed

__all__ = ["code", "code_matches", "new_nonce", "sha256", "token"]

_TOKEN, _CODE = "address change", "address change code"


def token(keys: Keys, nonce: str, side: Side) -> str:
    return base64.b32encode(keys.mac(_TOKEN, nonce, side)[:20]).decode("ascii").lower()


def code(keys: Keys, nonce: str) -> str:
    """Six digits in the mail to the old address, to be typed on the page."""
    return digits(keys.mac(_CODE, nonce))


def code_matches(keys: Keys, nonce: str, typed: str) -> bool:
    return keys.matches(squeezed(typed), digits, _CODE, nonce)
