"""Fixtures and rules for all tests: above all, which programs of the machine a test needs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is slow at times, which says nothing of what is tested.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

ROOT = Path(__file__).resolve().parent.parent

#: Where Debian keeps what is not on every user's PATH.
SERVER_PATHS = ("/usr/sbin", "/sbin", *map(str, Path("/usr/lib/postgresql").glob("*/bin")))

#: Postfix's master starts as root only; the others are content with any user.
NEEDS_ROOT = frozenset({"postfix"})
PROGRAMS = frozenset(
    {"postfix", "swaks", "postgres", "chromium", "npm", "strace", "systemd-analyze"}
)


def program(name: str) -> str | None:
    """The full path of a program of the machine, or None."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *SERVER_PATHS))
    return shutil.which(name, path=path)


def missing(name: str) -> str | None:
    """Why this server cannot be used here, or None where it can."""
    if name not in PROGRAMS:
        return f"no such server is known to tests/conftest.py: {name}"
    if program(name) is None:
        return f"{name} is not installed"
    if name in NEEDS_ROOT and os.geteuid() != 0:
        return f"{name} needs root"
    return None


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("server"):
        for name in marker.args:
            problem = missing(name)
            if problem is None:
                continue
            if os.environ.get("MAILGATE_REQUIRE_SERVERS") == "1" or name not in PROGRAMS:
                pytest.fail(problem, pytrace=False)
            pytest.skip(problem)


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the source tree."""
    return ROOT
