"""The schema's history: each step is one transaction, so that a kill leaves it done or undone."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from mailgate.model.ports import StoreUnusable
from mailgate.store.engine import Database

#: Any number will do, as long as every mailgate takes the same.
_ADVISORY_LOCK = 7_209_145_310


def upgrade(database: Database) -> list[str]:
    """Bring the schema to this program's; gives the steps done. Safe to kill and to run twice.

    Two programs may do it at once: each step is decided upon under the lock it is done under.
    """
    steps = _steps()
    done: list[str] = []
    while True:
        with database.writing() as connection:
            if not database.sqlite:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
            missing = _missing(connection, steps)
            if not missing:
                return done
            command.upgrade(_config(connection), missing[0])
        done.append(missing[0])


def require_current(database: Database) -> None:
    """Raise `StoreUnusable` unless the schema is exactly this program's (promise R17)."""
    with database.reading() as connection:
        missing = _missing(connection, _steps())
    if missing:
        raise StoreUnusable("the database's schema is not up to date: run `mailgate db upgrade`")


def set_first_ticket(database: Database, number: int) -> None:
    """Let the next ticket have at least this number; raises `StoreUnusable` where it is behind.

    For a desk that goes on counting where another system stopped.
    """
    if not 0 < number < 2**53:
        raise StoreUnusable("a first ticket number is from 1 to 9007199254740991")
    with database.writing() as connection:
        last = connection.execute(text("SELECT max(number) FROM ticket")).scalar() or 0
        if number <= last:
            raise StoreUnusable(f"ticket {last} is there already; numbers are never used twice")
        if database.sqlite:
            # AUTOINCREMENT keeps the highest number ever used in a table of SQLite's own.
            connection.execute(text("DELETE FROM sqlite_sequence WHERE name = 'ticket'"))
            connection.execute(
                text("INSERT INTO sqlite_sequence (name, seq) VALUES ('ticket', :last)"),
                {"last": number - 1},
            )
        else:
            connection.execute(text(f"ALTER TABLE ticket ALTER number RESTART WITH {number:d}"))


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _steps() -> list[str]:
    """Every revision, oldest first."""
    script = ScriptDirectory.from_config(_config())
    return [revision.revision for revision in script.walk_revisions()][::-1]


def _missing(connection: Connection, steps: list[str]) -> list[str]:
    at = MigrationContext.configure(connection).get_current_revision()
    if at is None:
        return steps
    if at not in steps:
        raise StoreUnusable(
            f"the database's schema is {at}, newer than this program knows ({steps[-1]}): "
            "use the mailgate that made it, or a newer one"
        )
    return steps[steps.index(at) + 1 :]
