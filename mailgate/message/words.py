"""Header text for people: encoded words (RFC 2047) in all their broken forms, and raw octets."""

from __future__ import annotations

import re

from mailgate.message import charsets, transfer

_WORD = re.compile(r"=\?([^?\s=]+)\?([bBqQ])\?(.*?)\?=", re.DOTALL)
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]+")
_LANGUAGE = re.compile(r"\*.*", re.DOTALL)  # RFC 2231 §5


def decode(body: str, charset: str = "") -> str:
    """Text of an unfolded field body; `charset` is the guess for raw octets (RFC 6532: UTF-8)."""
    if not body.isascii():
        body = charsets.decode(body.encode("utf-8", "surrogateescape"), charset)
    elif "\x1b$" in body or "\x1b(" in body:  # ISO-2022-JP without encoded words
        body = charsets.decode(body.encode("ascii"), "iso-2022-jp")
    if "=?" in body:
        body = _words(body)
    return _CONTROLS.sub(" ", body) if not body.isprintable() else body


def _words(body: str) -> str:
    """Decode each encoded word; white space between two of them is dropped (RFC 2047 §6.2).

    Neighbours of one charset are joined before decoding: senders split words inside characters.
    """
    out: list[str] = []
    run: list[tuple[str, str, str]] = []
    end = 0
    last = body.rfind("?=") + 2  # so that no word is sought beyond: the search stays linear
    for match in _WORD.finditer(body, 0, last):
        between = body[end : match.start()]
        if not run or between.strip():
            out.append(_run(run))
            run = []
            out.append(between)
        run.append((_LANGUAGE.sub("", match[1]).lower(), match[2].lower(), match[3]))
        end = match.end()
    out.append(_run(run))
    out.append(body[end:])
    return "".join(out)


def _run(run: list[tuple[str, str, str]]) -> str:
    out: list[str] = []
    at = 0
    while at < len(run):
        charset = run[at][0]
        octets = b""
        pending = ""  # base64 that was cut off inside a group of four
        while at < len(run) and run[at][0] == charset:
            _, encoding, text = run[at]
            at += 1
            if encoding == "q":
                octets += _q(text)
                continue
            pending += text
            last = at == len(run) or run[at][:2] != (charset, "b")
            if last or "=" in text or len(pending) % 4 == 0:
                octets += transfer.base64(pending.encode("utf-8"))
                pending = ""
        out.append(charsets.decode(octets, charset))
    return "".join(out)


def _q(text: str) -> bytes:
    spaced = text.replace("_", " ").replace("\n", " ").replace("\r", "")
    # A trailing "=" would read as a soft line break; quoting it keeps the character.
    return transfer.quoted_printable(re.sub(r"=(?![0-9A-Fa-f]{2})", "=3D", spaced).encode("utf-8"))
