"""A key made for the tests, zones in a dict, and mails signed with the one for the other."""

from __future__ import annotations

import base64
import functools
import random
from collections.abc import Iterable, Sequence
from typing import Any

import dkim

from mailgate.message.verification import Unresolved

SELECTOR = "s1"


def _prime(bits: int, chance: random.Random) -> int:
    while True:
        candidate = chance.getrandbits(bits) | (3 << (bits - 2)) | 1
        if all(pow(base, candidate - 1, candidate) == 1 for base in (2, 3, 5, 7, 11)):
            return candidate


def _der(tag: int, value: bytes) -> bytes:
    size = len(value).to_bytes(2, "big")
    return bytes([tag, 0x82]) + size + value


def _integers(*numbers: int) -> bytes:
    encoded = (_der(2, n.to_bytes(n.bit_length() // 8 + 1, "big")) for n in numbers)
    return _der(0x30, b"".join(encoded))


@functools.cache
def key(seed: int = 1, bits: int = 1024) -> tuple[bytes, str]:
    """A private key as PEM, and the text of its record in the DNS."""
    chance = random.Random(seed)
    e, p, q = 65537, _prime(bits // 2, chance), _prime(bits // 2, chance)
    d = pow(e, -1, (p - 1) * (q - 1))
    private = _integers(0, p * q, e, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))
    lines = base64.encodebytes(private)
    pem = b"-----BEGIN RSA PRIVATE KEY-----\n" + lines + b"-----END RSA PRIVATE KEY-----\n"
    return pem, f"v=DKIM1; k=rsa; p={base64.b64encode(_integers(p * q, e)).decode()}"


#: The key of RFC 8463 §A.2, and the text of its record.
ED25519 = b"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
ED25519_RECORD = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="


def signed(content: bytes, domain: str, *, seed: int = 1, **options: Any) -> bytes:
    """The message with a DKIM signature of the domain above it."""
    options.setdefault("include_headers", [b"From", b"Subject", b"To"])
    options.setdefault("canonicalize", (b"relaxed", b"relaxed"))
    short = options.get("signature_algorithm") == b"ed25519-sha256"
    secret = ED25519 if short else key(seed)[0]
    field = dkim.sign(content, SELECTOR.encode(), domain.encode(), secret, **options)
    return bytes(field) + content


def sealed(content: bytes, domain: str, results: str, *, seed: int = 1) -> bytes:
    """What a forwarder makes of a message in which its filter found these results."""
    found = f"Authentication-Results: mx.{domain}; {results}\r\n".encode() + content
    fields = dkim.arc_sign(
        found, SELECTOR.encode(), domain.encode(), key(seed)[0], f"mx.{domain}".encode(),
        include_headers=[b"from", b"subject"],
    )  # fmt: skip
    return b"".join(fields) + content


class Zones:
    """A resolver over a dict of names and their TXT records, or of pairs of name and type."""

    def __init__(self, *keys_of: str, broken: Iterable[str] = ()) -> None:
        self.records: dict[tuple[str, str], Sequence[str]] = {}
        self.broken = frozenset(broken)
        self.asked: list[str] = []
        for domain in keys_of:
            self.txt(f"{SELECTOR}._domainkey.{domain}", key()[1])

    def txt(self, name: str, *texts: str) -> Zones:
        self.records[name, "TXT"] = texts
        return self

    def __call__(self, name: str, kind: str) -> Sequence[str]:
        self.asked.append(name)
        if name in self.broken:
            raise Unresolved(name)
        return self.records.get((name, kind), ())
