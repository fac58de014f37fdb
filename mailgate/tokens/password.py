"""Passwords of staff: argon2id (RFC 9106), and a check that takes as long for nobody as for one."""

from __future__ import annotations

import base64
import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from mailgate.clock import Random

#: At least so many characters (ASVS 5.0, 6.2.1); only a person's own words need to be counted.
SHORTEST, LONGEST = 12, 256
#: One check takes 64 MiB; so many run at once, whoever asks.
_AT_ONCE = 2


def new_password(random: Random) -> str:
    """100 bits in five groups that can be read aloud, for an account that is being made."""
    letters = base64.b32encode(random(13)).decode("ascii").lower()[:20]
    return "-".join(letters[at : at + 4] for at in range(0, 20, 4))


class Passwords:
    """Hashes by the parameters of RFC 9106 §4, second choice: what argon2-cffi takes by itself."""

    def __init__(self, random: Random, hasher: PasswordHasher | None = None) -> None:
        self._random = random
        self._hasher = hasher or PasswordHasher()
        self._room = threading.BoundedSemaphore(_AT_ONCE)
        self._nobodys = self.hash(random(16).hex())

    def hash(self, password: str) -> str:
        return self._hasher.hash(_octets(password), salt=self._random(16))

    def matches(self, password: str, known: str | None) -> bool:
        """Whether it is the password of that hash. Of somebody unknown (None) a hash of nobody is
        worked through, so that the answer takes as long (promise W5)."""
        with self._room:
            try:
                self._hasher.verify(known or self._nobodys, _octets(password[:LONGEST]))
            except (Argon2Error, InvalidHashError):
                return False
        return known is not None


def _octets(password: str) -> bytes:
    """One way to write what can be typed in two (RFC 8265 §4.2.1: Unicode form NFC)."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
