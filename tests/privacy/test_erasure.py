"""Erasure (GDPR Art. 17): what is a person's goes, what is another's stays without them."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from mailgate.model.views import InboxFilter
from mailgate.store.people_tables import access_token, session
from mailgate.store.privacy_tables import claim_record
from mailgate.store.tables import content, event, item, message, named, outbox
from tests.privacy.house import ANNA, EWA, JAN, OLA, SHOP, STAFF, House


def test_what_a_person_wrote_is_gone_and_a_record_of_each_message_remains(house: House) -> None:
    his = house.write(JAN, f"Proszę o DNS dla {SHOP}.")
    hers = house.write(EWA)

    removed = house.erase(JAN)

    assert house.store.views.message(his.queue_id) is None
    assert house.store.views.message(hers.queue_id) is not None
    assert [row.queue_id for row in house.rows(select(claim_record))] == [his.queue_id]
    assert removed.removed["item"] == 1
    assert JAN not in house.directory()


def test_a_person_is_taken_out_of_the_mail_of_others(house: House) -> None:
    mail = house.write(
        ANNA, cc=f"Jan Kowal <{JAN}>, Ola <{OLA}>", Reply_To=f"{JAN}, {ANNA}", subject="O stronie"
    )
    before = house.store.views.octets(mail.queue_id)

    house.erase(JAN)

    octets = house.store.views.octets(mail.queue_id)
    assert octets is not None
    assert before is not None
    assert JAN.encode() in before
    assert JAN.encode() not in octets
    assert b"Jan Kowal" not in octets
    assert OLA.encode() in octets
    assert octets.partition(b"\r\n\r\n")[2] == before.partition(b"\r\n\r\n")[2]
    assert house.rows(select(named).where(named.c.address_key == JAN)) == []
    assert house.store.views.message(mail.queue_id).verdict == mail.verdict  # type: ignore[union-attr] # it is there
    assert house.store.inbox.messages(InboxFilter(text="webdesign")).rows == ()
    assert len(house.store.inbox.messages(InboxFilter(text="stronie")).rows) == 1


def test_other_spellings_of_the_address_are_the_same_person(house: House) -> None:
    mail = house.write("Jan@WEBDESIGN.example")
    other = house.write(ANNA, cc="JAN@webdesign.EXAMPLE")

    house.erase("jan@Webdesign.example")

    assert house.store.views.message(mail.queue_id) is None
    octets = house.store.views.octets(other.queue_id)
    assert octets is not None
    assert b"webdesign" not in octets.lower().partition(b"\r\n\r\n")[0]


def test_a_main_contact_stays_in_the_directory_until_the_contract_ends(house: House) -> None:
    house.write(ANNA)
    assert house.erase(ANNA).kept["main"] == 1
    assert ANNA in house.directory()

    house.erase(ANNA, ends=True)
    assert ANNA not in house.directory()


def test_nothing_is_erased_while_a_hold_stands_on_the_person(house: House) -> None:
    mail = house.write(JAN)
    hold = house.store.privacy_holds.hold("spór", STAFF, house.now, address=JAN.upper())
    request = house.ask_erasure(JAN)

    assert house.run(request).stopped == "hold"
    assert house.store.views.message(mail.queue_id) is not None
    assert house.store.erasure.pending() == [request.id]

    house.store.privacy_holds.lift_hold(hold.id, STAFF, "ugoda", house.now)
    assert house.desk.erase_waiting(house.now) == 1
    assert house.store.views.message(mail.queue_id) is None
    assert house.store.erasure.pending() == []


def test_a_hold_placed_after_erasure_was_asked_for_beats_it_too(house: House) -> None:
    mail = house.write(JAN)
    request = house.ask_erasure(JAN)
    house.store.privacy_holds.hold("spór", STAFF, house.now, address=JAN)

    assert house.desk.erase_waiting(house.now) == 0
    assert house.store.views.message(mail.queue_id) is not None
    found = house.store.privacy_requests.get(request.id)
    assert found is not None
    assert found.state == "waiting"


def test_a_hold_on_one_ticket_keeps_that_ticket_and_nothing_else(house: House) -> None:
    kept, gone = house.write(JAN, SHOP), house.write(JAN, SHOP)
    assert kept.ticket is not None
    hold = house.store.privacy_holds.hold("spór", STAFF, house.now, ticket=kept.ticket)

    done = house.erase(JAN)

    assert done.stopped == "hold"
    assert done.kept["hold"] == 1
    assert house.store.views.message(kept.queue_id) is not None
    assert house.store.views.message(gone.queue_id) is None
    assert JAN in house.directory()

    house.store.privacy_holds.lift_hold(hold.id, STAFF, "ugoda", house.now)
    house.desk.erase_waiting(house.now)
    assert house.store.views.message(kept.queue_id) is None
    assert JAN not in house.directory()


def test_a_restriction_keeps_everything_as_the_person_asked(house: House) -> None:
    mail = house.write(JAN)
    house.store.privacy_holds.restrict(JAN, "prosi", STAFF, house.now)
    assert house.erase(JAN).stopped == "restricted"
    assert house.store.views.message(mail.queue_id) is not None


def test_a_run_that_was_killed_between_two_steps_is_finished_by_the_next(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mailgate.store import erasure_mail

    monkeypatch.setattr(erasure_mail, "_AT_ONCE", 2)
    for number in range(5):
        house.write(JAN, f"Wiadomość {number}")
    request = house.ask_erasure(JAN)
    steps = iter((True, True))

    class Killed(BaseException):
        pass

    step = house.store.erasure._step

    def dies(*args: object) -> object:
        if next(steps, None) is None:
            raise Killed
        return step(*args)  # type: ignore[arg-type] # handed through

    monkeypatch.setattr(type(house.store.erasure), "_step", lambda _self, *args: dies(*args))
    with pytest.raises(Killed):
        house.run(request)
    monkeypatch.undo()

    assert house.desk.erase_waiting(house.now) == 1
    found = house.store.privacy_requests.get(request.id)
    assert found is not None
    assert found.state == "done"
    assert found.receipt["item"] == 5
    assert house.rows(select(func.count()).select_from(claim_record))[0][0] == 5


def test_the_person_is_told_and_nothing_else_of_ours_still_goes_to_them(house: House) -> None:
    house.write(JAN)
    house.erase(JAN)
    left = house.rows(select(outbox.c.template).where(outbox.c.to_key == JAN))
    assert [row.template for row in left] == ["privacy-answered"]


def test_tokens_sessions_and_names_in_events_go_with_the_person(house: House) -> None:
    mail = house.write(JAN)
    house.store.erasure.plan(JAN)
    house.erase(JAN)
    for table in (access_token, session):
        assert house.rows(select(table)) == []
    assert not [row for row in house.rows(select(event)) if JAN in (row.who + str(row.why))]
    assert house.rows(select(content.c.sha256).where(content.c.sha256 == mail.queue_id)) == []


def test_a_ticket_that_others_wrote_on_stays_theirs_without_the_subject(house: House) -> None:
    first = house.write(JAN, SHOP, subject=f"Tajny temat {SHOP}")
    assert first.ticket is not None
    view = house.store.views.ticket(first.ticket)
    assert view is not None
    from mailgate.tokens import ticket as tokens
    from tests.world import KEYS

    code = tokens.code(KEYS, "support", first.ticket, view.ticket.epoch)
    token = tokens.render("Desk", first.ticket, code)
    second = house.write(ANNA, "Zgadzam się.", subject=f"Re: Inny temat {token}")
    assert second.ticket == first.ticket

    house.erase(JAN)

    found = house.store.lookup.ticket(first.ticket)
    assert found is not None
    assert found.subject == "(usunięto)"
    assert house.store.views.message(second.queue_id) is not None


def test_a_plan_changes_nothing_and_names_what_the_erasure_then_does(house: House) -> None:
    house.write(JAN)
    house.write(ANNA, cc=JAN)
    before = house.rows(select(func.count()).select_from(item))
    plan = house.store.erasure.plan(JAN)
    assert house.rows(select(func.count()).select_from(item)) == before
    done = house.erase(JAN)
    assert plan.removed["item"] == done.removed["item"] == 1
    assert plan.removed["rewritten_message"] == done.removed["rewritten_message"] == 1
    assert plan.removed["contact"] == done.removed["contact"] == 1


def test_with_an_account_named_only_what_belongs_to_it_goes(house: House) -> None:
    his = house.write(JAN, SHOP)
    stranger = house.write(JAN, "Inna sprawa.")
    house.erase(JAN, account_id="1002")
    assert house.store.views.message(his.queue_id) is not None
    assert house.store.views.message(stranger.queue_id) is not None
    assert house.rows(select(message.c.queue_id)) != []
