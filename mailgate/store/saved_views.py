"""Lists of the console that somebody wants to see again: their own names for query strings."""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from mailgate.model.people import SavedView
from mailgate.store.engine import Database
from mailgate.store.people_tables import saved_view
from mailgate.store.types import AnyRow, storable


class Saved:
    """`SavedViews` over a database. Everybody has their own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, staff_id: int) -> list[SavedView]:
        query = select(saved_view).where(saved_view.c.staff_id == staff_id)
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(saved_view.c.name))
            return [_view_of(row) for row in found]

    def save(self, staff_id: int, name: str, query: str) -> SavedView:
        """A view of that name gives way."""
        whose = (saved_view.c.staff_id == staff_id, saved_view.c.name == name)
        values = {"staff_id": staff_id, "name": name, "query": query}
        with self._database.writing() as connection:
            connection.execute(delete(saved_view).where(*whose))
            made = insert(saved_view).values(values).returning(*saved_view.c)
            return _view_of(connection.execute(made).one())

    def remove(self, staff_id: int, view_id: int) -> bool:
        which = (saved_view.c.staff_id == staff_id, saved_view.c.id == storable(view_id))
        with self._database.writing() as connection:
            return connection.execute(delete(saved_view).where(*which)).rowcount == 1


def _view_of(row: AnyRow) -> SavedView:
    return SavedView(row.id, row.staff_id, row.name, row.query)
