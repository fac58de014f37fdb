"""Ways to break a message that leave the octets of its From field alone."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

VICTIM = b"admin@ofiara.example"
_FROM = re.compile(rb"^From: [^\n]*\n(?:[ \t][^\n]*\n)*", re.MULTILINE)

_WORDS = (
    b"\r", b"\0", b"\t", b" ", b"\x0b", b"\x0c", b"\x1b$B", b"\xff", b"\xc5", b"\xe2\x80\xae",
    b"=", b"==", b"=?utf-8?B?", b"=?utf-7?Q?+AGE-?=", b"?=", b"=?x?b?!?=", b"(", b")", b"((((",
    b"<", b">", b"<>", b"@", b"@@", b",", b";", b":", b'"', b"\\", b"'", b"[", b"]",
    b"--", b"--alt", b"--=_mix--",
    b"boundary=", b"charset=utf-16", b"charset=idna", b"charset=\xff",
    b"; name*0*=x''%", b"; name*9=",
    b"Content-Type: multipart/mixed; boundary=a", b"Content-Transfer-Encoding: base64",
    b"<!--", b"<script>", b"<a href='", b"&#55296;", b"&#x110000;", b"begin 644 x", b"`", b"end",
    b"Sender: " + VICTIM, b"Resent-From: " + VICTIM, b"Reply-To: " + VICTIM, b" <" + VICTIM + b">",
    b"," + VICTIM, b" (" + VICTIM + b")", b"\rFrom: " + VICTIM, b"\0From: " + VICTIM,
    b"\r From: " + VICTIM, b"X-Original-From: " + VICTIM, b"From " + VICTIM, b"9" * 400,
    b"Mon, 99 Foo 99999999999999999999 99:99:99 +9999", b"Date: -1 Jan 0000 24:60:60 -2400",
    b"Auto-Submitted: ", b"Message-ID: <[", b"References: <<<>>>", b"\xef\xbb\xbf", b"%00", b"\n\n",
)  # fmt: skip


def mutate(seed: bytes, other: bytes, chance: random.Random) -> bytes:
    """One to six changes, each outside the From field as the seed has it."""
    kept = _FROM.search(seed)
    assert kept is not None
    before, author, after = seed[: kept.start()], kept[0], seed[kept.end() :]
    crlf = b"\r\n" in seed
    for _ in range(chance.randint(1, 6)):
        change = chance.choice(_CHANGES)
        if chance.random() < 0.4 and before:
            before = change(before, other, chance, crlf)
        else:
            after = change(after, other, chance, crlf)
    return before + author + after


def _at(octets: bytes, chance: random.Random) -> int:
    """A place, half the time in the first 600 octets, where the fields are."""
    end = len(octets) if chance.random() < 0.5 else min(600, len(octets))
    return chance.randint(0, end)


def _insert(octets: bytes, _other: bytes, chance: random.Random, crlf: bool) -> bytes:
    at = _at(octets, chance)
    word = chance.choice(_WORDS)
    if crlf and chance.random() < 0.1:
        word = b"\nFrom: " + VICTIM + b"\n"  # a bare LF ends no line here
    return octets[:at] + word * chance.choice((1, 1, 1, 2, 50)) + octets[at:]


def _delete(octets: bytes, _other: bytes, chance: random.Random, _crlf: bool) -> bytes:
    at = _at(octets, chance)
    return octets[:at] + octets[at + chance.choice((1, 1, 2, 5, 40)) :]


def _flip(octets: bytes, _other: bytes, chance: random.Random, _crlf: bool) -> bytes:
    at = _at(octets, chance)
    return octets[:at] + bytes([chance.randrange(256)]) + octets[at + 1 :]


def _repeat(octets: bytes, _other: bytes, chance: random.Random, _crlf: bool) -> bytes:
    at = _at(octets, chance)
    end = at + chance.choice((1, 3, 20, 200))
    return octets[:end] + octets[at:end] * chance.choice((1, 2, 30)) + octets[end:]


def _truncate(octets: bytes, _other: bytes, chance: random.Random, _crlf: bool) -> bytes:
    return octets[: _at(octets, chance)]


def _splice(octets: bytes, other: bytes, chance: random.Random, _crlf: bool) -> bytes:
    """A piece of another message's body, never of its header section."""
    body = other.partition(b"\r\n\r\n")[2] or other.partition(b"\n\n")[2]
    start = _at(body, chance)
    at = _at(octets, chance)
    return octets[:at] + body[start : start + 300] + octets[at:]


def _swap_lines(octets: bytes, _other: bytes, chance: random.Random, _crlf: bool) -> bytes:
    lines = octets.split(b"\n")
    a, b = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    return b"\n".join(lines)


_CHANGES: tuple[Callable[[bytes, bytes, random.Random, bool], bytes], ...] = (
    _insert, _insert, _insert, _delete, _flip, _repeat, _truncate, _splice, _swap_lines,
)  # fmt: skip
