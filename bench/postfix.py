"""A Postfix on loopback that accepts durably and delivers nothing: the peer of intake."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_MAIN = """\
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
maillog_file = {home}/queue/mail.log
maillog_file_prefixes = {home}
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = peer.example
mydestination =
relay_domains = desk.example
mynetworks = 127.0.0.0/8
alias_maps =
in_flow_delay = 0
message_size_limit = 52428800
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtpd_recipient_restrictions = check_client_access static:hold, permit_mynetworks, reject
smtpd_relay_restrictions =
"""
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
showq unix n - n - - showq
postlog unix-dgram n - n - 1 postlogd
"""


def absence() -> str | None:
    """Why Postfix cannot be measured here, or None."""
    if shutil.which("postfix", path=f"{os.defpath}:/usr/sbin") is None:
        return "Postfix is not installed"
    if os.geteuid() != 0:
        return "Postfix is installed, but starts as root only"
    return None


@contextmanager
def running(port: int) -> Iterator[int]:
    """Postfix with every message put on hold: one durable queue file each. Gives master's pid."""
    with TemporaryDirectory(prefix="bench-postfix-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        config = home / "etc"
        config.mkdir()
        (home / "queue").mkdir()
        (home / "data").mkdir()
        shutil.chown(home / "data", "postfix")
        (config / "main.cf").write_text(_MAIN.format(home=home))
        (config / "master.cf").write_text(_MASTER.format(port=port))
        postfix = ["/usr/sbin/postfix", "-c", str(config)]
        subprocess.run([*postfix, "start"], check=True, capture_output=True)
        try:
            pid_file = home / "queue" / "pid" / "master.pid"
            for _ in range(100):
                if pid_file.exists() and pid_file.read_text().strip():
                    break
                time.sleep(0.05)
            yield int(pid_file.read_text())
        finally:
            subprocess.run([*postfix, "stop"], check=False, capture_output=True)
