"""The secret keys every token is made with: newest first, the newest signs, all of them verify."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from mailgate.clock import Random

OCTETS = 32
"""A key is at least as long as the output of the hash it is used with (RFC 2104 §3)."""

_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")


class BadKeys(Exception):
    """The key file cannot be used; the text says why, and never what the file holds."""


@dataclass(frozen=True, slots=True)
class Keys:
    """All keys in use. `secrets` stays out of repr(), so that no log or traceback shows it."""

    secrets: tuple[bytes, ...] = field(repr=False)

    def __post_init__(self) -> None:
        if not self.secrets:
            raise BadKeys("there is no key")
        if any(len(secret) < OCTETS for secret in self.secrets):
            raise BadKeys(f"a key is shorter than {OCTETS} octets ({2 * OCTETS} hex digits)")
        if len(set(self.secrets)) != len(self.secrets):
            raise BadKeys("the same key stands there twice")

    @classmethod
    def generate(cls, random: Random) -> Keys:
        return cls((random(OCTETS),))

    @classmethod
    def load(cls, path: Path) -> Keys:
        """Read one hex key a line, newest first; empty lines and `#` comments are skipped.

        Raises `BadKeys` where the file is missing, readable by others, or holds anything else.
        """
        try:
            return cls(_read(path))
        except OSError as error:
            raise BadKeys(f"{path}: {error.strerror}") from error
        except BadKeys as error:
            raise BadKeys(f"{path}: {error}") from None

    def save(self, path: Path) -> None:
        """Write a new file only its owner can read; an existing one is never overwritten.

        Losing keys makes every code and link that is out there worthless, hence O_EXCL.
        """
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.writelines(secret.hex() + "\n" for secret in self.secrets)
            file.flush()
            os.fsync(file.fileno())

    def mac(self, purpose: str, *parts: str) -> bytes:
        """HMAC-SHA256 by the newest key over purpose and parts."""
        return _mac(self.secrets[0], purpose, parts)

    def matches(self, given: str, form: Callable[[bytes], str], purpose: str, *parts: str) -> bool:
        """Whether `given` is `form(mac)` under any key."""
        return self.signer(given, form, purpose, *parts) is not None

    def signer(
        self, given: str, form: Callable[[bytes], str], purpose: str, *parts: str
    ) -> Keys | None:
        """The same keys, with the one that made `given` as the newest; None where none did.

        Every key is tried and compared in constant time, so that timing tells nothing.
        """
        octets = given.encode("utf-8", "surrogatepass")
        found = [
            hmac.compare_digest(octets, form(_mac(secret, purpose, parts)).encode())
            for secret in self.secrets
        ]
        if True not in found:
            return None
        made_by = self.secrets[found.index(True)]
        return replace(self, secrets=(made_by, *(s for s in self.secrets if s != made_by)))


def _mac(secret: bytes, purpose: str, parts: tuple[str, ...]) -> bytes:
    """Each part goes in with its length, so that ("ab", "c") and ("a", "bc") differ.

    hmac alone, not itsdangerous: that library signs a payload and carries it along, while our
    tokens have shapes of their own (20 hex digits in a subject, a local-part, a Message-ID) and
    what they stand for lies in the database.
    """
    digest = hmac.new(secret, digestmod=hashlib.sha256)
    for part in (purpose, *parts):
        octets = part.encode("utf-8")
        digest.update(len(octets).to_bytes(8, "big") + octets)
    return digest.digest()


def read_private(path: Path) -> bytes:
    """The octets of a file that nobody but its owner may touch; raises `BadKeys` or `OSError`."""
    with path.open("rb") as file:
        # The open file is asked, not the path: nobody can swap it in between.
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            raise BadKeys(f"mode {mode:04o} lets others at it; say chmod 600")
        return file.read()


def _read(path: Path) -> tuple[bytes, ...]:
    secrets = []
    content = read_private(path).decode("ascii", "replace")
    for number, line in enumerate(content.splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if _HEX.fullmatch(text) is None:
            raise BadKeys(f"line {number} is not a key in hex digits")
        secrets.append(bytes.fromhex(text))
    return tuple(secrets)
