"""A notice on its way out: what is to be said to whom, from the outbox to the relay's reply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mailgate.model.directory import Language

OutboxState = Literal["waiting", "active", "sent", "failed", "bounced"]


@dataclass(frozen=True, slots=True)
class Notice:
    """One mail of ours, kept as what it says rather than as octets.

    Rendering is a pure function of this value and of the keys, so that each attempt sends the same
    octets, and no link token lies in the database: `link_nonce` gives it again with the key.
    """

    id: str
    template: str
    language: Language
    desk: str
    to: str
    to_name: str
    contact_id: int | None
    queue_id: str | None
    ticket: int | None
    message_id: str
    date: datetime
    values: Mapping[str, str]
    """What the template may show: subject, reason codes, times; never a secret."""
    in_reply_to: str | None = None
    link_nonce: str | None = None
    link_step: str | None = None
    cc: tuple[str, ...] = ()
    envelope_to: str | None = None
    """Whom this copy goes to, where it is somebody in `cc`; each reader has a row of their own."""


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A notice with its state. `attempts` counts connections that were tried."""

    notice: Notice
    state: OutboxState
    attempts: int
    next_at: datetime
    last_reply: str = ""
    sent_at: datetime | None = None
