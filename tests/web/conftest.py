"""A running site for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.web.site import HTTPS, Site


@pytest.fixture
def site() -> Iterator[Site]:
    """On http, as on loopback: what a browser can open here."""
    running = Site()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def secure() -> Iterator[Site]:
    """The same behind https, as a proxy hands it on: base_url says https, the socket is plain."""
    running = Site(base_url=HTTPS)
    running.start()
    yield running
    running.stop()
