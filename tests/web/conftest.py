"""A running site for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.chromium import launched
from tests.web import console_house
from tests.web.site import HTTPS, Server, Site


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One a file: whatever drives it has an event loop, which other files cannot have beside it."""
    with launched() as browser:
        yield browser


@pytest.fixture
def site(server: Server) -> Site:
    """On http, as on loopback: what a browser can open here."""
    return Site().start(server)


@pytest.fixture
def secure(server: Server) -> Site:
    """The same behind https, as a proxy hands it on: base_url says https, the socket is plain."""
    return Site(base_url=HTTPS).start(server)


@pytest.fixture(scope="session")
def console_stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What every console of a test begins with."""
    return console_house.stock(tmp_path_factory.mktemp("console"))
