"""What the console asks of the store and of the rest of the house, and nothing besides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from mailgate.model.console_ports import (
    AuditStore,
    InboxStore,
    SavedViews,
    StaffActs,
    StatsStore,
)
from mailgate.model.directory import AccountEntry
from mailgate.model.item import QueueRow, QueueState
from mailgate.model.notice import OutboxRow, OutboxState
from mailgate.model.ports import Enter, IntakeStore, Lookup
from mailgate.model.supposition import Consequence, Supposition
from mailgate.model.ticket import Ticket
from mailgate.model.views import PausedAddress
from mailgate.model.web_ports import AccessTokenStore, StaffStore
from mailgate.rules.nearest import Miss
from mailgate.rules.policy import Policy
from mailgate.web.console.rights import Rights


class TicketActs(Protocol):
    def close(self, number: int, who: str, why: str, now: datetime) -> Ticket | None: ...

    def reopen(self, number: int, who: str, why: str, now: datetime) -> Ticket | None: ...

    def rotate(self, number: int, who: str, why: str, now: datetime) -> Ticket | None: ...


class QueueActs(Protocol):
    def release_held(self, queue_id: str, who: str, why: str, now: datetime) -> bool: ...

    def drop(self, queue_id: str, who: str, why: str, now: datetime) -> bool: ...


class OutboxActs(Protocol):
    def send_again(self, notice_id: str, who: str, why: str, now: datetime) -> bool: ...


class Accounts(Protocol):
    def export(self, account_id: str | None = None) -> list[AccountEntry]: ...

    def of_address(self, address: str) -> list[AccountEntry]: ...


class Pauses(Protocol):
    def among(self, addresses: Iterable[str]) -> list[PausedAddress]: ...

    def end(self, address: str, who: str, why: str, now: datetime) -> bool: ...


class HouseViews(Protocol):
    def queue(self, states: Sequence[QueueState] = (), limit: int = 100) -> list[QueueRow]: ...

    def outbox(self, states: Sequence[OutboxState] = (), limit: int = 100) -> list[OutboxRow]: ...

    def queue_row(self, queue_id: str) -> QueueRow | None: ...

    def waiting(self) -> dict[QueueState, tuple[int, datetime]]: ...

    def unsent(self) -> dict[OutboxState, tuple[int, datetime]]: ...


class ConsoleStore(Protocol):
    """The parts of the store that the console uses, by the names they have there."""

    @property
    def inbox(self) -> InboxStore: ...
    @property
    def acts(self) -> StaffActs: ...
    @property
    def saved(self) -> SavedViews: ...
    @property
    def audit(self) -> AuditStore: ...
    @property
    def stats(self) -> StatsStore: ...
    @property
    def staff(self) -> StaffStore: ...
    @property
    def tickets(self) -> TicketActs: ...
    @property
    def queue(self) -> QueueActs: ...
    @property
    def outbox(self) -> OutboxActs: ...
    @property
    def directory(self) -> Accounts: ...
    @property
    def views(self) -> HouseViews: ...
    @property
    def lookup(self) -> Lookup: ...
    @property
    def intake(self) -> IntakeStore: ...
    @property
    def access_tokens(self) -> AccessTokenStore: ...
    @property
    def pauses(self) -> Pauses: ...
    @property
    def file(self) -> Path | None: ...


class WhatIf(Protocol):
    def misses(self, queue_id: str) -> tuple[Miss, ...]: ...

    def suppose(self, queue_ids: Sequence[str], supposed: Supposition) -> list[Consequence]: ...


@dataclass(frozen=True)
class Around:
    """What of the running house the console shows and sets going."""

    policy: Callable[[], Policy]
    ready: Callable[[], Mapping[str, bool]]
    what_if: WhatIf
    rights: Rights
    enter: Enter
    wake_workers: Callable[[], None]
    wake_mailer: Callable[[], None]
