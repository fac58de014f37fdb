"""What an MTA was told, held against the database, over kills and stops at random moments."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest

from tests.e2e.mails import ordinary
from tests.e2e.oracle import compare, kept, undecided
from tests.e2e.sender import Mail, Sender
from tests.e2e.sink import Sink
from tests.e2e.site import MAIN, Daemon, Site, wait_until

#: Promise R2: how soon it answers again after each start, in seconds.
READY = 5.0


def chunks(mails: list[Mail], count: int) -> Iterator[list[Mail]]:
    """Equal parts, one for each turn, so that every turn meets mail under way."""
    size = -(-len(mails) // count)
    return (mails[start : start + size] for start in range(0, len(mails), size))


def settle(site: Site) -> None:
    """Wait until every item was decided, or parked for a person."""
    wait_until(lambda: not undecided(kept(site.database)), 120, "every item is decided")


@pytest.mark.slow
def test_no_mail_is_lost_or_doubled_when_the_whole_tree_is_killed(
    site: Site, sink: Sink, full: bool
) -> None:
    """Promise R2: kill -9 at random moments while an MTA sends and sends again."""
    survive_kills(site, *((2000, 50) if full else (240, 6)))


@pytest.mark.slow
@pytest.mark.server("postgres")
def test_no_mail_is_lost_or_doubled_when_the_whole_tree_is_killed_over_postgresql(
    site_on_postgres: Site, full: bool
) -> None:
    """The same with a database that lives on, with what the dead had begun."""
    with Sink(site_on_postgres.relay[1]):
        survive_kills(site_on_postgres, *((2000, 50) if full else (120, 3)))


def survive_kills(site: Site, count: int, kills: int) -> None:
    chance = random.Random(20)
    mails = [ordinary(n) for n in range(count)]
    daemon = Daemon(site)
    starts = [daemon.wait_ready()]
    sender = Sender([], site.lmtp, connections=16, pause=0.02).start()
    for chunk in chunks(mails, kills):
        sender.offer(chunk)
        # Early: into the commits. Later: into judging, applying and sending.
        time.sleep(chance.choice((0.05, 0.05, 0.5)) * chance.random())
        daemon.kill()
        daemon = Daemon(site)
        starts.append(daemon.wait_ready())
    try:
        assert sender.wait(300), f"{sender.settled} of {count} settled\n{daemon.tail()}"
        settle(site)
    finally:
        sender.stop()
        status = daemon.stop()
    finding = compare(mails, sender.log, site.database)
    assert finding.faults == {}
    assert sender.log.refused == {}
    assert len(kept(site.database)) == count
    assert sender.log.again > 0, "no kill met a mail under way: the test shows nothing"
    assert max(starts[1:]) <= READY
    assert status == 0


@pytest.mark.slow
def test_no_mail_is_lost_or_doubled_by_stops_under_load(site: Site, sink: Sink, full: bool) -> None:
    """Promise R12: SIGTERM while mail comes in; what was answered for is there."""
    count, stops = (4000, 100) if full else (200, 4)
    chance = random.Random(12)
    mails = [ordinary(n) for n in range(count)]
    daemon = Daemon(site)
    daemon.wait_ready()
    sender = Sender([], site.lmtp, connections=8, pause=0.02).start()
    stopped = []
    for chunk in chunks(mails, stops):
        sender.offer(chunk)
        time.sleep(0.05 * chance.random())
        before = time.monotonic()
        assert daemon.stop() == 0, daemon.tail()
        stopped.append(time.monotonic() - before)
        daemon = Daemon(site)
        daemon.wait_ready()
    try:
        assert sender.wait(300), f"{sender.settled} of {count} settled\n{daemon.tail()}"
        settle(site)
    finally:
        sender.stop()
        daemon.stop()
    finding = compare(mails, sender.log, site.database)
    assert finding.faults == {}
    assert sender.log.refused == {}
    assert max(stopped) <= 30


def test_a_mail_sent_again_gets_the_id_it_has(site: Site, sink: Sink, daemon: Daemon) -> None:
    """Promise R4: 50 copies of one queue entry at once are one item."""
    mail = ordinary(1)
    sender = Sender([mail], site.lmtp)
    copies = [Sender([mail], site.lmtp, connections=1).start() for _ in range(50)]
    for copy in copies:
        assert copy.wait(30)
        sender.log.acked.setdefault(mail.key, []).extend(copy.log.acked[mail.key])
    settle(site)
    assert len(sender.log.acked[mail.key]) == 50
    assert compare([mail], sender.log, site.database).faults == {}
    assert len(sink.wait_for(MAIN.format(1))) == 1
