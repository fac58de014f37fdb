"""Persistence: one store over SQLite or PostgreSQL, a small class for every seam of the ports."""

from __future__ import annotations

from dataclasses import dataclass

from mailgate import clock
from mailgate.clock import Now
from mailgate.settings import Limits
from mailgate.store.directory import Directory
from mailgate.store.engine import Database, open_database
from mailgate.store.intake import Intake
from mailgate.store.links import Links
from mailgate.store.lookup import Lookup
from mailgate.store.outbox import Outbox
from mailgate.store.queue import Queue
from mailgate.store.tickets import Tickets
from mailgate.store.views import Views

__all__ = ["Store", "open_store"]


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
    views: Views

    def close(self) -> None:
        self.database.close()


def open_store(
    url: str,
    *,
    limits: Limits | None = None,
    attempts: int = 3,
    node: str = "main",
    now: Now = clock.now,
    busy_timeout: float = 10.0,
    pool_size: int = 5,
) -> Store:
    """Open the store at `sqlite:///PATH` or `postgresql://…`; raises `StoreUnusable`.

    The schema is not looked at: `mailgate.store.migrations` has `upgrade` and `require_current`.
    """
    database = open_database(url, busy_timeout=busy_timeout, pool_size=pool_size)
    bounds = limits or Limits()
    return Store(
        database=database,
        intake=Intake(database),
        lookup=Lookup(database),
        queue=Queue(database, now, bounds, attempts),
        links=Links(database, bounds),
        outbox=Outbox(database, node),
        tickets=Tickets(database),
        directory=Directory(database),
        views=Views(database),
    )
