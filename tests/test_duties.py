"""The rota: every duty has its turn, a broken one stops no other, and a jumped clock removes
nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailgate import duties
from mailgate.clock import random
from mailgate.duties import AGAIN, DAILY, HOURLY, Duty, Rota, house_duties
from mailgate.model.ports import StorageError
from mailgate.outbound.letters import access_token
from tests.store.builders import entry, make_store
from tests.store.house import ANNA
from tests.world import KEYS, World, make_world

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


class Fixture:
    """A rota over a real store, and a clock that is moved by hand."""

    def __init__(self, folder: Path) -> None:
        self.store = make_store(folder)
        self.at = NOW
        self.did: list[str] = []

    def now(self) -> datetime:
        return self.at

    def duty(self, name: str, *, every: timedelta = DAILY, by_age: bool = False) -> Duty:
        def do(_now: datetime) -> str:
            self.did.append(name)
            return "1"

        return Duty(name, every, do, by_age)

    def rota(self, *duties: Duty) -> Rota:
        return Rota(duties, self.store.duties, self.now, lambda: None)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Fixture]:
    made = Fixture(tmp_path)
    yield made
    made.store.close()


def broken(_now: datetime) -> str:
    raise ValueError("a bug")


def test_each_duty_is_done_when_its_time_has_come(house: Fixture) -> None:
    rota = house.rota(house.duty("daily"), house.duty("hourly", every=HOURLY))
    for hours in (0, 0.5, 1, 23, 24):
        house.at = NOW + timedelta(hours=hours)
        rota.round()
    assert house.did == ["daily", "hourly", "hourly", "hourly", "daily", "hourly"]


def test_a_duty_that_fails_stops_no_other_and_is_tried_again_soon(house: Fixture) -> None:
    rota = house.rota(Duty("broken", DAILY, broken), house.duty("sound"))
    assert rota.round() == 1
    assert house.did == ["sound"]
    (kept,) = [duty for duty in house.store.duties.all() if duty.name == "broken"]
    assert (kept.last_at, kept.next_at, kept.note) == (None, NOW + AGAIN, "ValueError")


def test_two_houses_over_one_store_do_a_duty_once(house: Fixture) -> None:
    for rota in (house.rota(house.duty("purge")), house.rota(house.duty("purge"))):
        rota.round()
    assert house.did == ["purge"]


def test_nothing_is_removed_by_age_while_the_clock_is_not_believed(house: Fixture) -> None:
    """Promise R14."""
    rota = house.rota(house.duty("purge", every=HOURLY, by_age=True), house.duty("warn"))
    rota.round()
    for _ in range(2):
        house.at += timedelta(days=3650)
        rota.round()
    assert house.did == ["purge", "warn", "warn", "warn"]
    house.store.duties.trust_clock("root", house.at)
    rota.round()
    assert house.did[-1] == "purge"


def test_a_database_that_is_away_is_asked_again_in_the_next_round(house: Fixture) -> None:
    class Away:
        def see(self, _now: datetime) -> timedelta | None:
            raise StorageError("locked")

        take = done = failed = see

    rota = Rota([house.duty("purge")], Away(), house.now, lambda: None)  # type: ignore[arg-type] # as above
    assert rota.round() == 0
    assert house.did == []


def test_after_a_stop_no_duty_begins(house: Fixture) -> None:
    rota = house.rota(house.duty("one"))
    rota.stop()
    assert rota.round() == 0
    assert house.did == []


def test_duties_run_beside_everything_else_and_say_when_they_were_done(
    house: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duties, "ROUND", 0.01)
    inside, let_go = threading.Event(), threading.Event()

    def slow(_now: datetime) -> str:
        inside.set()
        assert let_go.wait(10)
        return ""

    async def main() -> None:
        done = asyncio.Event()
        rota = Rota([Duty("slow", DAILY, slow)], house.store.duties, house.now, done.set)
        task = asyncio.create_task(rota.run())
        assert await asyncio.to_thread(inside.wait, 10)
        assert not done.is_set()
        let_go.set()
        await asyncio.wait_for(done.wait(), 10)
        rota.stop()
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(main())


# --- what the house does --------------------------------------------------------------------------


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path)
    made.store.directory.import_entries([entry()], made.now())
    yield made
    made.store.close()


def do(world: World) -> dict[str, str]:
    """All duties once, at the hour the world has; gives what each of them says."""
    rota = Rota(
        house_duties(world.settings, world.store, KEYS, random),
        world.store.duties,
        world.now,
        lambda: None,
    )
    rota.round()
    return {duty.name: duty.note for duty in world.store.duties.all()}


def token_of_anna(world: World) -> str:
    """A token that she uses."""
    (anna,) = world.store.lookup.contacts(ANNA)
    account = world.store.lookup.account(anna.account_id)
    assert account
    sha, expires, mail = access_token(
        anna, account, settings=world.settings, keys=KEYS, now=world.now(), random=random
    )
    assert world.store.access_tokens.issue(anna.id, sha, mail, "kasia", world.now(), expires)
    assert world.store.access_tokens.use(sha, world.now())
    return sha


def test_an_owner_reads_in_time_where_a_new_token_is_had(world: World) -> None:
    token_of_anna(world)
    for days in (75, 1.5, 1):
        world.later(days=days)
        do(world)
    mails = [r for r in world.outbox() if r.notice.template == "access-token-expires"]
    assert [r.notice.to for r in mails] == [ANNA]
    text = world.mail(mails[0]).decode("ascii")
    assert "/panel/account" in text
    assert "mgt-" not in text


def test_a_house_without_anything_to_do_does_nothing_and_says_so(world: World) -> None:
    assert do(world) == {
        "erasure": "0",
        "late-requests": "0",
        "purge": "removed 0 tickets",
        "tidy": "0",
        "warn-of-expiry": "0",
    }
    assert world.outbox() == []


def test_after_a_jump_of_the_clock_nothing_is_purged_and_the_console_can_say_why(
    world: World,
) -> None:
    """Promise R14."""
    do(world)
    world.later(days=3650)
    said = do(world)
    assert said["purge"] == "stopped: clock"
    assert said["tidy"] == "0"


def test_no_token_revives_when_the_clock_is_put_back(world: World) -> None:
    """Promise R14."""
    sha = token_of_anna(world)
    world.store.duties.see(world.now())
    (made,) = world.store.access_tokens.of_account("1001")
    at = world.now()
    while at < made.expires_at:
        at += timedelta(hours=12)
        assert world.store.duties.see(at) is None
    assert world.store.access_tokens.use(sha, at - timedelta(hours=13)) is None
