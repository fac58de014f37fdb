"""The seams between the staff console and the store: what its pages and the API may ask.

Every act names who does it, and writes a row of the audit log in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from mailgate.model.notice import Notice
from mailgate.model.people import (
    AuditEntry,
    AuditFault,
    Override,
    SavedView,
    StaffWord,
)
from mailgate.model.views import (
    ConsoleTicket,
    Count,
    InboxFilter,
    InboxMessage,
    InboxRow,
    Page,
    TicketFilter,
    TicketRow,
    Trouble,
)


class InboxStore(Protocol):
    def messages(
        self, wanted: InboxFilter, *, after: str | None = None, limit: int = 50
    ) -> Page[InboxRow]:
        """Newest first. Raises `BadCursor`."""

    def message(self, queue_id: str) -> InboxMessage | None: ...

    def octets(self, queue_id: str) -> bytes | None: ...

    def tickets(
        self, wanted: TicketFilter, *, after: str | None = None, limit: int = 50
    ) -> Page[TicketRow]:
        """The last changed first. Raises `BadCursor`."""

    def ticket(self, number: int) -> ConsoleTicket | None: ...

    def undecided(self, limit: int = 200) -> list[str]:
        """Queue ids of messages that wait: pending, unauthorized or held, of no closed ticket."""


class StaffActs(Protocol):
    """What staff do to a message, besides `tickets`, `queue` and `outbox` of the store."""

    def override(
        self, queue_id: str, value: StaffWord, who: str, why: str, now: datetime
    ) -> Override | None:
        """Record it and have the message decided again; None where there is no such message."""

    def decide_again(self, queue_id: str, who: str, why: str, now: datetime) -> bool: ...

    def new_link(self, queue_id: str, who: str, why: str, now: datetime) -> bool:
        """Retire the message's open link and decide again, so that a fresh one is mailed.

        False where nobody was ever asked to confirm it, or it is confirmed or denied already.
        """

    def reply(self, ticket: int, notices: Sequence[Notice], who: str, now: datetime) -> None:
        """Send an answer: a notice for each reader, who must all be of the ticket.

        Raises `Refused`: "not-found", "to-not-allowed", "cc-not-allowed", "restricted".
        """


class SavedViews(Protocol):
    def all(self, staff_id: int) -> list[SavedView]: ...

    def save(self, staff_id: int, name: str, query: str) -> SavedView: ...

    def remove(self, staff_id: int, view_id: int) -> bool: ...


class AuditStore(Protocol):
    def entries(
        self,
        *,
        who: str | None = None,
        subject: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[AuditEntry]:
        """Newest first."""

    def verify(self) -> tuple[int, AuditFault | None]:
        """How many entries were looked at, and the first that does not fit."""


class StatsStore(Protocol):
    def verdicts(self, since: date) -> list[Count]: ...

    def rules(self, since: date) -> list[Count]: ...

    def troubles(self, since: datetime, limit: int = 100) -> list[Trouble]: ...

    def standing(self) -> Mapping[str, int]:
        """Messages of open tickets, or of none, by verdict: what the console counts beside the
        inbox."""
