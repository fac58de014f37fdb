"""The rota: what the house does by the clock, each duty in turn, on one machine of several."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from mailgate import logs
from mailgate.clock import Now, Random
from mailgate.model.ports import StorageError
from mailgate.model.privacy import Removal
from mailgate.outbound.letters import access_token_expires
from mailgate.rights import RightsDesk
from mailgate.settings import Settings
from mailgate.store import Store
from mailgate.tokens.keys import Keys

#: How often it looks whether something is due, in seconds.
ROUND = 60.0
#: A duty that failed is tried again after this.
AGAIN = timedelta(minutes=15)
HOURLY, DAILY = timedelta(hours=1), timedelta(days=1)
#: What must be gone a day after it was due (promise G1) is looked at twice a day.
TWICE_A_DAY = timedelta(hours=12)
PURGE = "purge"


class DutyStore(Protocol):
    def take(self, name: str, every: timedelta, now: datetime) -> bool:
        """Whether the duty is due and ours for a while: of several machines one gets it."""

    def done(self, name: str, note: str, now: datetime, again: datetime) -> None: ...

    def failed(self, name: str, note: str, again: datetime) -> None: ...

    def see(self, now: datetime) -> timedelta | None:
        """Note the time; by how much the clock jumped, where it did."""


@dataclass(frozen=True)
class Duty:
    """`do` is a plain function that may take its time; it says in a word what came of it.

    What is removed `by_age` waits while the clock cannot be believed (promise R14).
    """

    name: str
    every: timedelta
    do: Callable[[datetime], str]
    by_age: bool = False


class Rota:
    """Goes round the duties until it is cancelled. Nothing that goes wrong in one of them ends it.

    `done` is called after each duty that was done: it may have written mail.
    """

    def __init__(
        self, duties: Sequence[Duty], store: DutyStore, now: Now, done: Callable[[], None]
    ) -> None:
        self._duties = duties
        self._store = store
        self._now = now
        self._done = done
        self._jumped = False
        self._stopping = False
        self.log = logs.get("duties")

    async def run(self) -> None:
        """A round a minute, in a thread: everybody else goes on while a duty takes its time."""
        while True:
            if await asyncio.to_thread(self.round):
                self._done()
            await asyncio.sleep(ROUND)

    def stop(self) -> None:
        """No duty begins after this; one that has begun is safe wherever it is cut off."""
        self._stopping = True

    def round(self) -> int:
        """Do all that is due; gives how many duties were done."""
        try:
            believed = self._believes_clock()
            return sum(self._turn(duty) for duty in self._duties if believed or not duty.by_age)
        except StorageError as error:  # the next round asks again
            self.log.error("store-unavailable", error=str(error))
            return 0

    def _believes_clock(self) -> bool:
        jump = self._store.see(self._now())
        if jump is not None and not self._jumped:
            self.log.error("clock-jumped", hours=round(jump / HOURLY, 1))
        self._jumped = jump is not None
        return jump is None

    def _turn(self, duty: Duty) -> bool:
        began = self._now()
        if self._stopping or not self._store.take(duty.name, duty.every, began):
            return False
        try:
            said = duty.do(began)
        except Exception as error:  # whatever it is, the others have their turn
            self.log.error("duty-failed", duty=duty.name, exc_info=error)
            with suppress(StorageError):  # then it is tried again once its time is over
                self._store.failed(duty.name, type(error).__name__, self._now() + AGAIN)
            return False
        self._store.done(duty.name, said, self._now(), began + duty.every)
        self.log.info("duty-done", duty=duty.name, result=said)
        return True


def house_duties(settings: Settings, store: Store, keys: Keys, random: Random) -> list[Duty]:
    """All there is to do by the clock."""
    desk = RightsDesk(settings, store, keys, random)
    return [
        Duty("warn-of-expiry", HOURLY, partial(warn_of_expiry, settings, store, keys, random)),
        # It looks at the clock itself, and says that it did.
        Duty(PURGE, TWICE_A_DAY, partial(purge, store)),
        Duty("erasure", HOURLY, lambda now: str(desk.erase_waiting(now))),
        Duty("late-requests", HOURLY, partial(tell_late_requests, store)),
        Duty("tidy", DAILY, lambda now: str(store.duties.tidy(now)), by_age=True),
    ]


def purge(store: Store, now: datetime) -> str:
    """Remove what has been kept long enough; where it stops itself, a person must look."""
    done = store.retention.purge(now)
    if done.stopped:
        logs.get("duties").error("purge-stopped", reason=done.stopped)
    return purge_said(done)


def purge_said(done: Removal) -> str:
    """What came of a purge, whoever ran it: the console tells by it whether one has to be run."""
    if done.stopped:
        return f"stopped: {done.stopped}"
    return f"removed {done.removed.get('ticket', 0)} tickets"


def tell_late_requests(store: Store, now: datetime) -> str:
    """A line of the log for each request about personal data that is late, once."""
    late = store.privacy_requests.alert_due(now)
    for request in late:
        due = request.due_at.isoformat()
        logs.get("duties").warning("privacy-request-late", request=request.id, due=due)
    return str(len(late))


def warn_of_expiry(
    settings: Settings, store: Store, keys: Keys, random: Random, now: datetime
) -> str:
    """Tell the owners of access tokens that these end soon; gives how many were told."""
    warned = 0
    for ending in store.expiring.due(settings.access_tokens.warn, now):
        notice = access_token_expires(
            ending.contact, ending.account, ending.token.expires_at,
            settings=settings, keys=keys, now=now, random=random,
        )  # fmt: skip
        warned += store.expiring.warn(ending, notice, now)
    return str(warned)
