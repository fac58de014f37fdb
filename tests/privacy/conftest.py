"""Two databases, and a house on each of them in which mail is read, decided and answered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import Cluster, cluster
from tests.privacy.house import House, make_house

BOTH = [
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgresql", id="postgresql", marks=pytest.mark.server("postgres")),
]


@pytest.fixture(scope="session")
def pg() -> Iterator[Cluster]:
    with cluster() as running:
        yield running


@pytest.fixture(params=BOTH)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    database = None
    if request.param == "postgresql":
        running: Cluster = request.getfixturevalue("pg")
        database = running.new_database()
    made = make_house(tmp_path, database)
    yield made
    made.store.close()
