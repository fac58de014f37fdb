"""Every test of the store runs on both databases, unless it says which one it is about."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailgate.store import Store
from mailgate.store.people_tables import audit_head
from mailgate.store.tables import metadata
from tests.postgres import Cluster, cluster
from tests.store.builders import make_store

BOTH = [
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgresql", id="postgresql", marks=pytest.mark.server("postgres")),
]


@pytest.fixture(scope="session")
def pg() -> Iterator[Cluster]:
    """One PostgreSQL for the whole run."""
    with cluster() as running:
        yield running


@pytest.fixture(scope="session")
def pg_store(pg: Cluster) -> Iterator[Store]:
    """A database with today's schema; making one for each test would take a second each."""
    store = make_store(pg.new_database())
    yield store
    store.close()


@pytest.fixture(params=BOTH)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without a schema."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'mailgate.db'}"
    running: Cluster = request.getfixturevalue("pg")
    return running.new_database()


@pytest.fixture(scope="session")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with today's schema and nothing in it, to be copied."""
    folder = tmp_path_factory.mktemp("sqlite")
    make_store(folder).close()
    return folder / "mailgate.db"


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database in which nothing is stored yet."""
    if request.param == "sqlite":
        made = shutil.copy(request.getfixturevalue("sqlite_file"), tmp_path)
        return f"sqlite:///{made}"
    shared: Store = request.getfixturevalue("pg_store")
    with shared.database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE audit DISABLE TRIGGER USER")
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
        connection.exec_driver_sql("ALTER TABLE audit ENABLE TRIGGER USER")
        connection.execute(audit_head.insert(), {"id": 1, "last": 0, "hash": "0" * 64})
    return shared.database.engine.url.render_as_string(hide_password=False)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """A store whose schema is up to date."""
    made = make_store(url, upgrade=False)
    yield made
    made.close()


@pytest.fixture
def sqlite_store(sqlite_file: Path, tmp_path: Path) -> Iterator[Store]:
    shutil.copy(sqlite_file, tmp_path)
    made = make_store(tmp_path, upgrade=False)
    yield made
    made.close()
