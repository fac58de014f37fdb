"""The HTML of a message as its author's program wrote it, for a page that makes it safe to show."""

from __future__ import annotations

from mailgate.message import bodies, head, structure


def markup(content: bytes) -> str | None:
    """The HTML parts of the readable text, one after the other; None where there are none."""
    reading = head.read(content)
    root = structure.tree(reading.content, reading.head.fields, reading.body, structure.Budget())
    return bodies.view(root).html
