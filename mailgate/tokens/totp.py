"""The second proof of staff: six digits that change every 30 seconds (TOTP, RFC 6238)."""

from __future__ import annotations

import base64
import re
import secrets
from datetime import datetime

from pyotp import TOTP

from mailgate.clock import Random

_STEP = 30
_CODE = re.compile(r"[0-9]{6}", re.ASCII)
#: Steps before and after that count too, for clocks that differ (RFC 6238 §5.2).
_NEAR = (0, -1, 1)


def new_secret(random: Random) -> str:
    """160 bits in base 32, as authenticator programs take them."""
    return base64.b32encode(random(20)).decode("ascii")


def uri(secret: str, login: str, issuer: str) -> str:
    """The address behind the QR code by which an authenticator learns the secret."""
    return TOTP(secret).provisioning_uri(name=login, issuer_name=issuer)


def code(secret: str, at: datetime) -> str:
    return TOTP(secret).generate_otp(_step(at))


def matching_step(secret: str, typed: str, at: datetime) -> int | None:
    """The time step that the code is of, None where it is of no step near now.

    The step is to be used up by whoever asks: the same code must not count twice (§5.2).
    """
    plain = "".join(typed[:16].split())
    if not _CODE.fullmatch(plain):
        return None
    steps = [_step(at) + near for near in _NEAR]
    right = [s for s in steps if secrets.compare_digest(TOTP(secret).generate_otp(s), plain)]
    return right[0] if right else None


def _step(at: datetime) -> int:
    return int(at.timestamp()) // _STEP
