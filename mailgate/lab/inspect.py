"""What the reader sees in a message, as the JSON object that `mailgate inspect` prints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from mailgate.model.message import Mailbox, Message
from mailgate.tokens import ticket


def as_json(file: str, message: Message) -> dict[str, Any]:
    """The contract's object: keys are stable, and every value is plain JSON."""
    head = message.head
    return {
        "file": file,
        "message_id": head.message_id,
        "subject": head.subject,
        "from": _mailboxes(head.from_),
        "sender": _mailboxes(head.sender),
        "reply_to": _mailboxes(head.reply_to),
        "to": _mailboxes(head.to),
        "cc": _mailboxes(head.cc),
        "author": head.author,
        "date": head.date.isoformat() if head.date else None,
        "in_reply_to": list(head.in_reply_to),
        "references": list(head.references),
        "text": message.text,
        "reply_text": message.reply_text,
        "attachments": [asdict(a) for a in message.attachments],
        "automatic": message.automatic,
        "automatic_reason": message.automatic_reason,
        "bounce": asdict(message.bounce) if message.bounce else None,
        "ticket_tokens": [asdict(t) for t in ticket.find(head.subject)],
        "defects": list(message.defects),
        "size": message.size,
        "sha256": message.sha256,
    }


def _mailboxes(boxes: Iterable[Mailbox]) -> list[dict[str, str]]:
    return [{"name": b.name, "address": b.address} for b in boxes]
