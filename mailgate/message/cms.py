"""The content of an opaque S/MIME signature (RFC 5652 §5, RFC 8551 §3.5.2); nothing is verified."""

from __future__ import annotations

from dataclasses import dataclass

TYPES = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})

_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_SEQUENCE, _OCTETS, _EXPLICIT = 0x30, 0x04, 0xA0
_CONSTRUCTED = 0x20
_MAX_DEPTH = 10


class _BadEncodingError(ValueError):
    """The octets are no BER."""


@dataclass(frozen=True, slots=True)
class _Element:
    """One element of BER: its tag, where its value stands, and where the next one begins."""

    tag: int
    start: int
    end: int
    next: int


def signed_content(octets: bytes) -> bytes | None:
    """What was signed: the octets of a MIME entity; None where these hold no signed content."""
    if _SIGNED_DATA not in octets[:64]:
        return None
    try:
        info = _elements(octets, _first(octets, 0, len(octets), _SEQUENCE))
        explicit = next(e for e in info if e.tag == _EXPLICIT)
        data = _first(octets, explicit.start, explicit.end, _SEQUENCE)
        encapsulated = next(e for e in _elements(octets, data) if e.tag == _SEQUENCE)
        content = next(e for e in _elements(octets, encapsulated) if e.tag == _EXPLICIT)
        return _octet_string(octets, _element(octets, content.start, content.end))
    except (_BadEncodingError, StopIteration):
        return None


def _octet_string(octets: bytes, element: _Element, depth: int = 0) -> bytes:
    """An OCTET STRING in one piece or, as streaming writers have it, in many (X.690 §8.7)."""
    if element.tag == _OCTETS:
        return octets[element.start : element.end]
    if element.tag != _OCTETS | _CONSTRUCTED or depth > _MAX_DEPTH:
        raise _BadEncodingError
    return b"".join(_octet_string(octets, e, depth + 1) for e in _elements(octets, element))


def _first(octets: bytes, start: int, end: int, tag: int) -> _Element:
    element = _element(octets, start, end)
    if element.tag != tag:
        raise _BadEncodingError
    return element


def _elements(octets: bytes, parent: _Element) -> list[_Element]:
    found = []
    at = parent.start
    while at < parent.end:
        element = _element(octets, at, parent.end)
        found.append(element)
        at = element.next
    return found


def _element(octets: bytes, at: int, end: int, depth: int = 0) -> _Element:
    """Tag, length, value (X.690 §8.1); an indefinite length ends with two zero octets."""
    if at + 2 > end or depth > _MAX_DEPTH:
        raise _BadEncodingError
    tag, length = octets[at], octets[at + 1]
    start = at + 2
    if length == 0x80:
        inner = start
        while octets[inner : inner + 2] != b"\0\0":
            inner = _element(octets, inner, end, depth + 1).next
        return _Element(tag, start, inner, inner + 2)
    if length > 0x80:
        start += length - 0x80
        length = int.from_bytes(octets[at + 2 : start], "big")
    if start + length > end:
        raise _BadEncodingError
    return _Element(tag, start, start + length, start + length)
