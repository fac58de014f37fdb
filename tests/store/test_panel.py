"""What a contact sees in the panel: all that is theirs, and nothing that is another's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from mailgate.model.decision import Verdict
from mailgate.model.notice import Notice
from mailgate.model.ticket import LinkState
from mailgate.model.views import BadCursor, InboxFilter
from mailgate.store import Store, cursors
from mailgate.store.rows import notice_row
from mailgate.store.tables import outbox, share
from mailgate.store.tables import ticket as ticket_table
from tests.store.builders import NOW, admission, link, notice, outcome, take, with_link
from tests.store.house import ANNA, FLORIST, JAN, MAIL, OLA, SHOP, House, make_house


@pytest.fixture
def house(store: Store) -> House:
    return make_house(store)


def seen(house: House, who: str, **how: object) -> list[str]:
    page = house.store.panel.tickets(house.id(who), **how)  # type: ignore[arg-type] # keywords
    return [row.ticket.subject for row in page.rows]


@pytest.fixture
def tickets(house: House) -> House:
    house.ticket("sklep stoi", service=SHOP, sender=JAN)
    house.ticket("poczta stoi", service=MAIL)
    house.ticket("faktura")
    house.ticket("kwiaty", sender=FLORIST)
    return house


def test_the_main_contact_sees_all_of_the_account_and_others_what_is_shared(tickets: House) -> None:
    assert set(seen(tickets, ANNA)) == {"sklep stoi", "poczta stoi", "faktura"}
    assert seen(tickets, JAN) == ["sklep stoi"]
    assert seen(tickets, OLA) == []
    assert seen(tickets, FLORIST) == ["kwiaty"]


def test_a_ticket_of_others_looks_as_if_it_were_not_there(tickets: House) -> None:
    panel = tickets.store.panel
    for row in tickets.store.views.tickets():
        for who in tickets.contacts:
            allowed = row.subject in seen(tickets, who)
            assert (panel.ticket(tickets.id(who), row.number) is not None) == allowed
    assert panel.ticket(tickets.id(ANNA), 10**30) is None
    assert panel.ticket(10**30, 1) is None


def test_the_content_of_a_message_is_given_to_those_who_see_its_ticket(tickets: House) -> None:
    page = tickets.store.inbox.messages(InboxFilter()).rows
    by_subject = {row.subject: row.queue_id for row in page}
    for subject, queue_id in by_subject.items():
        for who in tickets.contacts:
            found = tickets.store.panel.octets(tickets.id(who), queue_id)
            assert (found is not None) == (subject in seen(tickets, who))


def test_a_share_opens_its_tickets_at_once_and_its_end_closes_them(tickets: House) -> None:
    pairs = frozenset({(tickets.id(OLA), tickets.service(MAIL))})
    assert tickets.store.edits.set_shares("1001", pairs, ANNA, NOW)
    assert seen(tickets, OLA) == ["poczta stoi"]
    assert seen(tickets, JAN) == []


def test_a_share_of_another_accounts_service_opens_nothing(tickets: House) -> None:
    """No edit makes one; should a row be wrong all the same, it stays without effect."""
    with tickets.store.database.writing() as connection:
        stray = {
            "contact_id": tickets.id(OLA),
            "service_id": tickets.service("kwiaciarnia.example"),
        }
        connection.execute(share.insert(), stray)
        connection.execute(ticket_table.update().values(service_id=stray["service_id"]))
    assert seen(tickets, OLA) == []


def test_somebody_who_may_not_sign_in_sees_nothing(tickets: House) -> None:
    jan = tickets.contacts[JAN]
    tickets.store.edits.set_contact(
        "1001", jan.id, name="", role="technical", language=None, signs_in=False, who=ANNA, now=NOW
    )
    assert seen(tickets, JAN) == []
    assert tickets.store.panel.services(jan.id) == []
    assert tickets.store.panel.account(jan.id) is None


def test_search_finds_words_of_tickets_that_are_theirs_only(tickets: House) -> None:
    assert seen(tickets, ANNA, text="STOI") == ["poczta stoi", "sklep stoi"]
    assert seen(tickets, JAN, text="stoi") == ["sklep stoi"]
    assert seen(tickets, FLORIST, text="stoi") == []


def test_what_a_stranger_wrote_is_neither_shown_nor_found(tickets: House) -> None:
    shop = tickets.store.panel.tickets(tickets.id(JAN)).rows[0].ticket
    secret = tickets.receive(
        "podmienione konto", "unauthorized", sender=None, ticket=shop, account="1001"
    )
    view = tickets.store.panel.ticket(tickets.id(ANNA), shop.number)
    assert view is not None
    assert secret not in {m.queue_id for m in view.messages}
    assert seen(tickets, ANNA, text="podmienione") == []
    assert tickets.store.panel.octets(tickets.id(ANNA), secret) is None


def test_nothing_of_the_inside_is_shown(tickets: House) -> None:
    shop = tickets.store.panel.tickets(tickets.id(JAN)).rows[0].ticket
    view = tickets.store.panel.ticket(tickets.id(JAN), shop.number)
    assert view is not None
    (message,) = view.messages
    assert (message.facts, message.labels, message.history, message.links) == ({}, (), (), ())


def test_our_mails_to_others_are_not_shown_but_answers_of_staff_are(house: House) -> None:
    first = house.ticket("sklep stoi", service=SHOP, sender=JAN)
    mails = [
        notice("link", contact_id=house.id(ANNA), ticket=first.number),
        notice("told", contact_id=house.id(JAN), ticket=first.number),
        notice("answer", template="staff-answer", contact_id=99, ticket=first.number),
        notice("copy", template="staff-answer", ticket=first.number, envelope_to=JAN),
    ]
    put(house, *mails)
    view = house.store.panel.ticket(house.id(JAN), first.number)
    assert view is not None
    assert {row.notice.id for row in view.notices} == {"told", "answer"}


def put(house: House, *mails: Notice) -> None:
    with house.store.database.writing() as connection:
        connection.execute(outbox.insert(), [notice_row(m, NOW) for m in mails])


def test_a_list_goes_on_where_its_page_ended(house: House) -> None:
    for number in range(5):
        house.ticket(f"sprawa {number}")
    panel, anna, found, after = house.store.panel, house.id(ANNA), [], None
    while True:
        page = panel.tickets(anna, after=after, limit=2)
        found += [row.ticket.number for row in page.rows]
        after = page.next
        if after is None:
            break
    assert len(found) == len(set(found)) == 5
    for cursor in ("x", "20260302T093000.000000-", "-1", "20260302T093000.000000-1;DROP"):
        with pytest.raises(BadCursor):
            panel.tickets(anna, after=cursor)


# --- confirming in the panel ----------------------------------------------------------------------


def ask(house: House, text: str = "zmiana", sender: str = ANNA, *, by_link: bool = True) -> str:
    """A message that waits for its sender, with a mailed link or without one."""
    if not by_link:
        return house.receive(text, "pending", sender=sender)
    (made,) = house.store.intake.admit([admission(text)])
    item = take(house.store, made.queue_id)
    asked = link(item, f"link of {text}", contact_id=house.id(sender), address=sender)
    case = {"account_id": "1001"}
    decided = outcome(item, "pending", contact=house.contacts[sender], case=case)
    house.store.queue.apply(decided, with_link(asked), NOW)
    return made.queue_id


@pytest.mark.parametrize("by_link", [True, False], ids=["asked-by-mail", "asked-here-only"])
@pytest.mark.parametrize("answer", ["confirmed", "denied"])
def test_a_waiting_message_can_be_answered_by_its_own_contact(
    house: House, answer: LinkState, by_link: bool
) -> None:
    queue_id = ask(house, by_link=by_link)
    panel, anna = house.store.panel, house.id(ANNA)
    assert [row.queue_id for row in panel.waiting(anna)] == [queue_id]
    assert panel.answer(anna, queue_id, answer, NOW)
    item = take(house.store, queue_id)
    assert house.store.lookup.confirmation(queue_id, item.sha256) == (answer, anna)
    assert panel.waiting(anna) == []
    assert not panel.answer(anna, queue_id, "confirmed", NOW), "once is all there is"


@pytest.mark.parametrize("who", [JAN, OLA, FLORIST])
def test_nobody_answers_for_another(house: House, who: str) -> None:
    queue_id = ask(house)
    assert house.store.panel.waiting(house.id(who)) == []
    assert not house.store.panel.answer(house.id(who), queue_id, "confirmed", NOW)
    assert house.store.queue.claim("w/0", NOW) is None


def test_the_main_contact_cannot_confirm_for_a_technical_one(house: House) -> None:
    queue_id = ask(house, sender=JAN)
    assert not house.store.panel.answer(house.id(ANNA), queue_id, "confirmed", NOW)
    assert house.store.panel.answer(house.id(JAN), queue_id, "confirmed", NOW)


@pytest.mark.parametrize("verdict", ["authorized", "unauthorized", "held", "filed"])
def test_only_what_waits_can_be_answered(house: House, verdict: Verdict) -> None:
    queue_id = house.receive("x", verdict)
    assert not house.store.panel.answer(house.id(ANNA), queue_id, "confirmed", NOW)


def test_what_staff_entered_waits_for_the_main_contact(house: House) -> None:
    entered = {"channel": "console", "entered_by": "kasia", "account_id": "1001"}
    queue_id = house.receive("rozmowa", "unauthorized", admitted=entered)
    assert [row.channel for row in house.store.panel.waiting(house.id(ANNA))] == ["console"]
    assert house.store.panel.answer(house.id(ANNA), queue_id, "confirmed", NOW)


def test_an_answer_is_no_other_word(house: House) -> None:
    with pytest.raises(ValueError, match="superseded is no answer"):
        house.store.panel.answer(house.id(ANNA), ask(house), "superseded", NOW)


def test_of_many_answers_at_once_one_counts(house: House) -> None:
    queue_id = ask(house)
    anna = house.id(ANNA)
    with ThreadPoolExecutor(8) as pool:
        tries = [
            pool.submit(house.store.panel.answer, anna, queue_id, answer, NOW)
            for answer in ("confirmed", "denied") * 8
        ]
        assert sum(done.result() for done in tries) == 1


def test_the_mailed_link_is_settled_by_the_answer_here(house: House) -> None:
    queue_id = ask(house, "zmiana")
    assert house.store.panel.answer(house.id(ANNA), queue_id, "denied", NOW)
    view = house.store.views.message(queue_id)
    assert view is not None
    assert [(found.state, found.decided_at) for found in view.links] == [("denied", NOW)]


# --- what else is asked ---------------------------------------------------------------------------


def test_services_and_account_are_those_of_the_contact(house: House) -> None:
    panel = house.store.panel
    assert [s.identifier for s in panel.services(house.id(ANNA))] == [MAIL, SHOP]
    assert [s.identifier for s in panel.services(house.id(JAN))] == [SHOP]
    assert panel.services(house.id(OLA)) == []
    owned = panel.account(house.id(ANNA))
    assert owned is not None
    assert {c.address for c in owned.contacts} == {ANNA, JAN, OLA}
    assert panel.account(house.id(JAN)) is None


def test_times_sort_whatever_they_are() -> None:
    """A cursor holds the time to the microsecond, or rows of one second would be skipped."""
    at = NOW + timedelta(microseconds=7)
    assert cursors.read_moment(cursors.moment(at, 5)) == (at, 5)
