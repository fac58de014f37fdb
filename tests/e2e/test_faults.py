"""Faults around mailgate and monsters before it: each gets the answer that was promised for it."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.mails import large, nested, ordinary
from tests.e2e.oracle import compare, kept, undecided
from tests.e2e.sender import Dialog, Log, Mail, Sender
from tests.e2e.sink import Sink
from tests.e2e.site import DESK, MAIN, Daemon, Site, wait_until

MIB = 1 << 20

#: Holds the database for itself until its standard input ends.
_LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


def send(site: Site, mail: Mail) -> list[bytes]:
    with Dialog(site.lmtp, lmtp=True, timeout=60) as dialog:
        return dialog.send(mail)


def decided(site: Site, mail: Mail) -> str | None:
    """The verdict on a mail, once there is one."""
    wait_until(lambda: not undecided(kept(site.database)), 60, "every item is decided")
    return {item.key: item.verdict for item in kept(site.database)}[mail.key]


def test_a_locked_database_is_a_reason_to_try_again(site: Site, daemon: Daemon) -> None:
    """Promise R8: 451 within 20 s, other connections answer meanwhile, and all is well after."""
    locker = subprocess.Popen(
        [sys.executable, "-c", _LOCKER, site.folder / "mailgate.db"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with locker, Dialog(site.lmtp, lmtp=True, timeout=60) as dialog:
        assert locker.stdout is not None
        assert locker.stdout.readline() == "locked\n"
        before = time.monotonic()
        sender = Sender([ordinary(1)], site.lmtp, connections=1).start()
        wait_until(lambda: sender.log.again, 20, "451 while locked")
        assert time.monotonic() - before <= 20
        asked = time.monotonic()
        assert dialog.say(b"NOOP")[:3] == b"250"
        assert time.monotonic() - asked <= 1
        (reply,) = dialog.send(ordinary(2))
        assert reply.startswith(b"451 4.3.")
        locker.communicate("")
        # The connection that was refused is good for the next attempt.
        (reply,) = dialog.send(ordinary(2))
        assert reply.startswith(b"250 2.0.0")
        assert sender.wait(30)
    assert sender.log.refused == {}
    assert len(kept(site.database)) == 2


def test_a_mail_over_the_limit_is_refused_and_the_connection_goes_on(
    site: Site, daemon: Daemon
) -> None:
    """Promise S4: 552 5.3.4, at MAIL where the size is said, else after the content."""
    mail = large(26 * MIB, MAIN.format(1))
    with Dialog(site.lmtp, lmtp=True, timeout=60) as dialog:
        assert b"SIZE 26214400" in dialog.hello
        said = dialog.say(b"MAIL FROM:<jan@klient1.example> SIZE=%d" % len(mail.content))
        assert said.startswith(b"552 5.3.4")
        assert [reply[:9] for reply in dialog.send(mail)] == [b"552 5.3.4"]
        assert [reply[:9] for reply in dialog.send(ordinary(1))] == [b"250 2.0.0"]
    assert [item.key for item in kept(site.database)] == [ordinary(1).key]


def test_a_mail_just_within_the_limit_is_kept(site: Site, daemon: Daemon) -> None:
    mail = large(25 * MIB - 4096, MAIN.format(1))
    assert [reply[:9] for reply in send(site, mail)] == [b"250 2.0.0"]
    decided(site, mail)
    (item,) = kept(site.database)
    assert compare([mail], Log({mail.key: [item.queue_id]}), site.database).faults == {}


def test_a_thousand_nested_parts_are_held_for_a_person(site: Site, daemon: Daemon) -> None:
    """Promise M5: accepted, read up to a bound, and never authorized."""
    mail = nested(1000, MAIN.format(1))
    assert [reply[:9] for reply in send(site, mail)] == [b"250 2.0.0"]
    assert decided(site, mail) == "held"
    (item,) = kept(site.database)
    shown = site.rows("queue", "show", item.queue_id)[0]["message"]
    assert shown["reasons"] == ["limits-exceeded"]
    # The next one is not kept waiting.
    after = ordinary(1)
    send(site, after)
    assert decided(site, after) == "pending"


def test_a_missing_relay_delays_the_notice_and_nothing_else(site: Site) -> None:
    """Promise R15: the outbox waits, and sends with the same Message-ID when the relay is back."""
    site.configure(outbound={"retries": ["1 s"] * 30})
    with Daemon(site):
        started = time.monotonic()
        sender = Sender([ordinary(n) for n in range(1, 21)], site.lmtp).start()
        assert sender.wait(30)
        assert time.monotonic() - started < 10
        wait_until(lambda: site.events("notice-retried"), 30, "an attempt that failed")
        waiting = {row["id"]: row["message_id"] for row in outbox(site)}
        assert waiting
        with Sink(site.relay[1]) as relay:
            wait_until(lambda: len(relay.caught) >= len(waiting), 30, "the outbox is empty")
            wait_until(lambda: _states(site) == {"sent"}, 10, "all are marked as sent")
    sent = [str(mail.message["Message-ID"]).strip("<>") for mail in relay.caught]
    assert sorted(sent) == sorted(waiting.values())


def _states(site: Site) -> set[str]:
    return {row["state"] for row in outbox(site)}


def outbox(site: Site) -> list[dict[str, Any]]:
    """Every mail of ours, those that were sent as well."""
    return site.rows("outbox", "list", "--state", "waiting", "--state", "active", "--state", "sent")


def test_broken_rules_on_reload_leave_the_old_ones_in_force(site: Site, daemon: Daemon) -> None:
    working(site)
    site.rules.write_text("version: 1\nruels: []\n", encoding="utf-8")
    daemon.process.send_signal(signal.SIGHUP)
    wait_until(lambda: site.events("rules-rejected"), 10, "it is said")
    (event, *_) = site.events("rules-rejected")
    assert "rules.yaml:2:1" in event["problems"]
    mail = ordinary(1)
    send(site, mail)
    assert decided(site, mail) == "pending"


def test_a_worker_that_dies_over_broken_rules_is_followed_by_one_with_the_old_ones(
    site: Site, daemon: Daemon
) -> None:
    working(site)
    site.rules.write_text("version: 1\nruels: []\n", encoding="utf-8")
    started = site.events("worker-started")
    os.kill(started[-1]["pid"], signal.SIGKILL)
    wait_until(lambda: len(site.events("worker-started")) > len(started), 10, "another worker")
    mail = ordinary(1)
    send(site, mail)
    assert decided(site, mail) == "pending"


def working(site: Site) -> None:
    """Wait until a worker is up: it has decided a mail."""
    first = ordinary(39)
    send(site, first)
    assert decided(site, first) == "pending"


def test_good_rules_on_reload_reach_the_workers(site: Site, daemon: Daemon) -> None:
    working(site)
    text = site.rules.read_text(encoding="utf-8")
    site.rules.write_text(
        text.replace(
            "rules:\n",
            "rules:\n  - {name: all-held, says: Everything., when: {channel: email},"
            " verdict: held, reason: limits-exceeded}\n",
            1,
        ),
        encoding="utf-8",
    )
    before = len(site.events("rules-loaded"))
    daemon.process.send_signal(signal.SIGHUP)
    wait_until(lambda: len(site.events("rules-loaded")) >= before + 2, 10, "both have taken it up")
    mail = ordinary(1)
    send(site, mail)
    assert decided(site, mail) == "held"


def test_a_broken_directory_file_changes_nothing_and_names_the_line(site: Site) -> None:
    before = site.must("directory", "export")
    site.directory.write_text(
        "accounts:\n"
        "  - id: K900\n"
        "    company: Nowy klient\n"
        "    contacts:\n"
        "      - {address: ok@nowy.example, role: main}\n"
        "  - id: K901\n"
        "    company: Zły klient\n"
        "    contacts:\n"
        "      - {address: zly@nowy.example, role: boss}\n",
        encoding="utf-8",
    )
    result = site.run("directory", "import", str(site.directory))
    assert result.returncode == 2
    assert re.search(r"directory\.yaml:9:\d+: ", result.stderr)
    assert site.must("directory", "export") == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 96 MiB; only root can have one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=96m", "none", folder], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("no right to mount")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def hello(site: Site) -> bytes:
    """What MAIL is answered."""
    with Dialog(site.lmtp, lmtp=True) as dialog:
        return dialog.say(b"MAIL FROM:<jan@klient1.example>")


def fill(path: Path, leave: int = 0) -> None:
    """Take all space of the file system but that many octets."""
    free = os.statvfs(path.parent).f_bavail * os.statvfs(path.parent).f_frsize
    with path.open("wb") as file:
        left = free - leave
        try:
            while left > 0:
                left -= file.write(b"\0" * min(left, MIB))
            file.flush()
        except OSError:  # full: just what is wanted
            return


def test_a_full_disk_is_a_reason_to_try_again(small_disk: Path) -> None:
    """Promise R6: 452 before the space is gone, 4xx when it is, nothing lost, a whole database."""
    site = Site(small_disk).prepare()
    before, during = [[ordinary(n) for n in part] for part in (range(30), range(30, 60))]
    with Sink(site.relay[1]), Daemon(site) as daemon:
        first = Sender(before, site.lmtp, connections=4).start()
        assert first.wait(60)
        fill(small_disk / "filler")
        second = Sender(during, site.lmtp, connections=4).start()
        wait_until(lambda: second.log.again >= 10, 30, "mail is turned away")
        wait_until(lambda: hello(site).startswith(b"452 4.3.1"), 10, "452 at MAIL")
        # What was made room for in the database's log is kept like any other, as is shown below.
        assert second.settled < len(during)
        (small_disk / "filler").unlink()
        assert second.wait(60), daemon.tail()
        wait_until(lambda: not undecided(kept(site.database)), 60, "all are decided")
    for mails, sender in ((before, first), (during, second)):
        assert sender.log.refused == {}
        assert compare(mails, sender.log, site.database).faults == {}
    assert integrity(site) == "ok"


def test_a_database_that_cannot_grow_is_a_reason_to_try_again(site: Site, sink: Sink) -> None:
    """The same without root: the log of the database may not grow beyond a limit of the shell."""
    limit = 4 * MIB
    limited = ("prlimit", f"--fsize={limit}:{limit}")
    mails = [ordinary(n) for n in range(10)]
    big = large(6 * MIB, MAIN.format(2))
    daemon = Daemon(site, wrapper=limited)
    try:
        daemon.wait_ready()
        (reply,) = send(site, big)
        assert reply[:1] == b"4", reply
        sender = Sender(mails, site.lmtp, connections=2).start()
        assert sender.wait(60), daemon.tail()
    finally:
        daemon.stop()
    with Daemon(site):
        assert [r[:9] for r in send(site, big)] == [b"250 2.0.0"]
        decided(site, big)
    assert sender.log.refused == {}
    assert compare(mails, sender.log, site.database).faults == {}
    assert integrity(site) == "ok"


def integrity(site: Site) -> str:
    with sqlite3.connect(site.folder / "mailgate.db") as connection:
        (said,) = connection.execute("PRAGMA integrity_check").fetchone()
    connection.close()
    return str(said)


def test_desks_only_are_served(site: Site, daemon: Daemon) -> None:
    """Promise S8: a stranger's domain is refused at RCPT, in every disguise."""
    probes = [
        b"ktos@gdzies.example",
        b"ktos%gdzies.example@firma.example",
        b"@firma.example:ktos@gdzies.example",
        b'"ktos@gdzies.example"@firma.example',
        b"nikt@firma.example",
        DESK.encode() + b"@gdzies.example",
    ]
    with Dialog(site.lmtp, lmtp=True) as dialog:
        assert dialog.say(b"MAIL FROM:<a@b.example>")[:3] == b"250"
        for probe in probes:
            assert dialog.say(b"RCPT TO:<" + probe + b">")[:1] == b"5", probe
