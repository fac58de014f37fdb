"""A private PostgreSQL cluster for tests: its own folder, its own socket, gone afterwards."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg

from tests.conftest import program


@dataclass
class Cluster:
    """A running server that listens on a UNIX socket in `folder` only."""

    folder: Path
    user: str | None
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://tester@/{database}?host={quote(str(self.folder))}"

    def new_database(self) -> str:
        """The URL of a fresh, empty database."""
        name = f"test{next(self._numbers)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.url(name)

    def run(self, name: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs as the cluster's user, who is never root."""
        path = program(name)
        assert path, f"{name} is missing beside postgres"
        subprocess.run(
            [path, *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            cwd=self.folder,
            user=self.user,
            group=pwd.getpwnam(self.user).pw_gid if self.user else None,
            extra_groups=[] if self.user else None,
        )

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.folder}'"
        log = str(self.folder / "log")
        self.run("pg_ctl", "start", "-w", "-D", str(self.data), "-l", log, "-o", options)

    def stop(self, mode: str = "immediate") -> None:
        self.run("pg_ctl", "stop", "-w", "-D", str(self.data), "-m", mode)


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Make, start, and in the end remove a cluster."""
    # Not pytest's folder: its path may be too long for a socket, and closed to another user.
    folder = Path(tempfile.mkdtemp(prefix="mailgate-pg-"))
    made = Cluster(folder, _unprivileged())
    try:
        if made.user:
            shutil.chown(folder, made.user)
        initdb = ("-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        made.run("initdb", "-D", str(made.data), *initdb)
        made.start()
        try:
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder)


def _unprivileged() -> str | None:
    """Who runs the server: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)
