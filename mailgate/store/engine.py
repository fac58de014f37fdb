"""The database: connections that keep what they acknowledge, and the two kinds of transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError

from mailgate.model.ports import StorageError, StorageFull, StoreUnusable

_WRITES, _ALONE = "mailgate_writes", "mailgate_alone"
#: PostgreSQL's "disk_full".
_PG_DISK_FULL = "53100"


class Database:
    """One database, SQLite or PostgreSQL, with its pool of checked connections.

    Trouble comes out as `StorageError`, a full disk as `StorageFull`: nobody else needs to know
    what SQLAlchemy is.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writer = engine.execution_options(**{_WRITES: True})

    @property
    def sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that is durable once the block is left without an exception."""
        with _named_trouble(), self._writer.connect() as connection:
            try:
                connection.begin()
                yield connection
                connection.commit()
            except BaseException as error:
                _leave(connection, error)
                raise

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One transaction that sees one state of the database and changes nothing."""
        with _named_trouble(), self.engine.connect() as connection:
            try:
                yield connection
            except BaseException as error:
                _leave(connection, error)
                raise

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """As `reading`, where several queries must see the same state on PostgreSQL too."""
        with self.reading() as connection:
            if not self.sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """A connection without a transaction, for what cannot be done inside one."""
        options = {_ALONE: True} if self.sqlite else {"isolation_level": "AUTOCOMMIT"}
        engine = self.engine.execution_options(**options)
        with _named_trouble(), engine.connect() as connection:
            try:
                yield connection
            except BaseException as error:
                _leave(connection, error)
                raise

    def close(self) -> None:
        self.engine.dispose()


def open_database(url: str, *, busy_timeout: float = 10.0, pool_size: int = 5) -> Database:
    """Open a database by its URL: `sqlite:///PATH` or `postgresql://…`.

    Makes a first connection, so that a database which would lose mail is refused at once.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreUnusable(
            "database: not a URL such as sqlite:///PATH or postgresql://…"
        ) from error
    shown = parsed.render_as_string(hide_password=True)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        engine = _sqlite(parsed, busy_timeout, pool_size)
    elif backend == "postgresql":
        engine = _postgresql(parsed, busy_timeout, pool_size)
    else:
        raise StoreUnusable(f"database {shown}: only sqlite and postgresql are known")
    database = Database(engine)
    try:
        with database.reading():
            pass
    except (StorageError, StoreUnusable) as error:
        database.close()
        raise StoreUnusable(f"database {shown}: {error}") from error
    return database


def _sqlite(url: URL, busy_timeout: float, pool_size: int) -> Engine:
    if not url.database or url.database == ":memory:":
        raise StoreUnusable("database: an SQLite database in memory loses all mail; name a file")
    path = Path(url.database)
    with suppress(OSError):  # connecting says it better
        path.touch(mode=0o600)  # it holds everybody's mail
    engine = create_engine(
        url.set(drivername="sqlite+pysqlite"),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=busy_timeout,
        connect_args={"timeout": busy_timeout, "isolation_level": None},
        insertmanyvalues_page_size=1000,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(dbapi: Any, _record: Any) -> None:
    """Set what durability needs, and refuse the connection where it was not taken.

    What is deleted is written over with zeros (promise G2). Most systems build SQLite so anyway;
    intake only adds, and gets no slower by it.
    """
    wanted: tuple[tuple[str, str, object], ...] = (
        ("journal_mode", "WAL", "wal"),
        ("synchronous", "FULL", 2),
        ("foreign_keys", "ON", 1),
        ("secure_delete", "ON", 1),
        ("journal_size_limit", "67108864", 67108864),
    )
    for pragma, value, expected in wanted:
        dbapi.execute(f"PRAGMA {pragma}={value}")
        found = dbapi.execute(f"PRAGMA {pragma}").fetchone()[0]
        if found != expected:
            raise StoreUnusable(f"SQLite has {pragma}={found} where {expected} is needed")


def _begin_sqlite(connection: Connection) -> None:
    """Writers take the lock at once: a reader that turns writer fails without waiting.

    That is SQLITE_BUSY_SNAPSHOT, for which SQLite does not consult the busy timeout.
    """
    options = connection.get_execution_options()
    if not options.get(_ALONE):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(_WRITES) else "BEGIN")


def _postgresql(url: URL, busy_timeout: float, pool_size: int) -> Engine:
    query = {
        "connect_timeout": "10",
        "target_session_attrs": "read-write",  # a replica is no place to accept mail
        "keepalives_idle": "30",
        "tcp_user_timeout": "10000",
        "application_name": "mailgate",
    }
    query.update({key: str(value) for key, value in url.query.items()})
    engine = create_engine(
        url.set(drivername="postgresql+psycopg", query=query),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=busy_timeout,
    )
    event.listen(engine, "connect", _postgres_preparation(busy_timeout))
    return engine


def _postgres_preparation(busy_timeout: float) -> Callable[[Any, Any], None]:
    def prepare(dbapi: Any, _record: Any) -> None:
        with dbapi.cursor() as cursor:
            for name in ("synchronous_commit", "fsync"):
                found = cursor.execute(f"SHOW {name}").fetchone()[0]
                if found == "off":
                    raise StoreUnusable(f"PostgreSQL has {name}=off: it would lose accepted mail")
            cursor.execute(f"SET lock_timeout = '{int(busy_timeout * 1000)}ms'")
            cursor.execute("SET idle_in_transaction_session_timeout = '60s'")
        dbapi.commit()

    return prepare


def _leave(connection: Connection, error: BaseException) -> None:
    """End a failed transaction. After trouble of the database the connection is thrown away.

    A failed commit is never tried again on it: after a failed fsync, the next one may claim
    success for pages that are lost (promise R7).
    """
    if isinstance(error, SQLAlchemyError) and not isinstance(error, IntegrityError):
        connection.invalidate(error)
        return
    try:
        connection.rollback()
    except SQLAlchemyError as second:
        connection.invalidate(second)


@contextmanager
def _named_trouble() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        cause = error.orig if isinstance(error, DBAPIError) else None
        said = str(cause or error).strip().partition("\n")[0]
        raise (StorageFull(said) if _is_full(cause) else StorageError(said)) from error


def _is_full(cause: BaseException | None) -> bool:
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return getattr(cause, "sqlstate", None) == _PG_DISK_FULL
