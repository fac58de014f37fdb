"""Parameters of MIME fields (RFC 2045 §5.1, RFC 2231), tolerant of what senders make of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from mailgate.message import charsets, words

_MAX_PARAMS = 100
_FAST = re.compile(
    r'\s*([^\s/;"=()]+/[^\s/;"=()]+)\s*(?:;\s*([\w-]+)\s*=\s*(?:"([^"\\=]*)"|([^\s;"=()]+)))?\s*;?'
)
_PARAM = re.compile(
    r"""[\s;]*([^\s=;"*]+)(?:\*(\d{1,4}))?(\*)?\s*=\s*
        (?:"((?:[^"\\]|\\.)*)(?:"|$)|([^;"]*))""",
    re.VERBOSE | re.DOTALL,
)
_ENDS_VALUE = re.compile(r"\s*(?:;|$)|\s+\S+\s*=")
_NO_SEMICOLON = re.compile(r"\s*(?:([^\s=\"]+)\s+)?([^\s=\"]+\s*=.*)", re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\])')


def parse(body: str) -> tuple[str, Mapping[str, str]]:
    """The value before the first semicolon, lower-case, and the parameters after it, decoded."""
    match = _FAST.fullmatch(body)
    if match and body.isascii():
        value, name, quoted, token = match.groups()
        if name is None:
            return value.lower(), {}
        return value.lower(), {name.lower(): token if quoted is None else quoted}
    value, _, rest = _without_comments(body).partition(";")
    if "=" in value and (forgotten := _NO_SEMICOLON.match(value)):
        value, rest = forgotten[1] or "", f"{forgotten[2]};{rest}"
    return value.strip(" \t\"'").lower(), _parameters(rest)


def _parameters(rest: str) -> dict[str, str]:
    plain: dict[str, str] = {}
    pieces: dict[str, list[tuple[int, bool, str]]] = {}
    at = 0
    for _ in range(_MAX_PARAMS):
        match = _PARAM.match(rest, at)
        if match is None:
            after = rest.find(";", at)
            if after < 0:
                break
            at = after + 1
            continue
        at = match.end()
        name, number, extended, quoted, token = match.groups()
        value = _unquoted(token) if quoted is None else _ESCAPED.sub(r"\1", quoted)
        if number is None and extended is None:
            name = name.lower()
            plain.setdefault(name, value.rstrip() if name == "boundary" else words.decode(value))
        else:
            pieces.setdefault(name.lower(), []).append((int(number or 0), bool(extended), value))
    for name, found in pieces.items():
        # RFC 6266 §4.3: the extended form is preferred
        plain[name] = _joined(found) or plain.get(name, "")
    return plain


def _unquoted(token: str) -> str:
    """A value without quotes, or in the quotes of another language than this."""
    value = token.strip()
    return value[1:-1] if len(value) > 2 and value[0] == value[-1] == "'" else value


def _joined(pieces: list[tuple[int, bool, str]]) -> str:
    """RFC 2231 §3-4: continuations in order; charset and language stand in the first."""
    pieces.sort(key=lambda p: p[0])
    charset = ""
    octets = b""
    for at, (_, extended, value) in enumerate(pieces):
        rest = value
        if extended and at == 0 and value.count("'") >= 2:
            charset, _, rest = value.split("'", 2)
        raw = rest.encode("utf-8", "surrogateescape")
        octets += unquote_to_bytes(raw) if extended else raw
    return words.decode(charsets.decode(octets, charset))


def _without_comments(body: str) -> str:
    """Drop comments (RFC 822 §3.4.3) outside quoted strings, where any stand at all.

    Brackets inside an unquoted value, as in `name=report (1).pdf`, are part of it.
    """
    if "(" not in body:
        return body
    out: list[str] = []
    opened: list[int] = []  # where in `out` each open comment begins
    quoted = escaped = False
    for at, char in enumerate(body):
        out.append(char)
        if escaped:
            escaped = False
        elif char == "\\" and (quoted or opened):
            escaped = True
        elif char == '"' and not opened:
            quoted = not quoted
        elif char == "(" and not quoted:
            opened.append(len(out) - 1)
        elif char == ")" and opened:
            start = opened.pop()
            if not opened and (start == 0 or _ENDS_VALUE.match(body, at + 1)):
                del out[start:]
    return "".join(out)
