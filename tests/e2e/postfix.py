"""A real Postfix with configuration, queue and log in a folder of its own; needs root."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from tests.conftest import ROOT, program
from tests.e2e.site import free_port, wait_until

_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.firma.example
mydestination =
local_recipient_maps =
relay_domains = firma.example
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
maillog_file = {folder}/maillog
maillog_file_prefixes = {folder}
alias_maps =
alias_database =
smtpd_peername_lookup = no
# A killed mailgate is to be tried again within seconds, not minutes.
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
"""

_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 1 1 qmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""


def blocks(page: str, kind: str) -> str:
    """The fenced blocks of that kind in a page of docs/, one after the other."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    found = re.findall(rf"^```{re.escape(kind)}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert found, f"no block {kind} in docs/{page}"
    return "\n".join(found)


class Postfix:
    """Runs with the configuration that docs/postfix.md shows, on a free port."""

    def __init__(self, nexthop: str, *, main: str = "", milter_port: int | None = None) -> None:
        """`nexthop` is where the documented transport leads: inet:HOST:PORT or unix:/PATH."""
        # Not pytest's tmp_path: its parents are closed to the user postfix.
        self.folder = Path(tempfile.mkdtemp(prefix="mailgate-postfix-"))
        self.folder.chmod(0o755)
        self.port = free_port()
        self.log = self.folder / "maillog"
        self.config = self.folder / "etc"
        self.config.mkdir()
        for name in ("queue", "data"):
            (self.folder / name).mkdir()
        shutil.chown(self.folder / "data", "postfix")
        shown = blocks("postfix.md", "main.cf").replace("inet:127.0.0.1:2424", nexthop)
        checks = self.config / "header_checks"
        checks.write_text(blocks("postfix.md", "header_checks"), encoding="utf-8")
        own = _MAIN.format(folder=self.folder)
        own += f"header_checks = regexp:{checks}\n"
        if milter_port is not None:
            own += f"smtpd_milters = inet:127.0.0.1:{milter_port}\n"
        self._write("main.cf", own + shown + main)
        self._write("master.cf", _MASTER.format(port=self.port) + blocks("postfix.md", "master.cf"))

    def _write(self, name: str, text: str) -> None:
        (self.config / name).write_text(text, encoding="utf-8")

    def command(self, word: str) -> subprocess.CompletedProcess[str]:
        tool = program("postfix")
        assert tool is not None
        return subprocess.run(
            [tool, "-c", self.config, word], capture_output=True, text=True, timeout=60
        )

    def __enter__(self) -> Self:
        started = self.command("start")
        said = self.log.read_text(encoding="utf-8") if self.log.exists() else ""
        assert started.returncode == 0, started.stderr + said
        return self

    def __exit__(self, *_: object) -> None:
        self.command("stop")
        pid = self.folder / "queue" / "pid" / "master.pid"
        wait_until(lambda: not pid.exists() or not _alive(pid), 20, "Postfix ends")
        shutil.rmtree(self.folder)

    def lines(self, pattern: str) -> list[str]:
        """Lines of its log that match."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return [line for line in text.splitlines() if re.search(pattern, line)]

    def wait_for(self, pattern: str, count: int, seconds: float) -> None:
        wait_until(lambda: len(self.lines(pattern)) >= count, seconds, f"{count} × {pattern}")


def _alive(pid_file: Path) -> bool:
    try:
        os.kill(int(pid_file.read_text()), 0)
    except (OSError, ValueError):
        return False
    return True
