"""A written text as lines that know whether they are quoted, from plain text or from HTML."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from mailgate.message import html
from mailgate.message.phrases import table

#: What is read of a text; what follows is not the new text of any reply.
MAX_TEXT = 128 << 10
MAX_LINES = 4000
_QUOTED = re.compile(r"\s{0,4}(?:>|&gt;)")
_SPACES = re.compile("[\xa0\u202f\u2007\u2009]")
_INVISIBLE = re.compile("[\u200b\u200c\u200d\u200e\u200f\u2060\ufeff]")
_MARKS = {"quote": "\ue010", "/quote": "\ue011", "rest": "\ue012"}
_MARKS |= {"signature": "\ue013", "/signature": "\ue014"}
_MARK = re.compile("[\ue010-\ue014]")
#: A tag, its attributes bounded, so that a scan stays linear whatever is left open.
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})([^<>]{0,2000})>")


@dataclass(frozen=True, slots=True)
class Line:
    """One line as written; `words` is what tables are compared with."""

    text: str
    quoted: bool = False
    signature: bool = False
    rest: bool = False
    """From here on all is quoted: the client wrote so."""

    @property
    def blank(self) -> bool:
        return not self.text or self.text.isspace()

    @property
    def words(self) -> str:
        return self.text[:400].strip().casefold()


def of_plain(text: str) -> list[Line]:
    """Lines of plain text: those that begin with `>` are quoted (RFC 3676 §4.5)."""
    text = _SPACES.sub(" ", _INVISIBLE.sub("", text[:MAX_TEXT]))
    return [
        Line(line.rstrip(), quoted=_QUOTED.match(line) is not None and ">>> >>>" not in line[:20])
        for line in text.split("\n")[:MAX_LINES]
    ]


def of_html(source: str) -> list[Line]:
    """Lines of HTML: what stands in a quoting element is quoted, in whichever client's way."""
    text = html.to_text(_marked(source[: 4 * MAX_TEXT]))
    lines: list[Line] = []
    depth = signed = 0
    text = _SPACES.sub(" ", _INVISIBLE.sub("", text[:MAX_TEXT]))
    for raw in text.split("\n")[:MAX_LINES]:
        marks = _MARK.findall(raw)
        for mark in marks:
            depth += {"\ue010": 1, "\ue011": -1}.get(mark, 0)
            signed += {"\ue013": 1, "\ue014": -1}.get(mark, 0)
            depth, signed = max(depth, 0), max(signed, 0)
        shown = _MARK.sub("", raw).rstrip()
        quoted = depth > 0 or _QUOTED.match(shown) is not None
        if shown.strip() or "\ue012" in marks or not marks:
            lines.append(Line(shown, quoted, signed > 0, "\ue012" in marks))
    return lines


def marks_quotes(source: str) -> bool:
    """Whether the HTML has an element that some client puts around a quote."""
    folded = source[: 4 * MAX_TEXT].lower()
    phrases = table("reply_text")
    marks = ("<blockquote", *phrases["html: quote"], *phrases["html: rest"])
    return any(mark in folded for mark in marks)


@functools.cache
def _attributes() -> tuple[tuple[str, re.Pattern[str]], ...]:
    phrases = table("reply_text")
    return tuple(
        (kind, re.compile("|".join(re.escape(p) for p in phrases[f"html: {kind}"])))
        for kind in ("rest", "quote", "signature")
    )


def _kind(name: str, attributes: str) -> str:
    if name == "blockquote":
        return "quote"
    if not attributes:
        return ""
    folded = attributes.lower()
    return next((kind for kind, pattern in _attributes() if pattern.search(folded)), "")


def _marked(source: str) -> str:
    """The source with marks on lines of their own where a quote or signature begins and ends."""
    out: list[str] = []
    open_: list[tuple[str, str, int]] = []  # name of an element, its kind, depth of its name
    at = 0
    for tag in _TAG.finditer(source):
        closing, name = bool(tag[1]), tag[2].lower()
        kind = "" if closing else _kind(name, tag[3])
        out.append(source[at : tag.start()])
        at = tag.end()
        if open_ and open_[-1][0] == name:
            depth = open_[-1][2] + (-1 if closing else 1)
            if depth == 0:
                out.append(_line(_MARKS[f"/{open_.pop()[1]}"]))
            else:
                open_[-1] = (*open_[-1][:2], depth)
        if kind == "rest":
            out.append(_line(_MARKS["rest"]))
        elif kind and name not in ("br", "img", "hr", "meta", "input"):
            open_.append((name, kind, 1))
            out.append(_line(_MARKS[kind]))
        out.append(tag[0])
    out.append(source[at:])
    return "".join(out)


def _line(mark: str) -> str:
    return f"<br>{mark}<br>"


def text_of(lines: Sequence[Line]) -> str:
    """Lines put together again, without blank lines at both ends."""
    return "\n".join(line.text for line in lines).strip("\n").rstrip()
