"""The trail of what happened to items and tickets, when and why; rows are only ever added.

What a person did stands in the audit log as well: every act goes through here, so none is missed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert

from mailgate.store import audit
from mailgate.store.tables import event

#: Who acts where no person does.
ITSELF = "mailgate"


def record(
    connection: Connection,
    at: datetime,
    what: str,
    *,
    who: str | None = None,
    queue_id: str | None = None,
    ticket: int | None = None,
    subject: str = "",
    **why: Any,
) -> None:
    """Add one event inside the caller's transaction; `why` is kept as JSON.

    `who` is a person, None where nobody acts: a person of the name "mailgate" is still a person.
    `subject` names what it is about where that is no message and no ticket, as `contact:7`. Call
    it last: from here to the commit nobody else can add to the audit log.
    """
    connection.execute(
        insert(event),
        {
            "at": at,
            "who": ITSELF if who is None else who,
            "what": what,
            "queue_id": queue_id,
            "ticket": ticket,
            "why": why,
        },
    )
    if who is not None:
        about = subject or (f"message:{queue_id}" if queue_id else f"ticket:{ticket}")
        audit.write(connection, at, who, what, about, why)
