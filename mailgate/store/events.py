"""The audit trail: who did what, to which item or ticket, when and why. Only added to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert

from mailgate.store.tables import event

#: Who acts where no person does.
ITSELF = "mailgate"


def record(
    connection: Connection,
    at: datetime,
    what: str,
    *,
    who: str = ITSELF,
    queue_id: str | None = None,
    ticket: int | None = None,
    **why: Any,
) -> None:
    """Add one event inside the caller's transaction; `why` is kept as JSON."""
    connection.execute(
        insert(event),
        {"at": at, "who": who, "what": what, "queue_id": queue_id, "ticket": ticket, "why": why},
    )
