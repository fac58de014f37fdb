"""What staff do: overrides, another decision, a new link, an answer; each with who and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mailgate.model.notice import Notice
from mailgate.model.outcome import Composed
from mailgate.model.ticket import Ticket
from mailgate.model.web_ports import Refused
from mailgate.store import Store
from tests.store.builders import DAY, NOW, admission, link, notice, outcome, take, with_link
from tests.store.house import ANNA, FLORIST, JAN, OLA, SHOP, House, make_house


@pytest.fixture
def house(store: Store) -> House:
    return make_house(store)


def test_the_newest_word_of_staff_counts(house: House) -> None:
    queue_id = house.receive("x", "pending")
    assert house.store.lookup.staff_says(queue_id) is None
    house.store.acts.override(queue_id, "vouches", "kasia", "phoned", NOW)
    house.store.acts.override(queue_id, "refuses", "jan", "phoned again", NOW)
    assert house.store.lookup.staff_says(queue_id) == ("refuses", "jan")
    house.store.acts.override(queue_id, "none", "jan", "my mistake", NOW)
    assert house.store.lookup.staff_says(queue_id) == ("none", "jan")


@pytest.mark.parametrize("act", ["override", "decide_again"])
def test_an_act_has_the_message_decided_again_and_is_on_record(house: House, act: str) -> None:
    queue_id = house.receive("x", "pending")
    if act == "override":
        assert house.store.acts.override(queue_id, "vouches", "kasia", "phoned", NOW)
    else:
        assert house.store.acts.decide_again(queue_id, "kasia", "phoned", NOW)
    assert take(house.store, queue_id).revision == 1
    (entry,) = house.store.audit.entries(who="kasia").rows
    assert (entry.subject, entry.why["reason"]) == (f"message:{queue_id}", "phoned")


def test_what_nobody_has_decided_yet_cannot_be_overridden(house: House) -> None:
    (made,) = house.store.intake.admit([admission("x")])
    for queue_id in (made.queue_id, "nobody"):
        assert house.store.acts.override(queue_id, "vouches", "kasia", "why", NOW) is None
        assert not house.store.acts.decide_again(queue_id, "kasia", "why", NOW)
        assert not house.store.acts.new_link(queue_id, "kasia", "why", NOW)
    assert house.store.audit.entries().rows == ()


# --- a new link -----------------------------------------------------------------------------------


def asked(house: House) -> tuple[str, str]:
    (made,) = house.store.intake.admit([admission("asked")])
    item = take(house.store, made.queue_id)
    first = link(item, contact_id=house.id(ANNA))
    decided = outcome(item, "pending", contact=house.contacts[ANNA])
    house.store.queue.apply(decided, with_link(first), NOW)
    return made.queue_id, first.token_sha256


def test_a_new_link_takes_the_place_of_the_old_one(house: House) -> None:
    queue_id, sha = asked(house)
    assert house.store.acts.new_link(queue_id, "kasia", "the mail got lost", NOW)
    old = house.store.links.find(sha)
    assert old is not None
    assert old.state == "superseded"
    item = take(house.store, queue_id)
    second = link(item, "second", contact_id=house.id(ANNA))
    decided = outcome(item, "pending", contact=house.contacts[ANNA])
    house.store.queue.apply(decided, with_link(second), NOW)
    assert house.store.links.find(second.token_sha256) is not None


def test_what_was_answered_is_not_asked_again(house: House) -> None:
    never = house.receive("never asked")
    queue_id, sha = asked(house)
    house.store.links.decide(sha, "denied", NOW)
    assert not house.store.acts.new_link(queue_id, "kasia", "why", NOW)
    assert not house.store.acts.new_link(never, "kasia", "why", NOW)


# --- an answer ------------------------------------------------------------------------------------


@pytest.fixture
def ticket(house: House) -> Ticket:
    return house.ticket("sklep stoi", "unauthorized", sender=JAN, service=SHOP)


def answer(house: House, ticket: Ticket, to: str, *cc: str, **changes: Any) -> list[Notice]:
    first = notice(
        "A0",
        to,
        template="staff-answer",
        contact_id=house.id(to),
        ticket=ticket.number,
        cc=tuple(cc),
        values={"text": "Dzień dobry"},
    )
    first = replace(first, **changes)
    return [
        first,
        *(
            replace(first, id=f"A{n}", contact_id=house.id(one), envelope_to=one)
            for n, one in enumerate(cc, 1)
        ),
    ]


def refused(house: House, ticket: Ticket, notices: list[Notice]) -> str:
    with pytest.raises(Refused) as error:
        house.store.acts.reply(ticket.number, notices, "kasia", NOW)
    assert house.store.views.outbox() == []
    return error.value.code


def test_an_answer_goes_to_each_reader_by_a_mail_of_their_own(house: House, ticket: Ticket) -> None:
    house.store.acts.reply(ticket.number, answer(house, ticket, JAN, ANNA), "kasia", NOW + DAY)
    sent = house.store.outbox.claim_due(NOW + DAY, 10)
    assert {(r.notice.to, r.notice.cc, r.notice.envelope_to) for r in sent} == {
        (JAN, (ANNA,), None),
        (JAN, (ANNA,), ANNA),
    }
    for row in sent:
        house.store.outbox.sent(row.notice.id, "250", NOW + DAY)
    for who, knows in ((JAN, True), (ANNA, True), (OLA, False)):
        assert house.store.lookup.told(ticket.number, house.id(who)) == knows
    (entry,) = house.store.audit.entries(who="kasia").rows
    assert (entry.what, entry.why["to"], entry.why["cc"]) == ("answered", JAN, [ANNA])


def test_whoever_wrote_may_be_answered_but_gets_no_copy_of_what_is_not_shared(
    house: House,
) -> None:
    ticket = house.ticket("faktura", "unauthorized", sender=OLA)
    assert refused(house, ticket, answer(house, ticket, ANNA, OLA)) == "cc-not-allowed"
    house.store.acts.reply(ticket.number, answer(house, ticket, OLA, ANNA), "kasia", NOW)


@pytest.mark.parametrize("who", [OLA, FLORIST])
def test_nobody_else_is_written_to(house: House, ticket: Ticket, who: str) -> None:
    assert refused(house, ticket, answer(house, ticket, who)) == "to-not-allowed"
    assert refused(house, ticket, answer(house, ticket, JAN, who)) == "cc-not-allowed"


def test_a_share_that_ended_while_the_answer_was_written_counts(
    house: House, ticket: Ticket
) -> None:
    house.store.edits.set_shares("1001", frozenset(), ANNA, NOW)
    written = answer(house, ticket, ANNA, JAN)
    assert refused(house, ticket, written) == "cc-not-allowed"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"contact_id": 10**9}, "to-not-allowed"),
        ({"envelope_to": "x@evil.example"}, "to-not-allowed"),
        ({"to": "x@evil.example"}, "to-not-allowed"),
        ({"cc": (ANNA, "x@evil.example")}, "cc-not-allowed"),
        ({"ticket": None}, "not-found"),
    ],
)
def test_notices_that_say_something_else_than_they_do_are_refused(
    house: House, ticket: Ticket, change: dict[str, Any], why: str
) -> None:
    written = answer(house, ticket, JAN, ANNA)
    written[0] = replace(written[0], **change)
    assert refused(house, ticket, written) == why


@pytest.mark.parametrize(
    "change",
    [{"to": ANNA}, {"cc": ()}, {"template": "x"}, {"envelope_to": None}, {"message_id": "x@y"}],
)
def test_a_copy_that_is_no_copy_is_refused(
    house: House, ticket: Ticket, change: dict[str, Any]
) -> None:
    written = answer(house, ticket, JAN, ANNA)
    written[1] = replace(written[1], **change)
    assert refused(house, ticket, written) == "cc-not-allowed"


def test_there_is_no_answer_without_ticket_or_mail(house: House, ticket: Ticket) -> None:
    assert refused(house, ticket, []) == "not-found"
    gone = replace(ticket, number=10**9)
    assert refused(house, gone, answer(house, gone, JAN)) == "not-found"


def test_answers_of_people_do_not_use_up_the_limits_of_automatic_mail(
    house: House, ticket: Ticket
) -> None:
    for number in range(20):
        written = answer(house, ticket, JAN, id=f"A{number}x")
        house.store.acts.reply(ticket.number, written, "kasia", NOW)
    item = take(house.store, house.store.intake.admit([admission("more")])[0].queue_id)
    told = notice("told", JAN, queue_id=item.queue_id)
    house.store.queue.apply(outcome(item), lambda _: Composed((told,)), NOW)
    assert house.store.lookup.outbox_row("told") is not None
