"""A ticket as a conversation: what came in and what we said, in the order it happened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from mailgate.model.notice import OutboxRow
from mailgate.model.views import MessageView, PanelTicket

#: Characters of a text that stand open; what is longer goes on behind a fold.
_OPEN = 6000
#: Characters of an id that say when it was made.
_TIME = 10
_SAID = frozenset(
    {
        "authorization-link",
        "entered-by-staff",
        "link-expired",
        "not-authorized",
        "request-received",
    }
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One turn. Exactly one of `message` and `notice` is set.

    `text` is what its author newly wrote, `rest` where it goes on, `quoted` the whole of it where
    that is more: quotes of earlier mails, a signature.
    """

    id: str
    at: datetime
    text: str
    rest: str
    quoted: str
    waits: bool
    message: MessageView | None = None
    notice: OutboxRow | None = None

    @property
    def said(self) -> str:
        """What a mail of ours was for, as a key of the texts."""
        template = self.notice.notice.template if self.notice else ""
        return template if template in _SAID else "other"

    @property
    def by_us(self) -> bool:
        """Whether a person of ours wrote it; our other mails are remarks between the turns."""
        return self.notice is not None and self.notice.notice.template == "staff-answer"


def conversation(ticket: PanelTicket) -> list[Entry]:
    """Oldest first. A mail of ours stands after the message that it answers: ids begin with their
    time in milliseconds, while the date of a mail has whole seconds.
    """
    return sorted(_entries(ticket), key=lambda e: (e.id[:_TIME], e.notice is not None))


def opened(message: MessageView) -> tuple[str, str, str]:
    """What its author newly wrote, where that goes on, and the whole text where it is more."""
    new = message.reply_text.strip() or message.text.strip()
    whole = message.text.strip()
    quoted = whole if _letters(whole) != _letters(new) else ""
    return *_cut(new), quoted[: 20 * _OPEN]


def _entries(ticket: PanelTicket) -> Iterator[Entry]:
    for message in ticket.messages:
        waits = message.queue_id in ticket.waiting
        yield Entry(message.queue_id, message.received_at, *opened(message), waits, message=message)
    for row in ticket.notices:
        parts = (row.notice.values.get(name, "").strip() for name in ("text", "signature"))
        said = "\n\n".join(filter(None, parts))
        yield Entry(row.notice.id, row.notice.date, *_cut(said), "", waits=False, notice=row)


def _letters(text: str) -> str:
    """The text without blanks: two readings of one message may wrap its lines differently."""
    return "".join(text.split())


def _cut(text: str) -> tuple[str, str]:
    if len(text) <= _OPEN:
        return text, ""
    at = text.rfind("\n", _OPEN // 2, _OPEN)
    at = _OPEN if at < 0 else at
    return text[:at], text[at : 20 * _OPEN]
