"""An item of the queue: one message for one desk, with what is known before anyone has read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mailgate.model.envelope import Channel, Envelope

QueueState = Literal["incoming", "active", "deferred", "hold", "done"]


@dataclass(frozen=True, slots=True)
class Admission:
    """What a door hands to the store: envelope and content for one desk, to be committed.

    `dedup_key` is the same for every retry of one queue entry of the MTA (promise R4).
    `entered_by` names the staff member or the contact's address on a channel other than email.
    """

    queue_id: str
    dedup_key: str
    desk: str
    channel: Channel
    envelope: Envelope
    content: bytes
    sha256: str
    entered_by: str = ""
    account_id: str | None = None


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that a person added to a form; name and type are what the browser says of it."""

    filename: str
    content_type: str
    octets: bytes


@dataclass(frozen=True, slots=True)
class Admitted:
    """What the commit made of an admission: its own id, or that of the item already there."""

    queue_id: str
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Item:
    """A claimed item. `revision` counts the facts recorded since it came in (a confirmation, a
    release); work done for an older revision does not finish the item."""

    queue_id: str
    desk: str
    channel: Channel
    envelope: Envelope
    content: bytes
    sha256: str
    attempts: int
    revision: int
    entered_by: str = ""
    account_id: str | None = None
    claim: int = 0
    """The number of this claim, never the same twice for one item: it proves whose the item is."""


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A line of `mailgate queue list`."""

    queue_id: str
    desk: str
    channel: Channel
    state: QueueState
    attempts: int
    received_at: datetime
    available_at: datetime
    reverse_path: str
    last_error: str
