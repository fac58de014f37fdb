"""One mailgate with everything it needs in a folder of its own, started and killed as a whole."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import yaml

from tests.conftest import ROOT

MAILGATE = Path(sys.executable).with_name("mailgate")

DESK = "pomoc@firma.example"
ACCOUNTS = 40
#: What the domain of every customer here promises in the contract: the main contact is jan@.
MAIN = "jan@klient{}.example"


def free_port() -> int:
    """A port that nobody uses now; the kernel does not give it to the next caller at once."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(what: Any, seconds: float, said: str = "") -> None:
    """Look every 20 ms until it holds; AssertionError where it does not in time."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, f"not within {seconds} s: {said or what}"
        time.sleep(0.02)


class Site:
    """Configuration, keys, directory and database of one mailgate."""

    def __init__(self, folder: Path, database: str | None = None) -> None:
        self.folder = folder
        self.config = folder / "mailgate.yaml"
        self.database = database or f"sqlite:///{folder / 'mailgate.db'}"
        self.lmtp = ("127.0.0.1", free_port())
        self.smtp = ("127.0.0.1", free_port())
        self.web = ("127.0.0.1", free_port())
        self.relay = ("127.0.0.1", free_port())
        self.log = folder / "log.jsonl"
        self.daemons: list[Daemon] = []
        keys = folder / "keys"
        keys.write_text("5f" * 32 + "\n", encoding="ascii")
        keys.chmod(0o600)
        self.rules = folder / "rules.yaml"
        self.rules.write_bytes((ROOT / "config" / "rules.yaml").read_bytes())
        self.directory = folder / "directory.yaml"
        self.configure()

    @property
    def base_url(self) -> str:
        return f"http://{self.web[0]}:{self.web[1]}"

    def configure(self, **sections: dict[str, Any]) -> None:
        """Write mailgate.yaml; a section given here is laid over the one that stands for tests."""
        values: dict[str, Any] = {
            "base_url": self.base_url,
            "database": self.database,
            "keys": "keys",
            "rules": "rules.yaml",
            "desks": {"support": {"addresses": [DESK], "tag": "Firma.example", "language": "pl"}},
            "intake": {
                "lmtp": [_listen(self.lmtp)],
                "smtp": [_listen(self.smtp)],
                "hostname": "mailgate.firma.example",
            },
            "authentication": {"authserv_ids": ["mx.firma.example"]},
            "outbound": {"relay": _listen(self.relay), "hostname": "mailgate.firma.example"},
            "web": {"listen": _listen(self.web)},
        }
        for name, section in sections.items():
            values[name] = {**values.get(name, {}), **section}
        self.config.write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")

    def prepare(self) -> Self:
        """Make the database and fill the directory."""
        self.directory.write_text(yaml.safe_dump(directory(), allow_unicode=True), encoding="utf-8")
        self.must("db", "upgrade")
        self.must("directory", "import", str(self.directory))
        return self

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [MAILGATE, "--config", self.config, *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            cwd=self.folder,
        )

    def must(self, *arguments: str) -> str:
        result = self.run(*arguments)
        assert result.returncode == 0, f"{arguments}: {result.stdout}\n{result.stderr}"
        return result.stdout

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        """What a command says with --json: one object a line."""
        return [json.loads(line) for line in self.must(*arguments, "--json").splitlines()]

    def end(self) -> None:
        """Leave no process behind, however a test ended."""
        for daemon in self.daemons:
            if daemon.process.poll() is None:
                daemon.kill()

    def events(self, name: str) -> list[dict[str, Any]]:
        """Lines of the log of this name, over all starts."""
        if not self.log.exists():
            return []
        lines = self.log.read_text(encoding="utf-8").splitlines()
        found = [json.loads(line) for line in lines if f'"{name}"' in line and line[:1] == "{"]
        return [event for event in found if event.get("event") == name]


class Daemon:
    """`mailgate serve` in a process group of its own, so that the whole tree can be killed."""

    def __init__(self, site: Site, *options: str, wrapper: tuple[str, ...] = ()) -> None:
        self.site = site
        self.started = time.monotonic()
        with site.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*wrapper, MAILGATE, "--config", site.config, "serve", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=site.folder,
                start_new_session=True,
            )
        site.daemons.append(self)

    def wait_ready(self, seconds: float = 30) -> float:
        """Wait for the greeting of the LMTP door; gives the seconds since the start."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.tail()
            if self._greets():
                return time.monotonic() - self.started
            time.sleep(0.02)
        raise AssertionError(f"not ready within {seconds} s\n{self.tail()}")

    def _greets(self) -> bool:
        try:
            with socket.create_connection(self.site.lmtp, timeout=5) as client:
                return client.recv(3) == b"220"
        except OSError:
            return False

    def tail(self) -> str:
        return self.site.log.read_text(encoding="utf-8", errors="replace")[-3000:]

    def kill(self) -> None:
        """SIGKILL to every process of the tree at once, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)

    def stop(self, seconds: float = 45) -> int:
        """SIGTERM, and its exit status; AssertionError where it does not end in time."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise AssertionError(f"no end within {seconds} s\n{self.tail()}") from error

    def __enter__(self) -> Self:
        self.wait_ready()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()


def _listen(address: tuple[str, int]) -> str:
    return f"{address[0]}:{address[1]}"


def directory() -> dict[str, Any]:
    """Accounts of many customers, each with a main contact and one service."""
    return {
        "accounts": [
            {
                "id": f"K{n}",
                "company": f"Klient {n} sp. z o.o.",
                "language": "pl",
                "contacts": [{"address": MAIN.format(n), "role": "main", "name": "Jan Kowalski"}],
                "services": [{"identifier": f"klient{n}.example", "name": "Domena"}],
            }
            for n in range(ACCOUNTS)
        ]
    }
