"""What staff see: every message by every filter, found by its words, a page at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from mailgate.model.message import Attachment, Mailbox
from mailgate.model.views import BadCursor, InboxFilter, TicketFilter
from mailgate.store import Store, inbox, search
from mailgate.store.people_tables import labelled
from mailgate.store.people_tables import search as search_table
from tests.store.builders import (
    DAY,
    HOUR,
    NOW,
    admission,
    decide,
    link,
    outcome,
    silent,
    take,
    with_link,
)
from tests.store.house import ANNA, FLORIST, JAN, MAIL, SHOP, House, make_house


@pytest.fixture
def house(store: Store) -> House:
    return make_house(store)


@pytest.fixture
def full(house: House) -> House:
    house.receive("sklep stoi", "pending", sender=JAN, service=SHOP)
    house.receive("poczta stoi", service=MAIL)
    house.receive("faktura", "unauthorized")
    house.receive("kwiaty", "pending", sender=FLORIST)
    house.receive("spam", "filed", sender=None, opens=False)
    house.receive("dziwne", "held", sender=None, opens=False, admitted={"desk": "billing"})
    return house


def subjects(house: House, **wanted: Any) -> list[str]:
    return [row.subject for row in house.store.inbox.messages(InboxFilter(**wanted)).rows]


ALL = ["dziwne", "spam", "kwiaty", "faktura", "poczta stoi", "sklep stoi"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ALL),
        ({"verdict": "pending"}, ["kwiaty", "sklep stoi"]),
        ({"account_id": "1001"}, ["faktura", "poczta stoi", "sklep stoi"]),
        ({"account_id": "1001", "verdict": "pending"}, ["sklep stoi"]),
        ({"desk": "billing"}, ["dziwne"]),
        ({"state": "hold"}, ["dziwne"]),
        ({"ticket": 10**30}, []),
        ({"ticket": -1}, []),
        ({"service_id": 10**30}, []),
        ({"automatic": False}, ALL),
        ({"automatic": True}, []),
        ({"text": "stoi"}, ["poczta stoi", "sklep stoi"]),
        ({"text": "STO"}, ["poczta stoi", "sklep stoi"]),
        ({"text": "stoi", "verdict": "pending"}, ["sklep stoi"]),
        ({"text": "stoi", "account_id": "1002"}, []),
        ({"text": "stoi", "desk": "billing"}, []),
        ({"text": "anna piekarnia"}, ["faktura", "poczta stoi"]),
        ({"text": "nic takiego"}, []),
        ({"text": "!?"}, []),
    ],
)
def test_messages_are_found_by_what_is_asked(
    full: House, wanted: dict[str, Any], found: list[str]
) -> None:
    assert subjects(full, **wanted) == found


def test_messages_are_found_by_service_and_by_ticket(full: House) -> None:
    assert subjects(full, service_id=full.service(SHOP)) == ["sklep stoi"]
    ticket = full.store.inbox.tickets(TicketFilter(text="poczta")).rows[0].ticket
    assert subjects(full, ticket=ticket.number) == ["poczta stoi"]


@pytest.mark.parametrize("text", ["", "stoi"])
def test_a_list_goes_on_where_its_page_ended(house: House, text: str) -> None:
    for number in range(7):
        house.receive(f"stoi {number}")
    found, after = [], None
    while True:
        page = house.store.inbox.messages(InboxFilter(text=text), after=after, limit=3)
        found += [row.subject for row in page.rows]
        after = page.next
        if after is None:
            break
    assert found == [f"stoi {number}" for number in reversed(range(7))]


def test_a_rare_kind_among_many_hits_is_found_however_far_behind_they_lie(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "_HITS", 2)
    monkeypatch.setattr(inbox, "_WINDOWS", 2)
    wanted = InboxFilter(text="stoi", service_id=house.service(SHOP))
    for number in range(10):
        house.receive(f"stoi {number}", service=SHOP if number in {0, 9} else MAIL)
    found, after, pages = [], None, 0
    while True:
        page = house.store.inbox.messages(wanted, after=after, limit=3)
        found += [row.subject for row in page.rows]
        after, pages = page.next, pages + 1
        if after is None:
            break
    assert found == ["stoi 9", "stoi 0"]
    assert pages > 2, "no page looks at more hits than it should"


@pytest.mark.parametrize("cursor", ["'; DROP TABLE message; --", "ł", "x" * 40, "1 OR 1=1", ""])
@pytest.mark.parametrize("text", ["", "stoi"])
def test_a_place_that_no_list_gave_out_is_refused(house: House, cursor: str, text: str) -> None:
    if cursor == "" and not text:
        return
    with pytest.raises(BadCursor):
        house.store.inbox.messages(InboxFilter(text=text), after=cursor)
    with pytest.raises(BadCursor):
        house.store.inbox.tickets(TicketFilter(), after=cursor)


HOSTILE = [
    "'; DROP TABLE search; --",
    '" OR words MATCH "a',
    "a* NEAR(b, 5)",
    "words : x",
    "§verdict",
    "' | 'x':*",
    "\\",
    "(((",
    "NOT AND OR",
    "\0x",
    "x\ud800y",
    "😀 👩‍💻",
    "ⓐ ﬁ ǅ İstanbul",
    "%_%",
    "a " * 500,
    "x" * 10_000,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_is_asked_for_is_words_and_nothing_else(full: House, text: str) -> None:
    subjects(full, text=text)
    full.store.inbox.tickets(TicketFilter(text=text))
    full.store.panel.tickets(full.id(ANNA), text=text)
    assert subjects(full) == ALL


@pytest.mark.parametrize("text", ["łódź", "LODZ", "Łódź", "lódz", "straße", "STRASSE", "zażółć"])
def test_words_are_found_without_case_and_without_marks(house: House, text: str) -> None:
    house.receive("Łódź, Straße: zażółć")
    assert subjects(house, text=text) == ["Łódź, Straße: zażółć"]


def test_no_words_of_a_message_pass_for_a_mark_of_ours(house: House) -> None:
    """Else a mail could place itself in the search of another account."""
    mark = search.mark("account", "1002")
    house.receive(f"podrzutek {mark}")
    assert subjects(house, text="podrzutek", account_id="1002") == []
    assert subjects(house, text="podrzutek", account_id="1001") != []


def test_people_files_and_numbers_are_found_too(house: House) -> None:
    queue_id = house.receive(
        "x", cc=(Mailbox("Zofia Wilk", "zofia@inne.example"),), author="anna@piekarnia.example"
    )
    view = house.store.views.message(queue_id)
    assert view is not None
    for text in ("zofia", "wilk zofia", "inne.example", queue_id.lower(), str(view.ticket)):
        assert subjects(house, text=text) == ["x"], text


def test_a_message_decided_again_is_found_by_what_it_is_now(house: House) -> None:
    queue_id = house.receive("sprawa", "pending")
    house.store.acts.decide_again(queue_id, "kasia", "look", NOW)
    decide(house.store, take(house.store, queue_id), "held", subject="sprawa", contact=None)
    assert subjects(house, text="sprawa", verdict="pending") == []
    assert subjects(house, text="sprawa", verdict="held") == ["sprawa"]
    assert subjects(house, text="sprawa", account_id="1001") == []
    house.store.queue.drop(queue_id, "kasia", "spam", NOW)
    assert subjects(house, text="sprawa", verdict="filed") == ["sprawa"]
    with house.store.database.reading() as connection:
        assert len(connection.execute(select(search_table)).all()) == 1


def test_a_message_that_is_gone_is_found_no_more(house: House) -> None:
    """The index follows the row, whoever removes it: retention, say."""
    house.receive("znika")
    with house.store.database.writing() as connection:
        connection.execute(search_table.delete())
    assert subjects(house, text="znika") == []


def test_labels_are_found_and_follow_the_decision(house: House) -> None:
    (made,) = house.store.intake.admit([admission("alarm")])
    item = take(house.store, made.queue_id)
    decided = outcome(item, "unauthorized", subject="alarm")
    labels = replace(decided.decision, labels=("alarm", "x'y"))
    house.store.queue.apply(replace(decided, decision=labels), silent, NOW)
    assert subjects(house, label="alarm") == subjects(house, label="x'y") == ["alarm"]
    assert subjects(house, label="other") == []
    house.store.acts.decide_again(made.queue_id, "kasia", "look", NOW)
    decide(house.store, take(house.store, made.queue_id), "unauthorized", subject="alarm")
    assert subjects(house, label="alarm") == []
    with house.store.database.reading() as connection:
        assert connection.execute(select(labelled)).all() == []


def test_a_line_says_who_what_and_why(house: House) -> None:
    queue_id = house.receive(
        "sklep stoi",
        "unauthorized",
        sender=JAN,
        service=SHOP,
        from_=(Mailbox("Prezes <ceo@bank.example>", JAN),),
    )
    house.store.acts.override(queue_id, "vouches", "kasia", "phone", NOW)
    (row,) = house.store.inbox.messages(InboxFilter()).rows
    assert (row.author, row.author_name) == (JAN, "Prezes <ceo@bank.example>")
    assert (row.company, row.contact, row.role) == ("Piekarnia Anna Nowak", JAN, "technical")
    assert (row.verdict, row.rule, row.reasons) == ("unauthorized", "some-rule", ("some-reason",))
    assert (row.service, row.ticket_state, row.standing) == (SHOP, "open", "unauthorized")
    assert (row.override, row.state, row.excerpt) == ("vouches", "incoming", "Proszę.")


def test_the_attachments_of_a_message_are_listed_without_reading_it_again(house: House) -> None:
    (made,) = house.store.intake.admit([admission("files")])
    item = take(house.store, made.queue_id)
    decided = outcome(item, "authorized")
    files = (Attachment("żółw.pdf", "application/pdf", 3, "a" * 64),)
    message = replace(decided.message, attachments=files)
    house.store.queue.apply(replace(decided, message=message), silent, NOW)
    view = house.store.inbox.message(made.queue_id)
    assert view is not None
    assert view.message.attachments == files
    assert house.store.inbox.messages(InboxFilter()).rows[0].attachments == 1
    assert subjects(house, text="zolw pdf") != []


def test_a_message_shows_all_that_is_known_of_it(house: House) -> None:
    queue_id = house.receive("sklep stoi", "unauthorized", sender=JAN, service=SHOP)
    house.store.acts.override(queue_id, "refuses", "kasia", "it is a forgery", NOW)
    found = house.store.inbox.message(queue_id)
    assert found is not None
    assert found.contact == house.contacts[JAN]
    assert found.account is not None
    assert found.shared == {house.service(SHOP)}
    assert [s.identifier for s in found.services] == [MAIL, SHOP]
    assert [(o.who, o.why, o.value) for o in found.overrides] == [
        ("kasia", "it is a forgery", "refuses")
    ]
    assert [e.what for e in found.events] == ["overridden"]
    assert found.ticket is not None
    assert house.store.inbox.message("nobody") is None
    assert house.store.inbox.octets(queue_id) is not None
    assert house.store.inbox.octets("nobody") is None


def test_tickets_are_listed_by_what_is_asked_last_changed_first(full: House) -> None:
    listed = full.store.inbox.tickets

    def found(**wanted: Any) -> list[str]:
        return [row.ticket.subject for row in listed(TicketFilter(**wanted)).rows]

    assert found() == ["kwiaty", "faktura", "poczta stoi", "sklep stoi"]
    assert found(standing="pending") == ["kwiaty", "sklep stoi"]
    assert found(account_id="1001", text="stoi") == ["poczta stoi", "sklep stoi"]
    assert found(service_id=full.service(MAIL)) == ["poczta stoi"]
    assert found(service_id=10**30) == []
    assert found(state="closed") == []
    assert found(desk="billing") == []
    row = listed(TicketFilter(text="sklep")).rows[0]
    assert (row.service, row.messages, row.waiting) == (SHOP, 1, 1)
    first = listed(TicketFilter(), limit=3)
    rest = listed(TicketFilter(), limit=3, after=first.next)
    assert [len(first.rows), len(rest.rows), rest.next] == [3, 1, None]


def test_a_ticket_names_those_an_answer_may_go_to(full: House) -> None:
    row = full.store.inbox.tickets(TicketFilter(text="sklep")).rows[0]
    found = full.store.inbox.ticket(row.ticket.number)
    assert found is not None
    assert found.service is not None
    assert {(r.contact.address, r.opener, r.shared) for r in found.readers} == {
        (ANNA, False, True),
        (JAN, True, True),
    }
    assert full.store.inbox.ticket(10**30) is None


def test_what_waits_is_what_could_still_get_better(full: House) -> None:
    waiting = {full.store.views.message(q).subject for q in full.store.inbox.undecided()}  # type: ignore[union-attr] # it is there
    assert waiting == {"sklep stoi", "faktura", "kwiaty", "dziwne"}


# --- numbers --------------------------------------------------------------------------------------


def test_decisions_are_counted_by_day(full: House) -> None:
    verdicts = full.store.stats.verdicts(NOW.date())
    assert {(c.name, c.messages) for c in verdicts} == {
        ("authorized", 1),
        ("filed", 1),
        ("held", 1),
        ("pending", 2),
        ("unauthorized", 1),
    }
    assert {c.day for c in verdicts} == {NOW.date()}
    assert [(c.name, c.messages) for c in full.store.stats.rules(NOW.date())] == [("some-rule", 6)]
    assert full.store.stats.verdicts(NOW.date() + timedelta(days=1)) == []


def test_what_waits_is_counted_by_verdict(full: House) -> None:
    assert full.store.stats.standing() == {"pending": 2, "unauthorized": 1, "held": 1}
    ticket = full.store.inbox.tickets(TicketFilter(text="kwiaty")).rows[0].ticket
    full.store.tickets.close(ticket.number, "kasia", "done", NOW)
    assert full.store.stats.standing()["pending"] == 1


def test_troubles_are_mails_that_came_back_and_people_who_disowned_one(house: House) -> None:
    (made,) = house.store.intake.admit([admission("x")])
    item = take(house.store, made.queue_id)
    asked = link(item, contact_id=house.id(ANNA))
    house.store.queue.apply(outcome(item, "pending"), with_link(asked), NOW)
    house.store.links.decide(asked.token_sha256, "denied", NOW + HOUR)
    (mail,) = house.store.outbox.claim_due(NOW, 1)
    house.store.outbox.failed(mail.notice.id, "550 no such user", NOW)
    found = house.store.stats.troubles(NOW - DAY)
    assert [(t.kind, t.address, t.said) for t in found] == [
        ("muted", ANNA, ""),
        ("bounced", ANNA, "550 no such user"),
    ]
    assert house.store.stats.troubles(NOW + DAY) == []
