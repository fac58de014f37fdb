"""Which parts are the readable text and which are attachments (RFC 8621 §4.1.4)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from mailgate.message import files, flowed, html, tnef, transfer, words
from mailgate.message.mime import Part
from mailgate.model.message import Attachment

#: Characters of text that are read; no person wrote more, and what follows is in the content.
MAX_TEXT = 1 << 20
_BODY = ("text/plain", "text/html")
#: Text that is written for machines, or that belongs to another reader.
_NOT_READ = frozenset(
    {"text/calendar", "text/csv", "text/rtf", "text/vcard", "text/x-vcard", "text/directory",
     "text/rfc822-headers", "text/x-amp-html", "text/css", "text/javascript", "text/xml"}
)  # fmt: skip


Make = Callable[[str, str, bytes], Attachment]
"""Makes an attachment of its name, its type and its octets, which are not kept."""


@dataclass(frozen=True, slots=True)
class View:
    """A message flat: `plain` and `html` are its written parts, None where there are none.

    `limited` where text was cut; the parts themselves are whole.
    """

    text: str
    plain: str | None
    html: str | None
    attachments: tuple[Attachment, ...]
    limited: bool


@dataclass(slots=True)
class _Sorted:
    """The lists that RFC 8621 §4.1.4 fills."""

    text: list[Part] = field(default_factory=list)
    html: list[Part] = field(default_factory=list)
    attached: list[Part] = field(default_factory=list)


def attachment(name: str, content_type: str, octets: bytes) -> Attachment:
    digest = hashlib.sha256(octets).hexdigest()
    return Attachment(files.safe_name(name), content_type, len(octets), digest)


def view(root: Part, make: Make = attachment) -> View:
    """Text in the order it was written, plain preferred over HTML; everything else attached.

    `make` is called for each attachment, in the order of `attachments`.
    """
    lists = _sorted(root)
    attachments: list[Attachment] = []
    plain, cut = _plain(lists.text, attachments, make)
    marked_up = _marked_up(lists.html)
    if marked_up is not None and len(marked_up) > MAX_TEXT:
        marked_up, cut = marked_up[:MAX_TEXT], True
    text = plain if plain.strip() or marked_up is None else html.to_text(marked_up)
    named = [p for p in lists.text if p.filename and p.disposition is not None]
    for part in named + lists.attached:
        found, inner = _attachments(part, make)
        attachments += found
        text = text if text.strip() else inner
    if not text.strip():
        text = _enclosed_text(lists)
    has_plain = any(p.content_type != "text/html" for p in lists.text) and bool(plain.strip())
    return View(_clean(text), plain if has_plain else None, marked_up, tuple(attachments), cut)


def _sorted(root: Part) -> _Sorted:
    lists = _Sorted()
    _sort((root,), "mixed", lists, in_text=True, in_html=True, alternative=False)
    return lists


def _enclosed_text(lists: _Sorted) -> str:
    """The text of the first enclosed message, for a message that says nothing of its own."""
    while enclosed := next((p.children[0] for p in lists.attached if p.children), None):
        lists = _sorted(enclosed)
        text, _ = _plain(lists.text, [], attachment)
        if text.strip():
            return text
    return ""


def _sort(
    parts: Sequence[Part],
    kind: str,
    lists: _Sorted,
    *,
    in_text: bool,
    in_html: bool,
    alternative: bool,
) -> None:
    """What RFC 8621 §4.1.4 calls parseStructure; inline media are listed as attachments as well."""
    before = len(lists.text), len(lists.html)
    for index, part in enumerate(parts):
        if part.is_multipart:
            sub = part.content_type.partition("/")[2]
            _sort(
                part.children, sub, lists,
                in_text=in_text, in_html=in_html, alternative=alternative or sub == "alternative",
            )  # fmt: skip
        elif not _is_written(part, index, kind):
            lists.attached.append(part)
        elif kind == "alternative":
            (lists.html if part.content_type == "text/html" else lists.text).append(part)
        else:
            if alternative:
                in_html = in_html and part.content_type == "text/html"
                in_text = in_text and part.content_type != "text/html"
            if in_text:
                lists.text.append(part)
            if in_html:
                lists.html.append(part)
    if kind == "alternative" and in_text and in_html:
        text, marked_up = lists.text[before[0] :], lists.html[before[1] :]
        if not text:
            lists.text += marked_up
        if not marked_up:
            lists.html += text


def _is_written(part: Part, index: int, kind: str) -> bool:
    """Whether the part is something its author wrote to be read at once."""
    if part.disposition == "attachment" or part.children:
        return False
    if not part.is_text or part.content_type in _NOT_READ:
        return False
    if part.content_type not in _BODY and (part.filename or kind == "alternative"):
        return False
    return index == 0 or (kind != "related" and not part.filename)


def _marked_up(parts: Sequence[Part]) -> str | None:
    """The HTML of all parts, as far as it is read; None where there is none."""
    out: list[str] = []
    for part in parts:
        if part.content_type == "text/html" and sum(map(len, out)) <= MAX_TEXT:
            out.append(part.text())
    return "\n".join(out) if out else None


def _plain(parts: Sequence[Part], attachments: list[Attachment], make: Make) -> tuple[str, bool]:
    """The text of all parts, and whether it had to be cut."""
    out: list[str] = []
    room = MAX_TEXT
    cut = False
    for part in parts:
        if room <= 0:
            return "\n".join(out), True
        text = part.text()
        if "\nbegin " in text or text.startswith("begin "):
            text, found = transfer.uu_files(text)
            attachments += (make(name, "application/octet-stream", o) for name, o in found)
        cut = cut or len(text) > room
        text = text[:room]
        room -= len(text)
        if part.content_type == "text/html":
            text = html.to_text(text)
        elif part.params.get("format", "").lower() == "flowed":
            text = flowed.unflow(text, part.params.get("delsp", "").lower() == "yes")
        out.append(text)
    return "\n".join(out), cut


def _attachments(part: Part, make: Make) -> tuple[list[Attachment], str]:
    """The attachments a part stands for, and the text in it where it is a TNEF envelope."""
    octets = part.octets()
    if part.content_type in tnef.TYPES or part.filename.lower() == "winmail.dat":
        content = tnef.read(octets)
        if content is not None and (content.files or content.text or content.html):
            made = [make(f.name, f.content_type, f.octets) for f in content.files]
            return made, content.text or html.to_text(content.html[:MAX_TEXT])
    return [make(part.filename or _title(part), part.content_type, octets)], ""


def _title(part: Part) -> str:
    """A name for an enclosed message: its subject."""
    subject = next((s for child in part.children for s in child.all("subject")), "")
    return f"{words.decode(subject).strip()}.eml" if subject else ""


def _clean(text: str) -> str:
    """Characters that no display and no database takes: NUL and lone surrogates."""
    if "\0" in text:
        text = text.replace("\0", "")
    return text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text
