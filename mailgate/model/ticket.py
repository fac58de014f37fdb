"""Tickets, the tokens that name them, and the links that confirm a message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mailgate.model.directory import Language

TicketState = Literal["open", "closed"]
Standing = Literal["none", "authorized", "pending", "unauthorized"]
LinkState = Literal["open", "confirmed", "denied", "superseded"]
Step = Literal["click", "code"]
LinkAbout = Literal["message", "token", "manager"]
"""What a link asks: is this message yours, do you want a new token, may this contact have one."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """One conversation. `epoch` counts rotations of its code, from 0."""

    number: int
    desk: str
    subject: str
    state: TicketState
    standing: Standing
    epoch: int
    language: Language
    account_id: str | None
    service_id: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TicketToken:
    """A token as found in a field: `code` is None where it is missing or damaged."""

    tag: str
    number: int
    code: str | None
    field: str


@dataclass(frozen=True, slots=True)
class Link:
    """A confirmation asked of one contact for one message; the token itself is never kept.

    `nonce` (≥ 128 random bits) and the key give token and code again; `token_sha256` finds the row.
    """

    token_sha256: str
    nonce: str
    queue_id: str
    content_sha256: str
    contact_id: int
    address: str
    step: Step
    state: LinkState
    tries: int
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None = None
    about: LinkAbout = "message"
