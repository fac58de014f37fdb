"""schema.sql: the tables as SQL, for reading and for review; migrations make the real ones."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import make_url
from sqlalchemy.schema import CreateIndex, CreateTable

from mailgate.store import people_tables, privacy_tables, tables
from mailgate.store.ddl import STATEMENTS

#: Each adds its tables to the one metadata when it is imported.
_MODULES = (tables, people_tables, privacy_tables)

Kind = Literal["sqlite", "postgresql"]

_HEAD = """\
-- The tables of mailgate, as {kind} knows them. Made by `mailgate db schema`, not by hand;
-- `mailgate db upgrade` makes the tables themselves.
"""


def schema(kind: Kind = "sqlite") -> str:
    """Every table with its indexes, in an order in which they can be made."""
    dialect = make_url(f"{kind}://").get_dialect()()
    parts = [_HEAD.format(kind={"sqlite": "SQLite", "postgresql": "PostgreSQL"}[kind])]
    for table in _MODULES[0].metadata.sorted_tables:
        statement = str(CreateTable(table).compile(dialect=dialect))
        parts.append("\n".join(line.rstrip() for line in statement.strip().splitlines()) + ";\n")
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        lines = [f"{CreateIndex(index).compile(dialect=dialect)};\n" for index in indexes]
        if lines:
            parts.append("".join(lines))
    parts.append("\n".join(f"{statement};\n" for statement in STATEMENTS[kind]))
    return "\n".join(parts).replace("\t", "    ")
