"""What the console asks of the house about people's personal data, and nothing besides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from mailgate.model.addresses import address_key
from mailgate.model.directory import Contact
from mailgate.model.privacy import DutyState, Hold, PrivacyRequest, Restriction, Upcoming
from mailgate.model.privacy_ports import (
    Answered,
    CorrectionStore,
    ErasureStore,
    HoldStore,
    PersonStore,
    RequestStore,
    Told,
)
from mailgate.web.copy import MakeCopy

#: The duty that removes what is due, by its name on the rota.
PURGE = "purge"
#: It runs twice a day, so that nothing is there a day after it was due (promise G1).
IDLE = timedelta(hours=24)


class RetentionStore(Protocol):
    def upcoming(self, now: datetime) -> Sequence[Upcoming]:
        """What falls due next, the first day first."""


class DutyStates(Protocol):
    def all(self) -> list[DutyState]: ...

    def clock_jumped(self, now: datetime) -> timedelta | None: ...


@dataclass(frozen=True)
class Rights:
    """The stores of personal data, the copy of it, and the mails that go out about it."""

    requests: RequestStore
    holds: HoldStore
    people: PersonStore
    corrections: CorrectionStore
    erasure: ErasureStore
    retention: RetentionStore
    duties: DutyStates
    make_copy: MakeCopy
    answered: Callable[[PrivacyRequest, datetime], Answered]
    told: Callable[[Contact, datetime], Told]


@dataclass(frozen=True, slots=True)
class Marks:
    """What stands on a message or a ticket: it must be kept, or may only be stored."""

    holds: tuple[Hold, ...]
    restrictions: tuple[Restriction, ...]


def marks(
    store: HoldStore, addresses: Iterable[str | None], ticket: int | None, account_id: str | None
) -> Marks:
    """Of everything that stands, what concerns these people, this ticket or this account."""
    keys = {address_key(address) for address in addresses if address}

    def concerns(hold: Hold) -> bool:
        if hold.address is not None:
            return address_key(hold.address) in keys
        if hold.ticket is not None:
            return hold.ticket == ticket
        return hold.account_id == account_id

    return Marks(
        tuple(hold for hold in store.holds() if concerns(hold)),
        tuple(one for one in store.restrictions() if address_key(one.address) in keys),
    )


def trouble(rights: Rights, now: datetime) -> str:
    """Why nothing that is due is being removed, as a key of the texts; "" where it is."""
    if rights.duties.clock_jumped(now) is not None:
        return "clock"
    purge = next((duty for duty in rights.duties.all() if duty.name == PURGE), None)
    if purge is None:
        return ""  # a house that has just begun
    stopped = next((why for why in ("share", "clock") if purge.note == f"stopped: {why}"), "")
    if purge.last_at is None:
        return "idle" if purge.note else ""  # it failed, and never did anything else
    return stopped or ("idle" if now - purge.last_at > IDLE else "")
