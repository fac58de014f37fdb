"""Who is warned that an access token ends, and when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from mailgate.model.addresses import address_key
from mailgate.store import Store
from mailgate.store.people_tables import access_token
from mailgate.store.privacy_tables import privacy_restriction
from tests.store.builders import DAY, HOUR, NOW, notice
from tests.store.house import ANNA, JAN, House, make_house

WARN = [timedelta(days=14), timedelta(days=3)]
END = NOW + 90 * DAY


@pytest.fixture
def house(store: Store) -> House:
    return make_house(store)


def issue(house: House, who: str = ANNA, *, life: timedelta = 90 * DAY, used: bool = True) -> Any:
    mail = notice(f"t {who}", to=who, template="access-token", contact_id=house.id(who))
    sha = f"token of {who}".ljust(64, "0")
    made = house.store.access_tokens.issue(house.id(who), sha, mail, "kasia", NOW, NOW + life)
    assert made
    if used:
        assert house.store.access_tokens.use(sha, NOW + HOUR)
    return made


def warn(house: House, at: datetime) -> list[tuple[str, int]]:
    """Warn of everything that is due; gives who was told, and of how many days."""
    told = []
    for ending in house.store.expiring.due(WARN, at):
        mail = notice(
            f"w {ending.contact.address} {ending.days}",
            to=ending.contact.address,
            template="access-token-expires",
        )
        if house.store.expiring.warn(ending, mail, at):
            told.append((ending.contact.address, ending.days))
    return told


def test_an_owner_is_warned_two_weeks_and_three_days_before_once_each(house: House) -> None:
    issue(house)
    told = {hours: warn(house, END - hours * HOUR) for hours in (400, 336, 335, 100, 72, 71, 1, 0)}
    assert {hours: said for hours, said in told.items() if said} == {
        336: [(ANNA, 14)],
        72: [(ANNA, 3)],
    }


def test_where_the_house_stood_still_the_last_warning_is_enough(house: House) -> None:
    issue(house)
    assert warn(house, END - 2 * DAY) == [(ANNA, 3)]
    assert warn(house, END - 2 * DAY) == []


def test_a_short_life_is_not_warned_of_at_its_beginning(house: House) -> None:
    issue(house, life=5 * DAY)
    assert warn(house, NOW + HOUR) == []
    assert warn(house, NOW + 2 * DAY) == [(ANNA, 3)]


def test_nobody_is_warned_who_has_nothing_to_lose(house: House) -> None:
    issue(house, used=False)
    revoked = issue(house, JAN)
    house.store.access_tokens.revoke(revoked.id, "kasia", "lost", NOW)
    assert warn(house, END - 2 * DAY) == []


def test_nobody_is_warned_who_may_not_sign_in_or_has_another_address_now(house: House) -> None:
    issue(house, JAN)
    with house.store.database.writing() as connection:
        connection.execute(update(access_token).values(address="jan@elsewhere.example"))
    assert warn(house, END - 2 * DAY) == []


def test_the_data_of_a_restricted_person_is_only_stored(house: House) -> None:
    issue(house)
    with house.store.database.writing() as connection:
        values = {"address_key": address_key(ANNA), "address": ANNA, "why": "", "who": "k"}
        connection.execute(privacy_restriction.insert(), {**values, "at": NOW})
    assert warn(house, END - 2 * DAY) == []


def test_a_warning_that_is_too_late_is_not_sent(house: House) -> None:
    issue(house)
    (ending,) = house.store.expiring.due(WARN, END - 2 * DAY)
    mail = notice("late", to=ANNA, template="access-token-expires")
    assert not house.store.expiring.warn(ending, mail, END)
    house.store.access_tokens.revoke(ending.token.id, "kasia", "lost", NOW)
    assert not house.store.expiring.warn(ending, mail, END - DAY)
