"""Fixtures of the end-to-end tests: a site in a fresh folder, and the relay behind it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.sink import Sink
from tests.e2e.site import Daemon, Site
from tests.postgres import Cluster, cluster


@pytest.fixture(scope="session")
def full() -> bool:
    """Whether the promised figures are asked for, and not the smaller ones of every day."""
    return os.environ.get("MAILGATE_FULL") == "1"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path).prepare()
    yield made
    made.end()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    with cluster() as running:
        yield running


@pytest.fixture
def site_on_postgres(tmp_path: Path, postgres: Cluster) -> Iterator[Site]:
    made = Site(tmp_path, postgres.new_database()).prepare()
    yield made
    made.end()


@pytest.fixture
def sink(site: Site) -> Iterator[Sink]:
    with Sink(site.relay[1]) as relay:
        yield relay


@pytest.fixture
def daemon(site: Site, sink: Sink) -> Iterator[Daemon]:
    """A running mailgate with its relay."""
    with Daemon(site) as running:
        yield running
