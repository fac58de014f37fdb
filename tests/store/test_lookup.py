"""What gathering asks, and that asking stays cheap."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from mailgate.model.directory import Contact
from mailgate.model.message import Mailbox
from mailgate.model.outcome import Composed
from mailgate.model.ticket import Ticket
from mailgate.store import Store
from mailgate.store.lookup import Lookup
from tests.store.builders import (
    HOUR,
    NOW,
    asked,
    claimed,
    decide,
    entry,
    notice,
    outcome,
    take,
)

ANNA = Contact(7, "1001", "anna@piekarnia.example", "main")


@pytest.fixture
def shop(store: Store) -> Store:
    """Two accounts; Jan is a technical contact of both, one service is shared with him."""
    one = entry(
        contacts=(("anna@piekarnia.example", "main"), ("jan@web.example", "technical")),
        services=("piekarnia.example", "sklep.example"),
        shares=(("jan@web.example", "sklep.example"),),
    )
    other = entry("2002", contacts=(("Jan@WEB.example", "technical"),), company="Northwind")
    store.directory.import_entries([one, other], NOW)
    return store


def test_one_address_may_be_a_contact_of_several_accounts(shop: Store) -> None:
    found = shop.lookup.contacts("JAN@web.Example")
    assert [(c.account_id, c.address, c.role) for c in found] == [
        ("1001", "jan@web.example", "technical"),
        ("2002", "Jan@web.example", "technical"),
    ]
    assert shop.lookup.contacts("nobody@web.example") == []


def test_an_account_says_who_is_main_and_what_is_shared(shop: Store) -> None:
    account = shop.lookup.account("1001")
    assert account is not None
    assert (account.company, account.language) == ("Piekarnia Anna Nowak", "pl")
    main = shop.lookup.main_contact("1001")
    assert main is not None
    assert main.address == "anna@piekarnia.example"
    assert shop.lookup.main_contact("2002") is None
    assert shop.lookup.account("3003") is None
    jan = shop.lookup.contacts("jan@web.example")[0]
    shared = shop.lookup.shared_services(jan.id)
    names = {s.identifier for s in shop.lookup.services("1001") if s.id in shared}
    assert names == {"sklep.example"}
    assert shop.lookup.shared_services(main.id) == frozenset()


def test_a_code_is_known_to_who_opened_the_ticket_and_to_whom_it_was_sent(store: Store) -> None:
    def compose(ticket: Ticket | None) -> Composed:
        assert ticket is not None
        return Composed((notice("n1", contact_id=8, ticket=ticket.number),))

    ticket = store.queue.apply(outcome(claimed(store), contact=ANNA), compose, NOW)
    assert ticket is not None
    assert store.lookup.told(ticket.number, 7)
    assert not store.lookup.told(ticket.number, 8), "the mail has not left yet"
    store.outbox.claim_due(NOW, 1)
    store.outbox.sent("n1", "250 ok", NOW)
    assert store.lookup.told(ticket.number, 8)
    assert not store.lookup.told(ticket.number, 9)
    assert not store.lookup.told(ticket.number + 1, 7)


def test_only_an_authorized_message_introduces_the_people_in_its_cc(store: Store) -> None:
    jan = (Mailbox("", "Jan@WEB.example"),)
    ticket = decide(store, claimed(store, "one"), "unauthorized", cc=jan)
    assert ticket is not None
    assert not store.lookup.named_in_accepted(ticket.number, "jan@web.example")
    decide(store, claimed(store, "two"), "authorized", ticket=ticket, cc=jan)
    assert store.lookup.named_in_accepted(ticket.number, "jan@web.example")
    assert store.lookup.named_in_accepted(ticket.number, "pomoc@desk.example")
    assert not store.lookup.named_in_accepted(ticket.number + 1, "jan@web.example")


def test_a_message_id_counts_as_used_once_another_message_was_authorized(store: Store) -> None:
    first = claimed(store, "first")
    decide(store, first, "unauthorized", message_id="x@y.example")
    assert not store.lookup.authorized_before("x@y.example", "another")
    second = claimed(store, "second")
    decide(store, second, "authorized", message_id="x@y.example")
    assert store.lookup.authorized_before("x@y.example", first.queue_id)
    assert not store.lookup.authorized_before("x@y.example", second.queue_id)


def test_a_signature_counts_as_seen_once_another_message_was_authorized(store: Store) -> None:
    signed = {"signatures": ("a" * 64, "b" * 64)}
    first = claimed(store, "first")
    decide(store, first, "pending", case=signed)
    assert not store.lookup.signatures_seen(["b" * 64], "another")
    second = claimed(store, "second")
    decide(store, second, "authorized", case=signed)
    assert store.lookup.signatures_seen(["b" * 64], first.queue_id)
    assert not store.lookup.signatures_seen(["c" * 64], first.queue_id)
    assert not store.lookup.signatures_seen(["a" * 64, "b" * 64], second.queue_id)


def test_a_message_that_loses_its_authorization_lends_its_signature_to_nobody(
    store: Store,
) -> None:
    signed = {"signatures": ("a" * 64,)}
    item = claimed(store)
    decide(store, item, "authorized", case=signed)
    assert store.acts.decide_again(item.queue_id, "ewa", "a share ended", NOW)
    decide(store, take(store, item.queue_id), "unauthorized", case=signed)
    assert not store.lookup.signatures_seen(["a" * 64], "another")


def test_wrong_codes_are_counted_for_the_ticket_and_for_the_sender(store: Store) -> None:
    def guess(text: str, code: str, author: str, ticket: int) -> None:
        item = claimed(store, text)
        decide(store, item, "filed", code=code, author=author, case={"claimed_ticket": ticket})

    guess("1", "wrong", "eve@x.example", 5)
    guess("2", "unknown", "EVE@x.example", 999)
    guess("3", "wrong", "other@x.example", 5)
    guess("4", "retired", "eve@x.example", 5)
    guess("5", "valid", "eve@x.example", 5)
    assert store.lookup.wrong_codes(5, "eve@X.example", NOW) == (2, 2)
    assert store.lookup.wrong_codes(5, "eve@x.example", NOW + timedelta(seconds=1)) == (0, 0)
    assert store.lookup.wrong_codes(10**30, "eve@x.example", NOW) == (0, 2)


def test_who_disowned_a_message_of_a_ticket_is_remembered(store: Store) -> None:
    item, sha = asked(store)
    ticket = store.lookup.ticket_of(item.queue_id)
    assert ticket is not None
    store.links.decide(sha, "denied", NOW + HOUR)
    assert store.lookup.denied_since(ticket, 1, NOW + HOUR)
    assert not store.lookup.denied_since(ticket, 1, NOW + 2 * HOUR)
    assert not store.lookup.denied_since(ticket, 2, NOW)
    assert not store.lookup.denied_since(ticket + 1, 1, NOW)
    decide(store, take(store, item.queue_id, NOW + HOUR), "unauthorized")


def test_what_nobody_knows_is_none(store: Store) -> None:
    assert store.lookup.ticket(1) is None
    assert store.lookup.ticket(-1) is None
    assert store.lookup.ticket_of("nothing") is None
    assert store.lookup.outbox_row("nothing") is None
    assert store.lookup.confirmation("nothing", "0" * 64) is None


QUESTIONS: dict[str, Callable[[Lookup], object]] = {
    "contacts": lambda ask: ask.contacts("a@x.example"),
    "ticket": lambda ask: ask.ticket(5),
    "told": lambda ask: ask.told(5, 7),
    "named_in_accepted": lambda ask: ask.named_in_accepted(5, "a@x.example"),
    "confirmation": lambda ask: ask.confirmation("q", "0" * 64),
    "authorized_before": lambda ask: ask.authorized_before("m@x.example", "q"),
    "signatures_seen": lambda ask: ask.signatures_seen(["0" * 64, "1" * 64], "q"),
    "wrong_codes": lambda ask: ask.wrong_codes(5, "a@x.example", NOW),
    "denied_since": lambda ask: ask.denied_since(5, 7, NOW),
}


@pytest.mark.parametrize("name", list(QUESTIONS))
def test_no_question_reads_a_whole_table(sqlite_store: Store, name: str) -> None:
    asked_sql: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> None:
        asked_sql.append((sql, values))

    event.listen(sqlite_store.database.engine, "before_cursor_execute", note)
    QUESTIONS[name](sqlite_store.lookup)
    selects = [(sql, values) for sql, values in asked_sql if sql.startswith("SELECT")]
    assert selects
    with sqlite_store.database.reading() as connection:
        for sql, values in selects:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
            scans = [row[3] for row in plan if row[3].startswith("SCAN ")]
            assert [step for step in scans if step != "SCAN CONSTANT ROW"] == []
