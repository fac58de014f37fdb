"""Connections: what is refused at the start, and what trouble looks like."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, text

from mailgate.model.ports import StorageError, StorageFull, StoreUnusable
from mailgate.store import Store, open_store
from mailgate.store.tables import content
from tests.conftest import program
from tests.postgres import cluster
from tests.store.builders import admission, admitted, make_store


def pooled(store: Store) -> int:
    """Connections that somebody holds."""
    return store.database.engine.pool.checkedout()  # type: ignore[attr-defined,no-any-return]


# --- SQLite ----------------------------------------------------------------------------------


def test_every_pooled_connection_of_sqlite_is_durable(sqlite_store: Store) -> None:
    engine = sqlite_store.database.engine
    held = [engine.connect() for _ in range(8)]
    for connection in held:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
        assert found == ["wal", 2, 1, 5000]
        connection.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file::memory:"])
def test_a_database_in_memory_is_refused(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if "file" in url:
        open_store(url).close()  # a plain file with an odd name, and durable
        assert (tmp_path / "file::memory:").exists()
        return
    with pytest.raises(StoreUnusable, match="in memory loses all mail"):
        open_store(url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "not a URL"),
        ("mysql://x/y", "only sqlite and postgresql are known"),
        ("sqlite:////nowhere/at/all/m.db", "unable to open database file"),
        ("postgresql://u:secret@127.0.0.1:1/x", "refused"),
    ],
)
def test_what_cannot_be_opened_is_named_without_its_password(url: str, said: str) -> None:
    with pytest.raises(StoreUnusable, match=said) as caught:
        open_store(url)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(b"this is no database, " * 100)
    with pytest.raises(StoreUnusable, match="not a database"):
        open_store(f"sqlite:///{path}")


def test_nobody_else_can_read_the_database(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    admitted(store)
    for path in tmp_path.glob("mailgate.db*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    store.close()


def test_a_writer_takes_its_lock_at_once_and_a_reader_none(sqlite_store: Store) -> None:
    """A reader that turns writer would fail without waiting (SQLITE_BUSY_SNAPSHOT)."""
    path = sqlite_store.file
    assert path is not None
    other = sqlite3.connect(path, timeout=0, isolation_level=None)
    with sqlite_store.database.reading() as connection:
        connection.execute(text("SELECT count(*) FROM item"))
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    with sqlite_store.database.writing(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.close()


def test_many_writers_wait_for_each_other_and_none_fails(tmp_path: Path) -> None:
    store = make_store(tmp_path, pool_size=10)

    def write(number: int) -> None:
        for i in range(20):
            admitted(store, f"mail {number} {i}")

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.views.waiting()["incoming"][0] == 160
    store.close()


def test_a_database_that_another_process_locks_is_an_error_in_time(tmp_path: Path) -> None:
    store = make_store(tmp_path, busy_timeout=0.5)
    other = sqlite3.connect(tmp_path / "mailgate.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    started = time.monotonic()
    with pytest.raises(StorageError, match="locked"):
        admitted(store)
    assert time.monotonic() - started < 5
    other.execute("ROLLBACK")
    other.close()
    admitted(store)
    assert pooled(store) == 0
    store.close()


def test_a_full_disk_has_its_own_name_and_passes(sqlite_store: Store) -> None:
    engine = sqlite_store.database.engine

    def shrink(dbapi: sqlite3.Connection, *_: object) -> None:
        dbapi.execute("PRAGMA max_page_count=80")

    event.listen(engine, "connect", shrink)
    engine.dispose()
    with pytest.raises(StorageFull, match="full"):
        sqlite_store.intake.admit([admission("x" * 1_000_000)])
    event.remove(engine, "connect", shrink)
    engine.dispose()
    admitted(sqlite_store, "x" * 1_000_000)
    with sqlite_store.database.reading() as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"


def test_a_failed_commit_is_not_tried_again_on_its_connection(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a failed fsync the next one may succeed for pages that are lost (promise R7)."""
    connections: list[sqlite3.Connection] = []
    engine = sqlite_store.database.engine
    event.listen(engine, "connect", lambda dbapi, _: connections.append(dbapi))
    engine.dispose()

    def broken(_dbapi: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(engine.dialect, "do_commit", broken)
        with pytest.raises(StorageError, match="disk I/O error"):
            admitted(sqlite_store)
    admitted(sqlite_store)
    assert len(connections) == 2
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connections[0].execute("SELECT 1")
    assert sqlite_store.views.waiting()["incoming"][0] == 1


@pytest.mark.server("strace")
@pytest.mark.parametrize("when", [1, 3, 5, 9])
def test_an_fsync_that_fails_acknowledges_nothing(tmp_path: Path, when: int) -> None:
    make_store(tmp_path).close()
    url = f"sqlite:///{tmp_path / 'mailgate.db'}"
    inject = f"inject=fdatasync:error=EIO:when={when}"
    strace = [str(program("strace")), "-f", "-qq", "-o", os.devnull, "-e", "trace=fdatasync"]
    writer = [sys.executable, "-m", "tests.store.writer", url, "10"]
    done = subprocess.run(
        [*strace, "-e", inject, *writer], stdout=subprocess.PIPE, text=True, check=True, timeout=60
    )
    said = done.stdout.split()
    assert said.count("StorageError") == 1
    acknowledged = set(said) - {"StorageError"}
    assert len(acknowledged) == 27, "the writer went on after the failure"
    store = make_store(tmp_path)
    found = {row.queue_id for row in store.views.queue()}
    assert acknowledged <= found
    with store.database.reading() as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    store.close()


# --- both ------------------------------------------------------------------------------------


def test_whatever_fails_inside_leaves_nothing_and_no_connection_held(store: Store) -> None:
    row = {"sha256": "0" * 64, "size": 1, "octets": b"x"}

    def broken() -> None:
        with store.database.writing() as connection:
            connection.execute(content.insert(), row)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    with store.database.reading() as connection:
        assert connection.execute(content.select()).all() == []
    assert pooled(store) == 0


def test_a_statement_that_fails_is_a_storage_error(store: Store) -> None:
    with pytest.raises(StorageError), store.database.reading() as connection:
        connection.execute(text("SELECT nothing FROM nowhere"))
    assert pooled(store) == 0


def test_a_ping_writes_and_leaves_nothing(store: Store) -> None:
    store.ping()
    assert store.views.events() == []


def test_a_ping_fails_where_mail_could_not_be_stored(tmp_path: Path) -> None:
    store = make_store(tmp_path, busy_timeout=0.1)
    other = sqlite3.connect(tmp_path / "mailgate.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="locked"):
        store.ping()
    other.close()
    store.close()


def test_only_the_embedded_database_is_a_file(store: Store) -> None:
    assert (store.file is not None) == store.database.sqlite
    assert store.file is None or store.file.is_file()


# --- PostgreSQL ------------------------------------------------------------------------------

needs_postgres = pytest.mark.server("postgres")


@contextmanager
def every_session(store: Store, name: str, value: str) -> Iterator[str]:
    """Give new sessions of the database another setting; gives the URL."""
    url = store.database.engine.url
    with store.database.writing() as connection:
        connection.execute(text(f'ALTER DATABASE "{url.database}" SET {name} = {value}'))
    yield url.render_as_string(hide_password=False)
    with store.database.writing() as connection:
        connection.execute(text(f'ALTER DATABASE "{url.database}" RESET {name}'))


@needs_postgres
def test_a_server_that_acknowledges_before_it_writes_is_refused(pg_store: Store) -> None:
    with (
        every_session(pg_store, "synchronous_commit", "off") as url,
        pytest.raises(StoreUnusable, match="synchronous_commit=off: it would lose accepted mail"),
    ):
        open_store(url)


@needs_postgres
def test_a_replica_is_no_place_to_accept_mail(pg_store: Store) -> None:
    with (
        every_session(pg_store, "default_transaction_read_only", "on") as url,
        pytest.raises(StoreUnusable, match="read-only"),
    ):
        open_store(url)


@needs_postgres
def test_a_server_that_went_away_is_an_error_and_then_forgotten() -> None:
    with cluster() as own:
        store = make_store(own.new_database())
        admitted(store, "before")
        own.stop()
        with pytest.raises(StorageError):
            admitted(store, "during")
        own.start()
        admitted(store, "after")
        assert store.views.waiting()["incoming"][0] == 2
        assert pooled(store) == 0
        store.close()


@needs_postgres
def test_a_lock_that_nobody_gives_back_is_an_error_in_time(pg_store: Store) -> None:
    url = pg_store.database.engine.url.render_as_string(hide_password=False)
    store = make_store(url, busy_timeout=0.3)
    with store.database.writing() as connection:
        connection.execute(text("LOCK TABLE item"))
        with pytest.raises(StorageError, match="lock timeout"):
            admitted(store)
    store.close()
