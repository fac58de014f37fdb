"""Messages that a change of the directory may concern: they are queued to be decided again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, or_, select, update

from mailgate.model.addresses import address_key
from mailgate.store import history, queue
from mailgate.store.tables import item, message
from mailgate.store.tables import ticket as tickets
from mailgate.store.types import AnyRow

_UNSETTLED = ("pending", "unauthorized", "held")
#: So many are decided again at once; an account with more has other worries.
_AT_ONCE = 1000


def unsettled() -> ColumnElement[bool]:
    """A message whose verdict could still change for the better: not authorized, held by a rule
    rather than by a failure, and of no closed ticket."""
    return (
        message.c.verdict.in_(_UNSETTLED)
        & (message.c.ticket.is_(None) | (tickets.c.state == "open"))
        & (message.c.rule != history.BY_FAILURE)
    )


def revise(
    connection: Connection, account_id: str, addresses: Iterable[str], now: datetime
) -> list[str]:
    """Queue what waits for this account, or came from one of these addresses; gives the ids.

    Call it before other rows of mail are locked: items come first everywhere. What a worker is
    deciding at this moment is decided once more, for it may have read the directory as it was.
    """
    keys = [address_key(address) for address in addresses]
    found = connection.execute(
        select(item)
        .join(message, message.c.queue_id == item.c.queue_id)
        .outerjoin(tickets, tickets.c.number == message.c.ticket)
        .where(
            or_(message.c.account_id == account_id, message.c.author_key.in_(keys)),
            unsettled(),
            item.c.state.in_(("done", "hold")),
        )
        .order_by(item.c.queue_id.desc())
        .limit(_AT_ONCE)
        .with_for_update(of=item)
    )
    waiting: list[AnyRow] = sorted(found, key=lambda row: row.queue_id)
    for row in waiting:
        queue.again(connection, row, now)
    connection.execute(
        update(item).where(item.c.state == "active").values(revision=item.c.revision + 1)
    )
    return [row.queue_id for row in waiting]
