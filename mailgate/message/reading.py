"""Content to Message: head, parts, text, attachments, bounce; never raises, defects are data."""

from __future__ import annotations

import dataclasses
import hashlib

from mailgate.message import bodies, bounces, head, reply_text, structure
from mailgate.model.message import Attachment, Automatic, Bounce, Head, Message, Parsed


def read_head(content: bytes) -> Head:
    """Only the header block: all that nearly every decision needs, at a fraction of the cost."""
    return head.read(content).head


def read(content: bytes) -> Message:
    """The whole message. Beyond a bound (promise M5) it is still a message, `parsed` "limits"."""
    reading = head.read(content)
    budget = structure.Budget()
    root = structure.tree(reading.content, reading.head.fields, reading.body, budget)
    found = _doubted(reading.head, budget)
    view = bodies.view(root)
    bounce = bounces.read(root, found)
    automatic, reason = _automatic(found, bounce)
    defects = (*found.defects, *budget.defects)
    return Message(
        head=found,
        text=view.text,
        reply_text=reply_text.new_text(view.plain, view.html),
        attachments=view.attachments,
        automatic=automatic,
        automatic_reason=reason,
        bounce=bounce,
        defects=defects,
        parsed=_parsed(reading.limited or budget.limited or view.limited, defects),
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _doubted(found: Head, budget: structure.Budget) -> Head:
    """No identity for a message whose parts two readers would cut differently (promise M1)."""
    ambiguous = "multipart-without-parts"
    if found.author is None or ambiguous not in budget.defects:
        return found
    defects = (*found.defects, f"no-identity: {ambiguous}")
    return dataclasses.replace(found, author=None, defects=defects)


def _automatic(found: Head, bounce: Bounce | None) -> tuple[Automatic, str | None]:
    if bounce is not None and found.automatic != "loop":
        return "bounce", found.automatic_reason or "delivery report"
    return found.automatic, found.automatic_reason


def _parsed(limited: bool, defects: tuple[str, ...]) -> Parsed:
    if limited:
        return "limits"
    return "defects" if defects else "clean"


def attachment(content: bytes, number: int) -> tuple[Attachment, bytes] | None:
    """One attachment with its octets: the one that `read` lists at this place, counted from 0."""
    found: list[tuple[Attachment, bytes]] = []
    count = 0

    def make(name: str, content_type: str, octets: bytes) -> Attachment:
        nonlocal count
        one = bodies.attachment(name, content_type, octets)
        if count == number:
            found.append((one, octets))
        count += 1
        return one

    reading = head.read(content)
    budget = structure.Budget()
    bodies.view(structure.tree(reading.content, reading.head.fields, reading.body, budget), make)
    return found[0] if found else None
