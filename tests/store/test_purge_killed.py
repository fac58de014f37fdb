"""A purge that is killed: each message is there whole, or gone with its record (R3 at K13, G7)."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from mailgate.settings import Privacy
from mailgate.store import Store
from mailgate.store.people_tables import search
from mailgate.store.privacy_tables import claim_record
from mailgate.store.tables import content, decision, event, item, message, outbox
from mailgate.store.tables import ticket as tickets
from tests.conftest import ROOT
from tests.store.builders import DAY, NOW, make_store
from tests.store.crowd import Past, enter

KILLS = 10
DUE, KEPT = 2500, 100
LATER = NOW + 200 * DAY
MARK = "znaksekretny"


def crowd(store: Store) -> int:
    old = [
        Past(n, (NOW, NOW), NOW, sent=(NOW,), cc="cc@piekarnia.example", words=f"{MARK} {n}")
        for n in range(1, DUE + 1)
    ]
    young = [Past(n, (LATER,), LATER, sent=(LATER,)) for n in range(DUE + 1, DUE + KEPT + 1)]
    return enter(store, [*old, *young])


def purge_until_killed(url: str, dice: random.Random) -> int:
    """Kill a purge in the middle of a step; gives its exit status."""
    command = [sys.executable, "-m", "tests.store.purger", url, LATER.isoformat()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
        assert process.stdout is not None
        for _ in range(dice.randint(1, 2)):
            if not process.stdout.readline():
                break
        # Anywhere in the step that has begun, not always at its start.
        threading.Timer(dice.random() * 0.03, process.kill).start()
        process.communicate()
    return process.returncode


def counts(store: Store) -> dict[str, int]:
    tables = (tickets, item, content, message, decision, search, outbox, event, claim_record)
    with store.database.reading() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in tables
        }


def halves(store: Store) -> dict[str, Sequence[object]]:
    """Whatever hangs on something that is gone."""
    asked = {
        "item without content": select(item.c.queue_id).where(
            item.c.sha256.not_in(select(content.c.sha256))
        ),
        "content without item": select(content.c.sha256).where(
            content.c.sha256.not_in(select(item.c.sha256))
        ),
        "item without message": select(item.c.queue_id).where(
            item.c.queue_id.not_in(select(message.c.queue_id))
        ),
        "message without words": select(message.c.queue_id).where(
            message.c.queue_id.not_in(select(search.c.queue_id))
        ),
        "ticket without message": select(tickets.c.number).where(
            tickets.c.number.not_in(select(message.c.ticket))
        ),
        "mail without ticket": select(outbox.c.id).where(
            outbox.c.ticket.not_in(select(tickets.c.number))
        ),
        "both a message and its record": select(claim_record.c.queue_id).where(
            claim_record.c.queue_id.in_(select(item.c.queue_id))
        ),
    }
    with store.database.reading() as connection:
        found = {name: connection.execute(query).scalars().all() for name, query in asked.items()}
    return {name: rows for name, rows in found.items() if rows}


@pytest.mark.slow
def test_a_purge_that_is_killed_ten_times_loses_nothing_and_the_next_one_finishes(
    url: str, store: Store, tmp_path: Path
) -> None:
    messages, dice = crowd(store), random.Random(13)
    killed = 0
    for _ in range(KILLS):
        killed += purge_until_killed(url, dice) == -signal.SIGKILL
        now = counts(store)
        assert halves(store) == {}
        assert now["message"] + now["claim_record"] == messages
        assert now["search"] == now["item"] == now["message"]
    assert killed == KILLS, "it was done before it could be killed"
    between = counts(store)["ticket"]
    assert KEPT < between < DUE + KEPT, "no kill was in the middle"
    made = make_store(url, upgrade=False, privacy=Privacy(largest_share=100))
    assert made.retention.purge(LATER).removed["ticket"] == between - KEPT
    assert made.retention.purge(LATER + timedelta(hours=1)).removed == {}
    made.close()
    left = counts(store)
    assert (left["ticket"], left["message"], left["claim_record"]) == (KEPT, KEPT, messages - KEPT)
    assert store.audit.verify()[1] is None
    if store.database.sqlite:
        files = [path for path in tmp_path.iterdir() if path.name.startswith("mailgate.db")]
        assert not [path for path in files if MARK.encode() in path.read_bytes()]
