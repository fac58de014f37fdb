"""Octets to the part tree (RFC 2045, RFC 2046), within bounds on depth and number of parts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from mailgate.message import cms, params, section, transfer, words
from mailgate.message.mime import Part
from mailgate.model.message import Field

MAX_DEPTH = 20
MAX_PARTS = 500
#: Lines that begin like a delimiter and are none, in all parts together. Every level of nesting
#: looks at each of them, and only boundaries that begin with one another make any.
MAX_LOOKALIKES = 20_000

_ENCODINGS = frozenset(
    {
        "7bit",
        "8bit",
        "binary",
        "base64",
        "quoted-printable",
        "x-uuencode",
        "uuencode",
        "x-uue",
        "uue",
    }
)
_TYPE = re.compile(r"[a-z0-9!#$&^_.+*'-]+/[a-z0-9!#$&^_.+*'-]+")
#: What looks like a delimiter, for a multipart that does not say which one is.
_DELIMITER = re.compile(
    rb"^--(\S[^\r\n]{0,70}?)[ \t]*\r?\n(?=Content-)", re.MULTILINE | re.IGNORECASE
)
_NEAR = 20_000
_NOT_LETTERS = re.compile(r"[^a-z0-9]")  # `7-bit`, `quoted printable`
_MESSAGE_TYPES = frozenset({"message/rfc822", "message/global", "message/news"})


@dataclass(slots=True)
class Budget:
    """What is left to read, and what was found wrong on the way."""

    parts: int = MAX_PARTS
    lookalikes: int = MAX_LOOKALIKES
    limited: bool = False
    defects: dict[str, None] = field(default_factory=dict)

    def note(self, *defects: str) -> None:
        self.defects.update(dict.fromkeys(defects))


def tree(content: bytes, fields: tuple[Field, ...], body: int, budget: Budget) -> Part:
    """The tree of a message whose header section has been read already."""
    return _part(content, fields, body, len(content), 0, budget, "text/plain")


def _part(
    content: bytes,
    fields: tuple[Field, ...],
    start: int,
    end: int,
    depth: int,
    budget: Budget,
    default: str,
) -> Part:
    budget.parts -= 1
    raw_type = _body(fields, "content-type")
    content_type, parameters = params.parse(raw_type) if raw_type else (default, {})
    if not _TYPE.fullmatch(content_type):
        budget.note("content-type")
        content_type = _mended_type(content_type, default)
    encoding = _encoding(fields, budget)
    disposition, filename = _disposition(fields, parameters)
    children: tuple[Part, ...] = ()
    if content_type.startswith("multipart/"):
        if depth >= MAX_DEPTH:
            budget.limited = True
        else:
            children = _children(
                content, content_type, parameters.get("boundary", ""), start, end, depth, budget
            )
        if not children and not budget.limited:
            content_type = "text/plain"  # nothing but its own octets is left to read
    elif content_type in _MESSAGE_TYPES:
        children = _enclosed(content, start, end, encoding, depth, budget)
    elif content_type in cms.TYPES:
        signed = cms.signed_content(transfer.decode(content[start:end], encoding))
        if signed is not None:
            children = _enclosed(signed, 0, len(signed), "", depth, budget)
    return Part(
        content_type, parameters, fields, disposition, filename, content, start, end, children,
        encoding,
    )  # fmt: skip


def _children(
    content: bytes,
    content_type: str,
    boundary: str,
    start: int,
    end: int,
    depth: int,
    budget: Budget,
) -> tuple[Part, ...]:
    spans = _spans(content, boundary, start, end, budget)
    if not spans:
        budget.note("multipart-without-parts")
        guess = _DELIMITER.search(content, start, min(end, start + _NEAR))
        if guess is not None:
            guessed = guess[1].decode("ascii", "surrogateescape")
            spans = _spans(content, guessed, start, end, budget)
    default = "message/rfc822" if content_type == "multipart/digest" else "text/plain"
    found = []
    for first, last in spans:
        if budget.parts <= 0:
            budget.limited = True
            break
        head = section.split(content, first, last)
        budget.limited = budget.limited or head.limited
        budget.note(*(f"part-{d}" for d in head.defects))
        found.append(_part(content, head.fields, head.body, last, depth + 1, budget, default))
    return tuple(found)


def _spans(
    content: bytes, boundary: str, start: int, end: int, budget: Budget
) -> list[tuple[int, int]]:
    """Where each part begins and ends: between delimiter lines (RFC 2046 §5.1.1)."""
    if not boundary:
        return []
    delimiter = b"--" + boundary.encode("utf-8", "surrogateescape")
    spans: list[tuple[int, int]] = []
    opened = -1
    found = start if content.startswith(delimiter, start, end) else -1
    at = start
    while found >= 0 or (found := content.find(b"\n" + delimiter, at, end) + 1) > 0:
        behind = found + len(delimiter)
        rest, line_end = _rest_of_line(content, behind, end)
        at = behind
        if rest in (b"", b"--"):
            if opened >= 0:
                spans.append((opened, max(opened, _before_line_end(content, found, start))))
            opened = min(line_end + 1, end)
            if rest == b"--":
                return spans
            if len(spans) > MAX_PARTS:
                break
            at = min(line_end, end)  # the next delimiter may begin with this line's end
        else:
            budget.lookalikes -= 1
            if budget.lookalikes < 0:
                budget.limited = True
                break
        found = -1
    if opened >= 0:
        budget.note("multipart-not-closed")
        spans.append((opened, end))
    return spans


def _rest_of_line(content: bytes, at: int, end: int) -> tuple[bytes, int]:
    """What follows a delimiter, without white space, and where the line ends. Of a long line that
    is not read to its end: a message can be one line that is full of delimiters."""
    near = min(end, at + 200)
    line_end = content.find(b"\n", at, near)
    rest = content[at : near if line_end < 0 else line_end].rstrip(b" \t\r")
    if line_end < 0 and rest in (b"", b"--"):
        line_end = content.find(b"\n", near, end)
    return rest, end if line_end < 0 else line_end


def _before_line_end(content: bytes, at: int, start: int) -> int:
    """The line end before a delimiter belongs to the delimiter (RFC 2046 §5.1.1)."""
    if at > start and content[at - 1] == 10:
        at -= 1
        if at > start and content[at - 1] == 13:
            at -= 1
    return at


def _enclosed(
    content: bytes, start: int, end: int, encoding: str, depth: int, budget: Budget
) -> tuple[Part, ...]:
    """The entity inside another, also where it was encoded against RFC 2046 §5.2.1."""
    if depth >= MAX_DEPTH or budget.parts <= 0:
        budget.limited = True
        return ()
    if encoding in ("base64", "quoted-printable"):
        content = transfer.decode(content[start:end], encoding)
        start, end = 0, len(content)
    while content[start : start + 1] in (b"\r", b"\n") and start < end:
        start += 1
    head = section.split(content, start, end)
    budget.limited = budget.limited or head.limited
    return (_part(content, head.fields, head.body, end, depth + 1, budget, "text/plain"),)


def _body(fields: tuple[Field, ...], name: str) -> str:
    for found in fields:
        if found.name.lower() == name:
            return found.body
    return ""


def _mended_type(content_type: str, default: str) -> str:
    """`Content-Type: text` and the like; without a type at all RFC 2045 §5.2 has the default."""
    kind, slash, _ = content_type.partition("/")
    named = {"text": "text/plain", "plain": "text/plain", "html": "text/html"}
    if kind in named:
        return named[kind]
    return "application/octet-stream" if slash else default


def _encoding(fields: tuple[Field, ...], budget: Budget) -> str:
    raw = _body(fields, "content-transfer-encoding")
    if not raw:
        return ""
    encoding = raw.partition(";")[0].partition("(")[0].strip(" \t\"'").lower()
    if encoding in _ENCODINGS:
        return encoding
    budget.note("transfer-encoding")
    plain = _NOT_LETTERS.sub("", encoding)
    return next((e for e in _ENCODINGS if _NOT_LETTERS.sub("", e) == plain), encoding)


def _disposition(fields: tuple[Field, ...], named: Mapping[str, str]) -> tuple[str | None, str]:
    raw = _body(fields, "content-disposition")
    if not raw:
        return None, named.get("name", "") or words.decode(_body(fields, "content-name"))
    disposition, own = params.parse(raw)
    return disposition, own.get("filename", "") or own.get("name", "") or named.get("name", "")
