"""Readable text of HTML: a flat scan of tags, so that neither depth nor breakage costs anything."""

from __future__ import annotations

import html
import re

#: Text, comment, or tag; an attribute value may hold `>`. No alternative can match what another
#: one took, and an unclosed tag is text: the scan is linear.
_TOKEN = re.compile(
    r"""(?P<text>[^<]+)
      | <!--.*?(?:-->|$)
      | <[!?][^>]*(?:>|$)
      | <(?P<close>/?)(?P<name>[a-zA-Z][a-zA-Z0-9:]*)(?P<rest>(?:[^<>"']|"[^"<]*"|'[^'<]*')*+)>
      | <(?P<close2>/?)(?P<name2>[a-zA-Z][a-zA-Z0-9:]*)[^>]*>
      | (?P<stray><)""",
    re.VERBOSE | re.DOTALL,
)
_SKIPPED = frozenset({"script", "style", "head", "title", "template", "object", "svg", "xml"})
_LINE_NAMES = """
    address article aside blockquote body center dd div dl dt fieldset figure footer form header
    hr html li main nav ol pre section table tbody tfoot thead tr ul
"""
_LINES = frozenset(_LINE_NAMES.split())
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6"})
_WHITE = re.compile(r"[ \t\r\n\f]+")
_END_OF = {name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in _SKIPPED}
_LONG_REFERENCE = re.compile(r"&#(?:[0-9]{8,}|[xX][0-9a-fA-F]{8,});?")
_MANY_LINES = re.compile(r"\n{3,}")


def to_text(source: str) -> str:
    """What a person reads: blocks become lines, list items and cells are kept apart."""
    out: list[str] = []
    preformatted = 0
    at = 0
    unclosed: set[str] = set()
    last = source.rfind(">") + 1  # no tag ends beyond: the scan stays linear
    while match := _TOKEN.match(source, at, last):
        at = match.end()
        if (text := match["text"]) is not None:
            out.append(unescape(text if preformatted else _WHITE.sub(" ", text)))
            continue
        if match["stray"]:
            out.append("<")
            continue
        name = (match["name"] or match["name2"] or "").lower()
        closing = bool(match["close"] or match["close2"])
        if name in _SKIPPED and not closing:
            at = _behind(source, at, name, unclosed)
        elif name == "pre":
            preformatted = max(0, preformatted + (-1 if closing else 1))
        _break(out, name, closing)
    out.append(unescape(_WHITE.sub(" ", source[max(at, last) :].partition("<!--")[0])))
    lines = "".join(out).replace("\xa0", " ").split("\n")
    return _MANY_LINES.sub("\n\n", "\n".join(line.strip(" \t") for line in lines)).strip()


def unescape(text: str) -> str:
    """Characters for character references, however long: Python's own raises for 4,300 digits."""
    if "&" not in text:
        return text
    return html.unescape(_LONG_REFERENCE.sub("\ufffd", text))


def _behind(source: str, at: int, name: str, unclosed: set[str]) -> int:
    """Where an element that is not read ends; one that is never closed is not skipped, unless
    nothing in it could be text."""
    end = None if name in unclosed else _END_OF[name].search(source, at)
    if end is not None:
        return end.end()
    unclosed.add(name)
    return len(source) if name in ("script", "style") else at


def _break(out: list[str], name: str, closing: bool) -> None:
    """The white space a tag stands for."""
    if name == "br" or (name in _LINES and name != "li"):
        if name == "br" or not out or not out[-1].endswith("\n"):
            out.append("\n")
    elif name in _PARAGRAPHS:
        out.append("\n\n" if closing else "\n")
    elif name == "li" and not closing:
        out.append("\n- ")
    elif name in ("td", "th") and closing:
        out.append(" ")
