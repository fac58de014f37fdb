"""Outlook's winmail.dat (MS-OXTNEF): the files and the text inside it."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from mailgate.message import charsets

TYPES = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})

_SIGNATURE = 0x223E9F78
_MAX_FILES = 500
MAX_ATTRIBUTES = 20_000
_BODY, _RENDER_DATA, _TITLE, _DATA = 0x0002800C, 0x00069002, 0x00018010, 0x0006800F
_ATTACHMENT_PROPS, _MESSAGE_PROPS, _CODEPAGE = 0x00069005, 0x00069003, 0x00069007
_LONG_NAME, _NAME, _MIME_TYPE, _OBJECT = 0x3707, 0x3704, 0x370E, 0x3701
_TEXT_BODY, _HTML_BODY = 0x1000, 0x1013
_FIXED = {0x0002: 4, 0x0003: 4, 0x0004: 4, 0x0005: 8, 0x0006: 8, 0x0007: 8, 0x000A: 4, 0x000B: 4,
          0x0014: 8, 0x0040: 8, 0x0048: 16}  # fmt: skip
_STRING8, _UNICODE, _OBJECT_TYPE, _BINARY = 0x001E, 0x001F, 0x000D, 0x0102


@dataclass(slots=True)
class File:
    name: str = ""
    content_type: str = "application/octet-stream"
    octets: bytes = b""


@dataclass(slots=True)
class Content:
    """What an envelope holds; `text` and `html` are "" where it has no such body."""

    files: list[File] = field(default_factory=list)
    text: str = ""
    html: str = ""


def read(octets: bytes) -> Content | None:
    """The content of a TNEF stream, as far as it can be read; None where it is none."""
    if len(octets) < 6 or struct.unpack_from("<I", octets)[0] != _SIGNATURE:
        return None
    content = Content()
    codepage = "cp1252"
    at = 6
    for _ in range(MAX_ATTRIBUTES):
        if at + 9 > len(octets):
            break
        tag, length = struct.unpack_from("<II", octets, at + 1)
        value = octets[at + 9 : at + 9 + length]
        at += 9 + length + 2  # the checksum is not checked: senders get it wrong
        if tag == _CODEPAGE and len(value) >= 4:
            codepage = f"cp{struct.unpack_from('<I', value)[0]}"
        elif tag == _RENDER_DATA and len(content.files) < _MAX_FILES:
            content.files.append(File())
        elif tag == _BODY:
            content.text = charsets.decode(value.rstrip(b"\0"), codepage)
        elif tag == _MESSAGE_PROPS:
            properties = _properties(value)
            content.text = content.text or _string(properties.get(_TEXT_BODY), codepage)
            kind, raw = properties.get(_HTML_BODY, (0, b""))
            content.html = charsets.decode(raw, codepage) if kind == _BINARY else ""
        elif content.files:
            _fill(content.files[-1], tag, value, codepage)
    return content


def _fill(file: File, tag: int, value: bytes, codepage: str) -> None:
    if tag == _TITLE and not file.name:
        file.name = charsets.decode(value.rstrip(b"\0"), codepage)
    elif tag == _DATA:
        file.octets = value
    elif tag == _ATTACHMENT_PROPS:
        properties = _properties(value)
        file.name = (
            _string(properties.get(_LONG_NAME), codepage)
            or file.name
            or _string(properties.get(_NAME), codepage)
        )
        file.content_type = _string(properties.get(_MIME_TYPE), codepage) or file.content_type
        kind, raw = properties.get(_OBJECT, (0, b""))
        if not file.octets and kind == _OBJECT_TYPE:
            file.octets = raw[16:]  # behind the interface identifier


def _string(found: tuple[int, bytes] | None, codepage: str) -> str:
    if found is None or found[0] not in (_STRING8, _UNICODE):
        return ""
    kind, raw = found
    if kind == _UNICODE:
        return raw.decode("utf-16-le", "replace").rstrip("\0")
    return charsets.decode(raw.rstrip(b"\0"), codepage)


def _properties(octets: bytes) -> dict[int, tuple[int, bytes]]:
    """MAPI properties by id; reading ends quietly where the stream does not make sense."""
    found: dict[int, tuple[int, bytes]] = {}
    try:
        (count,) = struct.unpack_from("<I", octets)
        at = 4
        for _ in range(min(count, 2000)):
            kind, name = struct.unpack_from("<HH", octets, at)
            at += 4
            if name >= 0x8000:
                at = _after_name(octets, at)
            value, at = _value(octets, at, kind)
            found.setdefault(name, (kind & 0x0FFF, value))
    except struct.error:
        return found
    return found


def _after_name(octets: bytes, at: int) -> int:
    """Skip the name of a named property (MS-OXTNEF §2.1.3.4)."""
    kind = int.from_bytes(octets[at + 16 : at + 20], "little")
    if kind == 0:
        return at + 24
    length = int.from_bytes(octets[at + 20 : at + 24], "little")
    return at + 24 + length + -length % 4


def _value(octets: bytes, at: int, kind: int) -> tuple[bytes, int]:
    base = kind & 0x0FFF
    if base in _FIXED and not kind & 0x1000:
        size = _FIXED[base]
        return octets[at : at + size], at + size
    (count,) = struct.unpack_from("<I", octets, at)
    at += 4
    value = b""
    for _ in range(min(count, 1000)):
        if base in _FIXED:
            at += _FIXED[base]
            continue
        (length,) = struct.unpack_from("<I", octets, at)
        at += 4
        value = octets[at : at + length]
        at += length + -length % 4
    return value, at
