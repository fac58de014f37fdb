"""The schema: one truth in three forms, upgraded step by step, whatever kills the upgrade."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from mailgate.model.ports import StoreUnusable
from mailgate.store import Store, open_store
from mailgate.store.migrations import set_first_ticket
from mailgate.store.schema import schema
from mailgate.store.tables import metadata
from tests.conftest import ROOT, program
from tests.postgres import Cluster
from tests.store.builders import claimed, decide, make_store

PARTIAL = {"ix_item_due_at", "ix_outbox_due_at", "ix_outbox_links", "uq_contact_main"}


#: What `ddl.py` makes besides the tables; the comparison word by word below looks at it.
EXTRA = ("search_fts", "ix_search_words")


def differences(connection: Connection) -> list[object]:
    options = {"include_name": lambda name, *_: not str(name).startswith(EXTRA)}
    context = MigrationContext.configure(connection, opts=options)
    return list(compare_metadata(context, metadata))


def test_migrations_make_exactly_the_tables(empty_url: str) -> None:
    store = make_store(empty_url)
    with store.database.reading() as connection:
        assert differences(connection) == []
    store.check()
    store.close()


def test_schema_sql_is_what_the_tables_say() -> None:
    assert (ROOT / "schema.sql").read_text("utf-8") == schema("sqlite"), (
        "run: mailgate db schema > schema.sql"
    )


def clauses(statement: str) -> list[str]:
    """A statement as its parts; in which order a table's columns stand says nothing."""
    depth, parts = 0, [""]
    for character in " ".join(statement.split()):
        depth += (character == "(") - (character == ")")
        if depth == 1 and character in "(,":
            parts.append("")
        else:
            parts[-1] += character
    return sorted(part.strip(" )") for part in parts)


def test_schema_sql_and_migrations_agree_to_the_word_on_sqlite(sqlite_store: Store) -> None:
    """Down to partial indexes and checks, of which a comparison of metadata knows nothing."""
    query = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
    plain = sqlite3.connect(":memory:")
    plain.executescript(schema("sqlite"))
    wanted = [row[0] for row in plain.execute(query)]
    plain.close()
    with sqlite_store.database.reading() as connection:
        found = [row[0] for row in connection.exec_driver_sql(query)]
    found = [sql for sql in found if "alembic_version" not in sql]
    assert sorted(map(clauses, found)) == sorted(map(clauses, wanted))
    assert {name for name in PARTIAL if any(f" {name} " in sql for sql in found)} == PARTIAL


@pytest.mark.server("postgres")
def test_schema_sql_and_migrations_agree_on_postgresql(pg: Cluster, pg_store: Store) -> None:
    indexes = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"
    checks = "SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint WHERE contype <> 'p'"
    plain = open_store(pg.new_database())
    with plain.database.writing() as connection:
        connection.exec_driver_sql(schema("postgresql"))
    found = []
    for store in (plain, pg_store):
        with store.database.reading() as connection:
            rows = [*connection.exec_driver_sql(indexes), *connection.exec_driver_sql(checks)]
            found.append({row[0] for row in rows if "alembic" not in row[0]})
    assert found[0] == found[1]
    assert len(found[0]) > 40
    plain.close()


def test_a_database_without_a_schema_is_refused_with_the_remedy(empty_url: str) -> None:
    store = open_store(empty_url)
    with pytest.raises(StoreUnusable, match="run `mailgate db upgrade`"):
        store.check()
    store.close()


def test_a_newer_schema_than_the_programs_is_refused(empty_url: str) -> None:
    store = make_store(empty_url)
    with store.database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for attempt in (store.check, store.upgrade):
        with pytest.raises(StoreUnusable, match="9999, newer than this program knows"):
            attempt()
    store.close()


def test_upgrading_twice_does_nothing(empty_url: str) -> None:
    store = open_store(empty_url)
    assert store.upgrade() == ["0001", "0002", "0003", "0004"]
    assert store.upgrade() == []
    store.close()


def test_two_programs_may_upgrade_at_once(empty_url: str) -> None:
    """Alembic's context is one for each process, so it takes two processes."""
    code = "import sys; from mailgate.store import open_store; open_store(sys.argv[1]).upgrade()"
    with ThreadPoolExecutor(3) as pool:
        runs = [
            pool.submit(subprocess.run, [sys.executable, "-c", code, empty_url], check=True)
            for _ in range(3)
        ]
        assert [run.result().returncode for run in runs] == [0, 0, 0]
    make_store(empty_url).close()


@pytest.mark.server("strace")
@pytest.mark.parametrize("when", [1, 2, 3])
def test_an_upgrade_that_is_killed_is_done_or_undone(tmp_path: Path, when: int) -> None:
    url = f"sqlite:///{tmp_path / 'mailgate.db'}"
    code = "import sys; from mailgate.store import open_store; open_store(sys.argv[1]).upgrade()"
    strace = [str(program("strace")), "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync"]
    kill = ["-e", f"inject=fdatasync:signal=KILL:when={when}"]
    done = subprocess.run([*strace, *kill, sys.executable, "-c", code, url], timeout=60)
    assert done.returncode in {-signal.SIGKILL, 128 + signal.SIGKILL}
    store = open_store(url)
    with store.database.reading() as connection:
        count = "SELECT count(*) FROM sqlite_master WHERE name IN ('item', 'alembic_version')"
        assert connection.exec_driver_sql(count).scalar() in {0, 2}
    store.upgrade()
    store.check()
    store.close()


def test_the_first_ticket_may_have_any_number_once(empty_url: str) -> None:
    store = make_store(empty_url)
    set_first_ticket(store.database, 23328)
    ticket = decide(store, claimed(store, "first"))
    assert ticket is not None
    assert ticket.number == 23328
    with pytest.raises(StoreUnusable, match="ticket 23328 is there already"):
        set_first_ticket(store.database, 23328)
    following = decide(store, claimed(store, "second"))
    assert following is not None
    assert following.number == 23329
    store.close()


def test_the_number_of_a_ticket_that_is_gone_is_not_used_again(store: Store) -> None:
    ticket = decide(store, claimed(store, "first"))
    assert ticket is not None
    with store.database.writing() as connection:
        connection.execute(text("UPDATE message SET ticket = NULL"))
        connection.execute(text("DELETE FROM ticket"))
    following = decide(store, claimed(store, "second"))
    assert following is not None
    assert following.number == ticket.number + 1
