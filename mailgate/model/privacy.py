"""Requests about personal data, and what stands against removing it (rows A11 and A12)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

RequestKind = Literal["access", "portability", "rectify", "erase", "restrict", "object"]
RequestState = Literal["open", "waiting", "done", "refused"]
REQUEST_KINDS: tuple[RequestKind, ...] = (
    "access", "portability", "rectify", "erase", "restrict", "object",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PrivacyRequest:
    """What a person asked for (GDPR Art. 15 to 21), and by when it must be answered.

    `waiting` is an erasure that a hold keeps from being done. `filed_by` is an address, or the
    login of staff who filed it for somebody. `outcome` is what is told to the person, and `receipt`
    what was done, in numbers.
    """

    id: int
    kind: RequestKind
    address: str
    text: str
    filed_by: str
    filed_at: datetime
    due_at: datetime
    state: RequestState
    contact_id: int | None = None
    account_id: str | None = None
    alerted_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str = ""
    outcome: str = ""
    receipt: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hold:
    """Something that must be kept whatever is asked (GDPR Art. 17(3)(e)): all that concerns an
    address, a ticket or an account; exactly one of the three is set."""

    id: int
    address: str | None
    ticket: int | None
    account_id: str | None
    ground: str
    who: str
    at: datetime
    lifted_at: datetime | None = None
    lifted_by: str = ""


@dataclass(frozen=True, slots=True)
class Restriction:
    """Somebody whose data is stored and not used otherwise (GDPR Art. 18)."""

    id: int
    address: str
    why: str
    who: str
    at: datetime
    lifted_at: datetime | None = None
    lifted_by: str = ""


@dataclass(frozen=True, slots=True)
class Correction:
    """What was put right, and what stood there before (GDPR Art. 16)."""

    id: int
    contact_id: int
    what: str
    old: str
    new: str
    who: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Removal:
    """What a purge or an erasure removes, or would: rows by table, and what was kept and why."""

    removed: Mapping[str, int] = field(default_factory=dict)
    kept: Mapping[str, int] = field(default_factory=dict)
    stopped: str = ""
    """Why it did nothing: "share", "clock", or "" where it did its work."""


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A line of "what goes when": so many tickets or rows of a class fall due by a day."""

    data: Literal["correspondence", "claims", "security"]
    due_at: datetime
    count: int


@dataclass(frozen=True, slots=True)
class DutyState:
    """Something the house does by the clock: when it was done last, and when it is due again.
    `note` is what came of it, or why it failed."""

    name: str
    last_at: datetime | None
    next_at: datetime | None
    note: str
