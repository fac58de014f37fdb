"""Erasure (GDPR Art. 17): what is a person's goes, what is another's stays without them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from mailgate.model.people import Session, SignIn
from mailgate.model.views import InboxFilter
from mailgate.store.people_tables import access_token, audit, session, signin
from mailgate.store.privacy_tables import claim_record
from mailgate.store.tables import content, event, item, message, named, outbox
from tests.privacy.house import ANNA, EWA, JAN, OLA, SHOP, STAFF, House, issue_token


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


def test_tokens_sessions_links_and_names_in_events_go_with_the_person(house: House) -> None:
    issue_token(house, JAN)
    issue_token(house, OLA)
    jan = house.contact(JAN)
    (to_jan,) = [notice for notice in house.sent() if notice.to == JAN]
    house.store.sessions.start(
        Session("a" * 64, "customer", "link", "c", house.now, house.now, house.now, jan.id), JAN
    )
    house.store.sign_ins.ask(
        SignIn("b" * 64, "n", jan.id, JAN, house.now, house.now),
        replace(to_jan, id="SIGNIN", template="sign-in-link"),
        house.now,
    )
    plan = house.store.erasure.plan(JAN).removed
    assert (plan["access_token"], plan["session"], plan["signin"]) == (1, 1, 1)

    house.erase(JAN)

    assert [row.address for row in house.rows(select(access_token))] == [OLA]
    assert house.rows(select(session)) == []
    assert house.rows(select(signin)) == []
    assert not [row for row in house.rows(select(event)) if JAN in (row.who + str(row.why))]
    assert [row for row in house.rows(select(audit)) if row.who == JAN], "kept for its window"
    assert house.store.audit.verify()[1] is None


def test_an_international_address_is_one_person_in_either_form(house: House) -> None:
    mail = house.write(ANNA, cc="łucja@żółw.example")
    ascii_mail = house.write(ANNA, cc="Łucja@xn--w-uga1v8h.example", subject="Druga")
    house.erase("ŁUCJA@ŻÓŁW.example")
    for one in (mail, ascii_mail):
        octets = house.store.views.octets(one.queue_id)
        assert octets is not None
        assert b"xn--w-uga1v8h" not in octets
        assert "żółw".encode() not in octets
    assert house.rows(select(named).where(named.c.address_key.like("%xn--%"))) == []


def test_a_reply_to_alone_is_found_too_and_a_copy_for_another_desk_changes_with_it(
    house: House,
) -> None:
    mail = house.write(ANNA, "Piszę za Jana.", Reply_To=JAN)
    octets = house.store.views.octets(mail.queue_id)
    assert octets is not None
    copy = house.admit(octets, ANNA)
    assert house.rows(select(func.count()).select_from(content))[0][0] == 1
    house.write(JAN, "Zgadzam się.", subject=house.subject_of(mail))

    house.erase(JAN)

    for one in (mail, copy):
        left = house.store.views.octets(one.queue_id)
        assert left is not None
        assert JAN.encode() not in left.lower()


def test_a_report_that_our_mail_did_not_arrive_goes_with_whom_it_did_not_reach(
    house: House,
) -> None:
    report = (
        b"From: MAILER-DAEMON@mx.example\r\nTo: bounce@desk.example\r\n"
        b"Subject: Undelivered Mail Returned to Sender\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\n<jan@webdesign.example>: no such user\r\n"
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        b"Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; jan@webdesign.example\r\n"
        b"Action: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
    )
    mail = house.admit(report, "")
    assert mail.facts["automatic"] == "bounce"
    house.erase(JAN)
    assert house.store.views.message(mail.queue_id) is None


def test_what_nobody_could_read_is_theirs_by_where_it_came_from(house: House) -> None:
    house.admit(b"From: Jan <jan@webdesign.example>\r\n\r\nCzeka.\r\n", JAN, decide=False)
    taken = house.store.queue.claim("test/9", house.now)
    assert taken is not None
    house.store.queue.hold(taken, "it fell over")
    assert len([n for n in house.export(JAN).namelist() if n.startswith("messages/")]) == 1
    house.erase(JAN)
    assert house.rows(select(content)) == []


def test_a_hold_on_somebody_else_keeps_the_tickets_they_share(house: House) -> None:
    mail = house.write(JAN, SHOP, cc=OLA)
    house.store.privacy_holds.hold("spór", STAFF, house.now, address=OLA)
    assert house.erase(JAN).kept["hold"] == 1
    assert house.store.views.message(mail.queue_id) is not None


def test_the_name_leaves_what_we_wrote_to_others(house: House) -> None:
    jan = house.contact(JAN)
    house.store.corrections.rectify(
        jan.id, STAFF, "x", house.now, address="jan@nowy.example",
        told=house.desk.told(house.contact(ANNA), house.now),
    )  # fmt: skip
    assert [n for n in house.sent() if "jan@nowy.example" in str(n.values)]
    house.erase("jan@nowy.example")
    left = [n for n in house.sent() if n.template != "privacy-answered"]
    assert not [n for n in left if "jan@nowy.example" in str(n)]


def test_a_ticket_that_others_wrote_on_stays_theirs_without_the_subject(house: House) -> None:
    first = house.write(JAN, SHOP, subject=f"Tajny temat {SHOP}")
    assert first.ticket is not None
    second = house.write(ANNA, "Zgadzam się.", subject=house.subject_of(first))
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
