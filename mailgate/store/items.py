"""Items as a worker would get them, without being claimed: for whoever only judges what if."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import select

from mailgate.model.item import Item
from mailgate.store import rows
from mailgate.store.engine import Database
from mailgate.store.tables import content, item

#: Contents in memory at one time; each may be as large as a mail.
_AT_ONCE = 10


class Items:
    """Reads the queue and leaves it as it is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, queue_ids: Sequence[str]) -> Iterator[Item]:
        """The items of these ids, in that order; ids that are not there are left out."""
        for start in range(0, len(queue_ids), _AT_ONCE):
            some = queue_ids[start : start + _AT_ONCE]
            query = (
                select(item, content.c.octets)
                .join(content, content.c.sha256 == item.c.sha256)
                .where(item.c.queue_id.in_(some))
            )
            with self._database.reading() as connection:
                found = {row.queue_id: row for row in connection.execute(query)}
            yield from (rows.item_of(found[i], found[i].octets) for i in some if i in found)
