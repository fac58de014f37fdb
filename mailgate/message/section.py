"""Header sections: stray controls neutralised, octets cut into fields (RFC 5322 §2.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailgate.model.message import Field

MAX_FIELDS = 1000
MAX_OCTETS = 100 << 10  # as Postfix's header_size_limit

_END = re.compile(rb"\n\r?\n")
_FIELD = re.compile(r"([!-9;-~]++)([ \t]*+):([^\n]*+(?:\n[ \t][^\n]*+)*+)\n?")
_BLANK_FOLD = re.compile(r"\n[ \t]+\r?(?:\n|$)")
_LINE = re.compile(r"[^\n]*+(?:\n[ \t][^\n]*+)*+\n?")
_FIELD_LINE = re.compile(r"[A-Za-z][!-9;-~]*[ \t]*:")
_ODD_FIELD = re.compile(r"[A-Za-z]+-[\w .-]{1,60}:")  # `X-Spam Score: 3`
_BOM = b"\xef\xbb\xbf"
_ENVELOPE_LINE = re.compile(rb">?From [^\n]*\n")  # what an mbox or an MDA puts before a message
_BLANK = re.compile(rb"(?:[ \t]*\r?\n)+(?=[A-Za-z][!-9;-~]*:)")


@dataclass(frozen=True, slots=True)
class Section:
    """The fields, and where the body begins. `limited` where a bound cut something off."""

    fields: tuple[Field, ...]
    body: int
    defects: tuple[str, ...] = ()
    limited: bool = False


def neutralise(content: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Stray line feeds become spaces, as Postfix has it (cleanup_replace_stray_cr_lf).

    Where most lines end in CRLF a bare LF is stray; where most end in a bare LF (a file, not
    SMTP), or the whole header section and nothing else does (it was put before a body from
    elsewhere), both end a line, yet the mixture is told. Stray CR and NUL never end anything here,
    so they are only told, and replaced where a header section is read.
    """
    lf = content.count(b"\n")
    crlf = content.count(b"\r\n") if b"\r" in content else 0
    defects = []
    if 0 < crlf < lf:
        defects.append("stray-lf")
        if crlf >= lf - crlf and not _glued(content, lf - crlf):
            content = _without_stray_lf(content)
    if content.count(b"\r") > crlf:
        defects.append("stray-cr")
    if b"\0" in content:
        defects.append("nul")
    return content, tuple(defects)


def _glued(content: bytes, stray: int) -> bool:
    """Whether exactly the lines of a header section, and more than one, end in a bare LF."""
    end = _END.search(content)
    return (
        end is not None
        and content.count(b"\n", 0, end.end()) == stray > 2
        and content.find(b"\r", 0, end.end()) < 0
    )


def _without_stray_lf(content: bytes) -> bytes:
    """Once no CR stands before a space, `CR space` can stand for CRLF while each LF is replaced;
    a pattern would need twenty times the memory."""
    return content.replace(b"\r ", b"  ").replace(b"\n", b" ").replace(b"\r ", b"\r\n")


def first(content: bytes) -> Section:
    """The header section of a message: like `split`, behind what precedes it in a mailbox."""
    start = 0
    defects: tuple[str, ...] = ()
    if content.startswith(_BOM):
        start = len(_BOM)
        defects = ("byte-order-mark",)
    elif match := _ENVELOPE_LINE.match(content):
        start = match.end()
        defects = ("envelope-line-before-header",)
    elif match := _BLANK.match(content):
        start = match.end()
        defects = ("blank-line-before-header",)
    section = split(content, start, len(content))
    return Section(section.fields, section.body, defects + section.defects, section.limited)


def split(content: bytes, start: int, end: int) -> Section:
    """Cut the header section that begins at `start`; it ends with an empty line or with `end`."""
    if content.startswith((b"\n", b"\r\n"), start, end):
        return Section((), content.index(b"\n", start) + 1)
    found = _END.search(content, start, end)
    stop, body = (found.start(), found.end()) if found else (end, end)
    limited = stop - start > MAX_OCTETS
    if limited:
        stop = content.rfind(b"\n", start, start + MAX_OCTETS)
        stop = start + MAX_OCTETS if stop < 0 else stop
    text = content[start:stop].decode("ascii", "surrogateescape")
    fields, defects, used = _fields(text)
    if used is not None:  # the section ended without an empty line
        return Section(fields, start + used, defects, limited)
    if len(fields) > MAX_FIELDS:
        return Section(fields[:MAX_FIELDS], body, defects, limited=True)
    return Section(fields, body, defects, limited)


def _fields(text: str) -> tuple[tuple[Field, ...], tuple[str, ...], int | None]:
    """Fields of a header section, its defects, and where it ended early, if it did.

    Every octet is one character of `text`, so positions are those of the content.
    """
    found: list[Field] = []
    defects: dict[str, None] = {}  # a set that keeps order
    at = 0
    while at < len(text):
        match = _FIELD.match(text, at)
        if match is not None:
            found.append(_field(match, defects))
            at = match.end()
            continue
        line = _LINE.match(text, at)
        end = line.end() if line else len(text)
        unfolded = _unfold(text[at:end])
        match = _FIELD.match(unfolded)  # `From`, and its colon on the next line
        if match is not None:
            found.append(_field(match, defects))
        elif unfolded.strip("\r\n"):
            if not _FIELD_LINE.match(text, end) and not _ODD_FIELD.match(unfolded):
                defects["no-empty-line-after-header"] = None
                return tuple(found), tuple(defects), at
            defects["not-a-field"] = None
        at = end
    return tuple(found), tuple(defects), None


def _field(match: re.Match[str], defects: dict[str, None]) -> Field:
    name, space, body = match.groups()
    if space:
        defects["space-before-colon"] = None
    if "\n" in body:
        if _BLANK_FOLD.search(body):  # to some readers the end of the section
            defects["blank-folded-line"] = None
        body = _unfold(body)
    body = body.strip(" \t\r")
    if "\r" in body or "\0" in body:
        defects["control-in-header"] = None
        body = body.replace("\r", " ").replace("\0", " ")
    return Field(name, body)


def _unfold(text: str) -> str:
    """Take the line ends out and keep the white space behind them (RFC 5322 §2.2.3)."""
    return text.replace("\r\n", "").replace("\n", "")
