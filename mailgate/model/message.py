"""A message as read: header fields, addresses, text, attachments, bounce; defects are data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Automatic = Literal["no", "auto-reply", "out-of-office", "bounce", "list", "loop"]
Parsed = Literal["clean", "defects", "limits"]


@dataclass(frozen=True, slots=True)
class Field:
    """One header field (RFC 5322 §2.2): name as written, body unfolded but not decoded.

    Octets that are not ASCII are kept as surrogate escapes in `body`, so nothing is lost.
    """

    name: str
    body: str


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A display name and an addr-spec; the domain is lower-cased, the local part as written."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is not the readable text; `filename` is safe to show and to save, "" if none."""

    filename: str
    content_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class BouncedRecipient:
    """One recipient of a delivery report, in the words of RFC 3464 §2.3; "" where unknown.

    `hard` where the address itself is to blame, so that no mail will ever reach it: nobody has it,
    its domain takes no mail. A full mailbox and a blocked server are not, whatever their status.
    """

    address: str
    action: str = ""
    status: str = ""
    diagnostic: str = ""
    hard: bool = False


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a delivery report says, whether or not it follows RFC 3464."""

    recipients: tuple[BouncedRecipient, ...]
    original_message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """All that the header section says; enough for nearly every decision."""

    fields: tuple[Field, ...]
    message_id: str | None
    subject: str
    from_: tuple[Mailbox, ...]
    sender: tuple[Mailbox, ...]
    reply_to: tuple[Mailbox, ...]
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    author: str | None
    """The one address that may count as identity, or None; a defect says why it is None."""
    date: datetime | None
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    automatic: Automatic
    automatic_reason: str | None
    defects: tuple[str, ...] = ()

    def all(self, name: str) -> tuple[str, ...]:
        """Bodies of every field of that name, in order, compared without case (RFC 5322 §1.2.2)."""
        wanted = name.lower()
        return tuple(f.body for f in self.fields if f.name.lower() == wanted)


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message as read. `parsed` is "limits" where reading stopped at a bound (M5)."""

    head: Head
    text: str
    reply_text: str
    attachments: tuple[Attachment, ...]
    automatic: Automatic
    automatic_reason: str | None
    bounce: Bounce | None
    defects: tuple[str, ...]
    parsed: Parsed
    size: int
    sha256: str = field(default="")
