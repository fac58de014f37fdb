"""Ten thousand tickets and a virtual clock: a purge a day, for as long as it takes (promise G1)."""

from __future__ import annotations

import calendar
import random
import sys
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from mailgate.store import Store
from mailgate.store.privacy_tables import claim_record
from mailgate.store.tables import message
from mailgate.store.tables import ticket as tickets
from tests.store.builders import DAY
from tests.store.crowd import Past, enter

TICKETS = 10_000
BEGIN = datetime(2027, 9, 1, tzinfo=UTC)
#: Over a year's end, and over the end of a February of 29 days.
ENDS_WITHIN = 100 * DAY
HELD = "held@piekarnia.example"


def synthetic(dice: random.Random, number: int) -> Past:
    """A ticket that ends at some moment of these days: by its closing, by a message that came in
    after that, or by a mail of ours; or one that does not end, or must be kept."""
    opened = BEGIN - dice.random() * 30 * DAY
    last = BEGIN + dice.random() * ENDS_WITHIN
    times = sorted(opened + dice.random() * (last - opened) for _ in range(dice.randint(0, 2)))
    kind = dice.random()
    if kind < 0.05:
        return Past(number, (opened, *times), None)
    if kind < 0.07:
        return Past(number, (opened, *times), last, unsettled=True)
    if kind < 0.09:
        return Past(number, (opened, *times), last, author=HELD)
    if kind < 0.30:
        return Past(number, (opened, *times, last), opened + (last - opened) / 2)
    if kind < 0.50:
        return Past(number, (opened, *times), opened + (last - opened) / 2, sent=(opened, last))
    return Past(number, (opened, *times), last)


def due(past: Past) -> datetime | None:
    """When it must go, worked out another way than the program does; None for never."""
    if past.closed is None or past.unsettled or past.author == HELD:
        return None
    end = max(past.closed, *past.received, *past.sent)
    year, month = (end.year, end.month + 3) if end.month <= 9 else (end.year + 1, end.month - 9)
    return end.replace(
        year=year, month=month, day=min(end.day, calendar.monthrange(year, month)[1])
    )


@pytest.mark.slow
def test_of_ten_thousand_tickets_none_goes_early_and_none_a_day_late(
    sqlite_store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    store, dice = sqlite_store, random.Random(20270901)
    pasts = [synthetic(dice, number) for number in range(1, TICKETS + 1)]
    store.privacy_holds.hold("a claim", "kasia", BEGIN, address=HELD)
    messages = enter(store, pasts)
    waits = {past.number: moment for past in pasts if (moment := due(past))}
    never = {past.number for past in pasts} - waits.keys()
    early, late, latest, runs = 0, 0, timedelta(), 0
    # A purge a day, at a time of day that moves on.
    now = BEGIN
    while waits:
        now, runs = now + timedelta(hours=23, minutes=50), runs + 1
        store.duties.see(now)
        assert store.retention.purge(now).stopped == ""
        left = numbers(store)
        gone = waits.keys() - left
        early += sum(waits[number] > now for number in gone)
        late += sum(moment <= now for number, moment in waits.items() if number in left)
        latest = max([latest, *(now - waits[number] for number in gone)])
        for number in gone:
            del waits[number]
        assert runs < 250, f"{len(waits)} tickets never go"
    went = TICKETS - len(never)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{went} of {TICKETS} tickets went in {runs} daily runs: {early} early, "
            f"{late} left when due; the latest {latest} after it was due\n"
        )
    assert (early, late) == (0, 0)
    assert latest <= DAY
    assert numbers(store) == never
    assert counted(store, message) + counted(store, claim_record) == messages


def numbers(store: Store) -> set[int]:
    with store.database.reading() as connection:
        return set(connection.execute(select(tickets.c.number)).scalars())


def counted(store: Store, table: object) -> int:
    with store.database.reading() as connection:
        count: int = connection.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type] # any table
    return count
