"""Fixtures of the end-to-end tests: a site in a fresh folder, and the relay behind it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.sink import Sink
from tests.e2e.site import Daemon, Site


@pytest.fixture(scope="session")
def full() -> bool:
    """Whether the promised figures are asked for, and not the smaller ones of every day."""
    return os.environ.get("MAILGATE_FULL") == "1"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path).prepare()


@pytest.fixture
def sink(site: Site) -> Iterator[Sink]:
    relay = Sink(site.relay[1])
    relay.start()
    yield relay
    relay.stop()


@pytest.fixture
def daemon(site: Site, sink: Sink) -> Iterator[Daemon]:
    """A running mailgate with its relay."""
    with Daemon(site) as running:
        yield running
