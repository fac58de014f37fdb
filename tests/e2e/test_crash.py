"""What an MTA was told, held against the database, over kills and stops at random moments."""

from __future__ import annotations

import random
import time

import pytest

from tests.e2e.mails import ordinary
from tests.e2e.oracle import compare, kept, undecided
from tests.e2e.sender import Sender
from tests.e2e.sink import Sink
from tests.e2e.site import MAIN, Daemon, Site, wait_until

#: Promise R2: how soon it answers again after each start, in seconds.
READY = 5.0


def settle(site: Site) -> None:
    """Wait until every item was decided, or parked for a person."""
    wait_until(lambda: not undecided(kept(site.database)), 120, "every item is decided")


@pytest.mark.slow
def test_no_mail_is_lost_or_doubled_when_the_whole_tree_is_killed(
    site: Site, sink: Sink, full: bool
) -> None:
    """Promise R2: kill -9 at random moments while an MTA sends and sends again."""
    count, kills = (2000, 50) if full else (240, 5)
    chance = random.Random(20)
    mails = [ordinary(n) for n in range(count)]
    daemon = Daemon(site)
    starts = [daemon.wait_ready()]
    sender = Sender(mails, site.lmtp, connections=16).start()
    for turn in range(1, kills + 1):
        # Kills are spread over the mails, so that each one meets a busy daemon.
        enough = count * turn // (kills + 1)
        wait_until(lambda: sender.settled >= enough, 120, f"{enough} mails are settled")  # noqa: B023 - called at once
        time.sleep(chance.uniform(0, 0.2))
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
    count, stops = (4000, 100) if full else (200, 3)
    chance = random.Random(12)
    mails = [ordinary(n) for n in range(count)]
    daemon = Daemon(site)
    daemon.wait_ready()
    sender = Sender(mails, site.lmtp, connections=8).start()
    stopped = []
    for turn in range(1, stops + 1):
        enough = count * turn // (stops + 1)
        wait_until(lambda: sender.settled >= enough, 120, f"{enough} mails are settled")  # noqa: B023 - called at once
        time.sleep(chance.uniform(0, 0.1))
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
