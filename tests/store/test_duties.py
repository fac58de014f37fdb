"""Duties by the clock: one machine has each, and a clock that jumped is not believed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from mailgate.model.people import Bound, Session, SignIn
from mailgate.store import Store
from mailgate.store.people_tables import attempt, session, signin
from tests.store.builders import DAY, HOUR, NOW, notice
from tests.store.house import ANNA, make_house

MINUTE = timedelta(minutes=1)


def test_of_several_machines_one_gets_a_duty(store: Store) -> None:
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda _: store.duties.take("purge", DAY, NOW), range(8)))
    assert sorted(taken) == [False] * 7 + [True]


def test_a_duty_is_due_again_after_its_time_and_says_what_came_of_it(store: Store) -> None:
    assert store.duties.take("purge", DAY, NOW)
    store.duties.done("purge", "12", NOW + MINUTE, NOW + DAY)
    assert not store.duties.take("purge", DAY, NOW + 23 * HOUR)
    assert store.duties.take("purge", DAY, NOW + DAY)
    (kept,) = store.duties.all()
    assert (kept.name, kept.last_at, kept.note) == ("purge", NOW + MINUTE, "12")


def test_a_duty_of_a_machine_that_died_is_taken_by_another(store: Store) -> None:
    assert store.duties.take("purge", DAY, NOW)
    assert not store.duties.take("purge", DAY, NOW + 30 * MINUTE)
    assert store.duties.take("purge", DAY, NOW + 2 * HOUR)


def test_a_duty_that_failed_is_due_soon(store: Store) -> None:
    store.duties.take("purge", DAY, NOW)
    store.duties.failed("purge", "StorageError", NOW + 15 * MINUTE)
    assert not store.duties.take("purge", DAY, NOW + 14 * MINUTE)
    assert store.duties.take("purge", DAY, NOW + 15 * MINUTE)
    (kept,) = store.duties.all()
    assert (kept.last_at, kept.note) == (None, "StorageError")


def test_a_next_time_that_a_clock_ahead_has_written_keeps_nobody_from_their_duty(
    store: Store,
) -> None:
    ahead = NOW + 3650 * DAY
    store.duties.take("purge", DAY, ahead)
    store.duties.done("purge", "", ahead, ahead + DAY)
    assert store.duties.take("purge", DAY, NOW)


@pytest.mark.parametrize("step", [25 * HOUR, 3650 * DAY, -25 * HOUR])
def test_a_clock_that_jumped_is_not_believed_until_a_person_says_so(
    store: Store, step: timedelta
) -> None:
    """Promise R14."""
    assert store.duties.clock_jumped(NOW) is None, "nothing was seen yet"
    assert store.duties.see(NOW) is None
    for later in (step, step + MINUTE):
        assert store.duties.see(NOW + later) == later
        assert store.duties.clock_jumped(NOW + later) == later
    store.duties.trust_clock("root", NOW + step)
    assert store.duties.see(NOW + step + MINUTE) is None
    (act,) = store.audit.entries(who="root").rows
    assert (act.what, act.why) == ("clock-trusted", {"before": NOW.isoformat()})


def test_the_clock_goes_on_by_small_steps_and_may_be_set_right_by_an_hour(store: Store) -> None:
    for hours in (0, 20, 40, 60, 59, 61):
        assert store.duties.see(NOW + hours * HOUR) is None
    assert store.duties.clock_jumped(NOW + 61 * HOUR) is None
    assert store.duties.clock_jumped(NOW) == -61 * HOUR


def test_what_ended_is_tidied_away_and_nothing_else(store: Store) -> None:
    house = make_house(store)
    for name, ends in (("over", NOW), ("good", NOW + HOUR)):
        made = Session(
            name, "customer", "link", "c", NOW - HOUR, NOW - HOUR, ends,
            contact_id=house.id(ANNA),
        )  # fmt: skip
        store.sessions.start(made, ANNA)
    for name, ends in (("used", NOW + HOUR), ("fresh", NOW + HOUR), ("late", NOW)):
        asked = SignIn(name, "n", house.id(ANNA), ANNA, NOW - HOUR, ends)
        mail = notice(name, to=ANNA, template="sign-in-link", contact_id=house.id(ANNA))
        assert store.sign_ins.ask(asked, mail, NOW - HOUR)
    assert store.sign_ins.redeem("used", NOW) is not None
    store.attempts.begin([Bound("ip:1", 5, HOUR)], NOW - 25 * HOUR)
    with store.database.writing() as connection:
        connection.execute(attempt.insert(), {"key": "ip:2", "at": NOW})
    assert store.duties.tidy(NOW) == 4
    with store.database.reading() as connection:
        left = [
            connection.execute(select(column)).scalars().all()
            for column in (session.c.token_sha256, signin.c.token_sha256, attempt.c.key)
        ]
        assert connection.execute(select(func.count()).select_from(session)).scalar() == 1
    assert left == [["good"], ["fresh"], ["ip:2"]]
