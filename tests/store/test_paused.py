"""An address from which three mails in a row came back is written to no more (promise A7)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from mailgate.model.outcome import Composed
from mailgate.store import Store
from tests.store.builders import DAY, NOW, admission, notice, outcome, take
from tests.store.house import ANNA, JAN, House, make_house

MINUTE = timedelta(minutes=1)


@pytest.fixture
def house(store: Store) -> House:
    return make_house(store)


def send(house: House, name: str, at: int, to: str = ANNA, template: str = "not-authorized") -> str:
    """One mail of ours, taken by the relay at that minute; gives its id."""
    now = NOW + at * MINUTE
    mail = notice(name, to=to, template=template, contact_id=house.id(to))
    (made,) = house.store.intake.admit([admission(f"request {name}")])
    item = take(house.store, made.queue_id)
    house.store.queue.apply(outcome(item, "unauthorized"), lambda _: Composed((mail,)), now)
    for row in house.store.outbox.claim_due(now, 10):
        house.store.outbox.sent(row.notice.id, "250", now)
    return mail.id


def comes_back(house: House, notice_id: str, status: str = "5.1.1", at: int = 59) -> None:
    (made,) = house.store.intake.admit([admission(f"report on {notice_id} {status}")])
    item = take(house.store, made.queue_id)
    case = {"bounced_notice": notice_id, "bounced_status": status}
    report = outcome(item, "filed", case=case, opens=False)
    house.store.queue.apply(report, lambda _: Composed(), NOW + at * MINUTE)


def paused(house: House) -> list[str]:
    return [one.address for one in house.store.pauses.all()]


def pause(house: House, to: str = ANNA) -> None:
    for number in range(3):
        comes_back(house, send(house, f"{to}{number}", number, to))


def test_the_third_mail_in_a_row_that_comes_back_pauses_the_address(house: House) -> None:
    sent = [send(house, name, at) for at, name in enumerate("abc")]
    for one in sent[:2]:
        comes_back(house, one)
    assert paused(house) == []
    comes_back(house, sent[2])
    assert paused(house) == [ANNA]
    assert [one.kind for one in house.store.stats.troubles(NOW)].count("paused") == 1
    assert [one.address for one in house.store.pauses.among([ANNA.upper(), JAN])] == [ANNA]


def test_a_mail_that_arrived_in_between_begins_the_row_anew(house: House) -> None:
    sent = [send(house, name, at) for at, name in enumerate("abcd")]
    for place in (0, 1, 3):
        comes_back(house, sent[place])
    assert paused(house) == []


def test_the_reports_may_come_in_any_order_and_while_another_mail_is_on_its_way(
    house: House,
) -> None:
    sent = [send(house, name, at) for at, name in enumerate("abcd")]
    for place in (2, 0, 1):
        comes_back(house, sent[place])
    assert paused(house) == [ANNA]


def test_a_delay_is_no_bounce(house: House) -> None:
    for number in range(3):
        comes_back(house, send(house, f"m{number}", number), status="4.4.1")
    assert paused(house) == []


def test_one_report_said_three_times_is_one(house: House) -> None:
    sent = send(house, "a", 0)
    for place in range(3):
        comes_back(house, sent, status=f"5.1.{place}")
    assert paused(house) == []


def test_no_automatic_mail_goes_there_any_more_and_the_message_stays_as_it_is(
    house: House,
) -> None:
    pause(house)
    before = len(house.store.views.outbox(("waiting", "sent", "bounced", "failed")))
    (made,) = house.store.intake.admit([admission("another request")])
    item = take(house.store, made.queue_id)
    mail = notice("late", to=ANNA, template="authorization-link", contact_id=house.id(ANNA))
    house.store.queue.apply(outcome(item, "pending"), lambda _: Composed((mail,)), NOW + DAY)
    view = house.store.views.message(made.queue_id)
    assert view is not None
    assert view.verdict == "pending"
    token = notice("token", to=ANNA, template="access-token", contact_id=house.id(ANNA))
    tokens = house.store.access_tokens
    assert tokens.issue(house.id(ANNA), "t" * 64, token, "kasia", NOW, NOW + DAY) is None
    assert len(house.store.views.outbox(("waiting", "sent", "bounced", "failed"))) == before


def test_what_still_waits_for_the_relay_is_given_up(house: House) -> None:
    sent = [send(house, name, at) for at, name in enumerate("abc")]
    mail = notice("waits", to=ANNA, template="access-token", contact_id=house.id(ANNA))
    tokens = house.store.access_tokens
    assert tokens.issue(house.id(ANNA), "t" * 64, mail, "kasia", NOW, NOW + DAY)
    for one in sent:
        comes_back(house, one)
    row = house.store.lookup.outbox_row("waits")
    assert row is not None
    assert (row.state, row.last_reply) == ("failed", "the address is paused")


def test_staff_say_that_it_works_again_and_what_waits_there_is_decided_anew(house: House) -> None:
    waiting = house.receive("please", "pending")
    pause(house)
    assert house.store.pauses.end(ANNA, "kasia", "she called", NOW + DAY)
    assert paused(house) == []
    assert not house.store.pauses.end(ANNA, "kasia", "she called", NOW + DAY)
    (act,) = house.store.audit.entries(who="kasia").rows
    assert (act.what, act.why) == ("address-works", {"reason": "she called"})
    row = house.store.views.queue_row(waiting)
    assert row is not None
    assert row.state == "incoming"


def test_after_that_it_takes_three_more(house: House) -> None:
    pause(house)
    house.store.pauses.end(ANNA, "kasia", "she called", NOW + 60 * MINUTE)
    for number, expected in ((61, []), (62, []), (63, [ANNA])):
        comes_back(house, send(house, f"n{number}", number), at=number)
        assert paused(house) == expected


def test_the_token_desk_takes_it_for_an_address_that_is_wrong(house: House) -> None:
    assert not house.store.lookup.token_bounced(house.id(ANNA))
    pause(house)
    assert house.store.lookup.token_bounced(house.id(ANNA))
    assert not house.store.lookup.token_bounced(house.id(JAN))
    house.store.pauses.end(ANNA, "kasia", "she called", NOW + DAY)
    assert not house.store.lookup.token_bounced(house.id(ANNA))


def test_other_addresses_are_written_to_as_ever(house: House) -> None:
    pause(house)
    token = notice("token", to=JAN, template="access-token", contact_id=house.id(JAN))
    tokens: Any = house.store.access_tokens
    assert tokens.issue(house.id(JAN), "t" * 64, token, "kasia", NOW, NOW + DAY)
