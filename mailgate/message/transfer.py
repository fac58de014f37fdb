"""Content-Transfer-Encoding (RFC 2045 §6) and uuencoding undone, however broken the octets are."""

from __future__ import annotations

import binascii
import io
import re

#: Files that are taken out of running text; what more stands there stays text.
MAX_UU_FILES = 100

_SOFT_BREAK_PADDED = re.compile(rb"=[ \t]+(?=\r?\n)")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_UU_BEGIN = re.compile(rb"^begin(?:-base64)? [0-7]{3,4} ?([^\r\n]*)\r?$", re.MULTILINE)
_UU_FILE = re.compile(
    r"^begin [0-7]{3,4} ([^\n]{1,255})\n((?:[!-`][ -`]{0,90}+[^\n]{0,5}+\n)++)[` ]?\n?end[ \t]*$",
    re.MULTILINE,
)


def decode(octets: bytes, encoding: str) -> bytes:
    """Octets behind a transfer encoding; an unknown one counts as none (RFC 2045 §6.4)."""
    if encoding == "base64":
        return base64(octets)
    if encoding == "quoted-printable":
        return quoted_printable(octets)
    if encoding in ("x-uuencode", "uuencode", "x-uue", "uue"):
        return uu(octets)
    return octets


def base64(octets: bytes) -> bytes:
    """RFC 2045 §6.8: foreign octets are skipped, padding ends the data, lost padding is added."""
    try:
        return binascii.a2b_base64(octets)
    except binascii.Error:
        data = _NOT_BASE64.sub(b"", octets.partition(b"=")[0])
        if len(data) % 4 == 1:  # a lone last character carries no octet
            data = data[:-1]
        return binascii.a2b_base64(data + b"=" * (-len(data) % 4))


def quoted_printable(octets: bytes) -> bytes:
    """RFC 2045 §6.7; an `=` that starts no code stays as it is."""
    if b"= " in octets or b"=\t" in octets:
        octets = _SOFT_BREAK_PADDED.sub(b"=", octets)
    return binascii.a2b_qp(octets)


def uu(octets: bytes) -> bytes:
    """The first uuencoded file in the octets; without a `begin` line they are given back."""
    begin = _UU_BEGIN.search(octets)
    if begin is None:
        return octets
    if begin[0].startswith(b"begin-base64"):
        return base64(octets[begin.end() :].partition(b"====")[0])
    decoded = bytearray()
    for line in io.BytesIO(octets[begin.end() :].lstrip(b"\r\n")):  # all lines would fill memory
        if line.strip() == b"end":
            break
        decoded += _uu_line(line.rstrip(b"\r\n"))
    return bytes(decoded)


def uu_files(text: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Running text without the files in it, as mail carried them before MIME, and the files as
    name and octets."""
    found: list[tuple[str, bytes]] = []

    def take(match: re.Match[str]) -> str:
        found.append((match[1].strip(), uu(match[0].encode("ascii", "replace"))))
        return ""

    return _UU_FILE.sub(take, text, count=MAX_UU_FILES), found


def _uu_line(line: bytes) -> bytes:
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:  # trailing garbage: trust the length that the line begins with
        length = (((line[0] - 32) & 63) + 2) // 3 * 4 if line else 0
        try:
            return binascii.a2b_uu(line[: length + 1])
        except binascii.Error:
            return b""
