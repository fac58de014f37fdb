"""The header block read: addresses, subject, date, ids; enough for nearly every decision."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailgate.message import addresses, automatic, dates, identity, params, section, words
from mailgate.model.message import Head, Mailbox

MAX_ADDRESSES = 1000
#: Of these we read the topmost, and a DKIM signature covers the lowest (RFC 6376 §5.4.2): with a
#: second one on top, an old signed message would get a new day, id, subject or shape.
_SINGLE = ("date", "message-id", "subject", "content-type", "content-transfer-encoding")

_ANGLE = re.compile(r"<([^<>]*)>")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Reading:
    """A head, where its body begins in `content`, and whether a bound was met."""

    head: Head
    content: bytes
    body: int
    limited: bool


def read(content: bytes) -> Reading:
    """Read the header block; `content` in the result has stray line feeds neutralised."""
    content, strays = section.neutralise(content)
    block = section.first(content)
    fields = block.fields
    bodies: dict[str, list[str]] = {}
    for field in fields:
        bodies.setdefault(field.name.lower(), []).append(field.body)
    charset = _charset(bodies)
    defects = [*strays, *block.defects]
    if block.limited:
        defects.append("header-limits")
    boxes, overflow = _address_fields(bodies, charset)
    if overflow:
        defects.append("too-many-addresses")
    author, doubt = identity.author(fields, defects)
    if doubt:
        defects.append(doubt)
    defects += [f"several-{name}-fields" for name in _SINGLE if len(bodies.get(name, ())) > 1]
    subject = words.decode(_first(bodies, "subject"), charset).replace("\t", " ").strip()
    kind, reason = automatic.from_head(fields, boxes["from"], subject)
    head = Head(
        fields=fields,
        message_id=_message_id(_first(bodies, "message-id")),
        subject=subject,
        from_=boxes["from"],
        sender=boxes["sender"],
        reply_to=boxes["reply-to"],
        to=boxes["to"],
        cc=boxes["cc"],
        author=author,
        date=dates.read(_first(bodies, "date")),
        in_reply_to=ids(bodies.get("in-reply-to", [])),
        references=ids(bodies.get("references", [])),
        automatic=kind,
        automatic_reason=reason,
        defects=tuple(defects),
    )
    return Reading(head, content, block.body, block.limited or overflow)


def _address_fields(
    bodies: dict[str, list[str]], charset: str
) -> tuple[dict[str, tuple[Mailbox, ...]], bool]:
    found: dict[str, tuple[Mailbox, ...]] = {}
    left = MAX_ADDRESSES
    for name in ("from", "sender", "reply-to", "to", "cc"):
        boxes: list[Mailbox] = []
        for body in bodies.get(name, ()):
            boxes += addresses.parse(body, left + 1, charset)
        found[name] = tuple(boxes[:left])
        left -= len(boxes)
        if left < 0:
            break
    return {n: found.get(n, ()) for n in ("from", "sender", "reply-to", "to", "cc")}, left < 0


def _charset(bodies: dict[str, list[str]]) -> str:
    """The charset of the text, the best guess for raw octets in the header."""
    content_type = _first(bodies, "content-type")
    return params.parse(content_type)[1].get("charset", "") if "charset" in content_type else ""


def _first(bodies: dict[str, list[str]], name: str) -> str:
    found = bodies.get(name)
    return found[0] if found else ""


def _message_id(body: str) -> str | None:
    found = ids([body])
    return found[0] if found else None


def ids(bodies: list[str]) -> tuple[str, ...]:
    """Message ids (RFC 5322 §3.6.4) without brackets and folding, each once, in order."""
    found: dict[str, None] = {}
    for body in bodies:
        text = words.decode(body) if not body.isascii() or "=?" in body else body
        for raw in _ANGLE.findall(text) or text.split():
            if cleaned := _SPACE.sub("", raw).strip("<>"):
                found[cleaned] = None
    return tuple(found)
