"""Persistence: one store over SQLite or PostgreSQL, a small class for every seam of the ports."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mailgate import clock
from mailgate.clock import Now
from mailgate.settings import Limits, Privacy
from mailgate.store import events
from mailgate.store.access_tokens import AccessTokens
from mailgate.store.acts import Acts
from mailgate.store.api_tokens import ApiTokens
from mailgate.store.attempts import Attempts
from mailgate.store.audit import Audit
from mailgate.store.changes import Changes
from mailgate.store.confirmation import Confirmations
from mailgate.store.corrections import Corrections
from mailgate.store.directory import Directory
from mailgate.store.duties import Duties
from mailgate.store.edits import Edits
from mailgate.store.engine import Database, open_database
from mailgate.store.erasure import Erasure
from mailgate.store.expiring import Expiring
from mailgate.store.inbox import Inbox
from mailgate.store.intake import Intake
from mailgate.store.limits import Budget
from mailgate.store.links import Links
from mailgate.store.lookup import Lookup
from mailgate.store.outbox import Outbox
from mailgate.store.panel import Panel
from mailgate.store.pauses import Pauses
from mailgate.store.person import Persons
from mailgate.store.privacy_holds import PrivacyHolds
from mailgate.store.privacy_requests import PrivacyRequests
from mailgate.store.queue import Queue
from mailgate.store.retention import Retention
from mailgate.store.saved_views import Saved
from mailgate.store.sessions import Sessions
from mailgate.store.signins import SignIns
from mailgate.store.staff import StaffAccounts
from mailgate.store.stats import Stats
from mailgate.store.tickets import Tickets
from mailgate.store.views import Views

__all__ = ["Store", "open_store"]


class _PingDone(Exception):
    """Leaves the transaction of a ping, so that it is rolled back."""


@dataclass(frozen=True, slots=True)
class Store:
    """All that can be asked of the database, a name for each kind of caller."""

    database: Database
    intake: Intake
    lookup: Lookup
    queue: Queue
    links: Links
    outbox: Outbox
    tickets: Tickets
    directory: Directory
    duties: Duties
    views: Views
    confirm_view: Confirmations
    sessions: Sessions
    sign_ins: SignIns
    access_tokens: AccessTokens
    expiring: Expiring
    staff: StaffAccounts
    api_tokens: ApiTokens
    attempts: Attempts
    panel: Panel
    pauses: Pauses
    edits: Edits
    changes: Changes
    inbox: Inbox
    acts: Acts
    saved: Saved
    audit: Audit
    stats: Stats
    privacy_requests: PrivacyRequests
    privacy_holds: PrivacyHolds
    retention: Retention
    corrections: Corrections
    persons: Persons
    erasure: Erasure

    @property
    def file(self) -> Path | None:
        """Where the embedded database lies; None where the database is a server."""
        name = self.database.engine.url.database
        return Path(name) if self.database.sqlite and name else None

    def check(self) -> None:
        """Raise `StoreUnusable` unless the schema is exactly this program's."""
        from mailgate.store.migrations import require_current

        require_current(self.database)

    def upgrade(self) -> list[str]:
        """Bring the schema to this program's; gives the steps that were needed."""
        from mailgate.store.migrations import upgrade

        return upgrade(self.database)

    def ping(self) -> None:
        """Write and take it back; raises `StorageError` where mail could not be stored now."""
        with suppress(_PingDone), self.database.writing() as connection:
            events.record(connection, self.queue.now(), "ping")
            raise _PingDone

    def close(self) -> None:
        self.database.close()


def open_store(
    url: str,
    *,
    limits: Limits | None = None,
    privacy: Privacy | None = None,
    tokens_per_account: int = 10,
    token_desks: Sequence[str] = (),
    attempts: int = 3,
    node: str = "main",
    now: Now = clock.now,
    busy_timeout: float = 10.0,
    pool_size: int = 5,
) -> Store:
    """Open the store at `sqlite:///PATH` or `postgresql://…`; raises `StoreUnusable`.

    The schema is not looked at: `check` and `upgrade` do that.
    """
    database = open_database(url, busy_timeout=busy_timeout, pool_size=pool_size)
    bounds, kept = limits or Limits(), privacy or Privacy()
    budget = Budget(bounds, tokens_per_account)
    return Store(
        database=database,
        intake=Intake(database),
        lookup=Lookup(database),
        queue=Queue(database, now, budget, attempts),
        links=Links(database, budget),
        outbox=Outbox(database, node),
        tickets=Tickets(database),
        directory=Directory(database),
        duties=Duties(database),
        views=Views(database),
        confirm_view=Confirmations(database),
        sessions=Sessions(database),
        sign_ins=SignIns(database, bounds),
        access_tokens=AccessTokens(database, bounds),
        expiring=Expiring(database, bounds),
        staff=StaffAccounts(database),
        api_tokens=ApiTokens(database),
        attempts=Attempts(database),
        panel=Panel(database, token_desks),
        pauses=Pauses(database),
        edits=Edits(database),
        changes=Changes(database, bounds),
        inbox=Inbox(database),
        acts=Acts(database),
        saved=Saved(database),
        audit=Audit(database),
        stats=Stats(database),
        privacy_requests=PrivacyRequests(database, bounds, kept),
        privacy_holds=PrivacyHolds(database),
        retention=Retention(database, kept),
        corrections=Corrections(database),
        persons=Persons(database),
        erasure=Erasure(database, bounds, kept),
    )
