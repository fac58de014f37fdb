"""Restriction (GDPR Art. 18): the data is stored and nothing else, until that is lifted."""

from __future__ import annotations

import pytest

from mailgate.model.views import InboxFilter, TicketFilter
from mailgate.model.web_ports import Refused
from tests.privacy.house import ANNA, JAN, OLA, SHOP, STAFF, House

WORD = "osobliwość"


def restrict(house: House, address: str = JAN) -> None:
    house.store.privacy_holds.restrict(address, "prosi o to", STAFF, house.now)


def lift(house: House, address: str = JAN) -> bool:
    return house.store.privacy_holds.lift_restriction(address, "prosi", STAFF, house.now)


def test_mail_of_somebody_restricted_is_held_and_decided_once_it_is_lifted(house: House) -> None:
    restrict(house, JAN.upper())
    mail = house.write(JAN, SHOP)
    assert mail.verdict == "held"
    assert house.world.outbox() == []

    assert lift(house)
    house.world.work()

    found = house.store.views.message(mail.queue_id)
    assert found is not None
    assert found.verdict != "held"
    assert not lift(house)


def test_what_waits_for_a_confirmation_waits_no_more_once_it_is_restricted(house: House) -> None:
    mail = house.write(ANNA)
    assert mail.verdict == "pending"
    restrict(house, ANNA)
    house.world.work()
    found = house.store.views.message(mail.queue_id)
    assert found is not None
    assert found.verdict == "held"
    assert {one.state for one in found.links} == {"superseded"}


def test_nothing_waiting_goes_out_to_them_and_it_goes_once_it_is_lifted(house: House) -> None:
    house.write(ANNA)
    restrict(house, ANNA)
    assert house.store.outbox.claim_due(house.now, 10) == []
    lift(house, ANNA)
    assert len(house.store.outbox.claim_due(house.now, 10)) == 1


def test_what_the_law_wants_them_to_know_goes_out_even_so(house: House) -> None:
    restrict(house)
    asked = house.store.privacy_requests.file("restrict", JAN, "", STAFF, house.now)
    answer = house.desk.answered(asked, house.now)
    house.store.privacy_requests.close(asked.id, "done", "Tak.", STAFF, house.now, answer)
    claimed = house.store.outbox.claim_due(house.now, 10)
    assert [row.notice.template for row in claimed] == ["privacy-answered"]


def test_staff_read_no_word_of_it_and_find_it_by_none(house: House) -> None:
    mail = house.write(JAN, f"{WORD} {SHOP}", subject=f"Temat {WORD}")
    assert mail.ticket is not None
    restrict(house)
    inbox = house.store.inbox

    found = inbox.message(mail.queue_id)
    assert found is not None
    assert found.message.restricted
    assert WORD not in str(found.message)
    assert inbox.octets(mail.queue_id) is None
    (line,) = inbox.messages(InboxFilter()).rows
    assert (line.restricted, line.subject, line.excerpt) == (True, "", "")
    assert inbox.messages(InboxFilter(text=WORD)).rows == ()
    assert inbox.tickets(TicketFilter(text=WORD)).rows == ()
    ticket = inbox.ticket(mail.ticket)
    assert ticket is not None
    assert WORD not in str(ticket.view.messages) + str(ticket.row)

    lift(house)
    assert inbox.octets(mail.queue_id) is not None
    assert len(inbox.messages(InboxFilter(text=WORD)).rows) == 1


def test_they_read_their_own_words_in_the_panel_and_others_do_not(house: House) -> None:
    mail = house.write(JAN, f"{WORD} {SHOP}", subject="Temat")
    assert mail.ticket is not None
    restrict(house)
    jan, anna = house.contact(JAN).id, house.contact(ANNA).id
    for reader, sees in ((jan, True), (anna, False)):
        shown = house.store.panel.ticket(reader, mail.ticket)
        assert shown is not None
        assert (WORD in str(shown.messages)) is sees
        assert (house.store.panel.octets(reader, mail.queue_id) is not None) is sees


def test_staff_cannot_answer_somebody_restricted_and_are_told_why(house: House) -> None:
    mail = house.write(JAN, SHOP)
    assert mail.ticket is not None
    restrict(house)
    with pytest.raises(Refused, match="restricted"):
        house.answer(mail.ticket, "Już.")


def test_others_are_not_restricted_with_them(house: House) -> None:
    restrict(house)
    assert house.write(OLA).verdict != "held"
    assert house.store.privacy_holds.restricted(OLA) is None


def test_a_second_restriction_is_the_first_one(house: House) -> None:
    restrict(house)
    restrict(house, JAN.upper())
    assert len(house.store.privacy_holds.restrictions(lifted=True)) == 1


def test_colleagues_neither_read_the_subject_nor_find_the_ticket_by_words(house: House) -> None:
    mail = house.write(JAN, f"{SHOP} {WORD}", subject="Poufne")
    assert mail.ticket is not None
    anna, jan = house.contact(ANNA).id, house.contact(JAN).id
    restrict(house)
    panel = house.store.panel

    (row,) = panel.tickets(anna).rows
    shown = panel.ticket(anna, mail.ticket)
    assert shown is not None
    assert (row.ticket.subject, shown.row.ticket.subject) == ("", "")
    assert panel.tickets(anna, text=WORD).rows == ()
    assert [each.ticket.subject for each in panel.tickets(jan, text=WORD).rows] == ["Poufne"]

    lift(house)
    assert [each.ticket.subject for each in panel.tickets(anna, text=WORD).rows] == ["Poufne"]
