"""What staff sees and does: lists, one ticket with everything, and acts that leave a trace."""

from __future__ import annotations

from datetime import datetime

import pytest

from mailgate.model.ticket import Ticket
from mailgate.store import Store
from tests.store.builders import (
    HOUR,
    NOW,
    admitted,
    asked,
    claimed,
    decide,
    outcome,
    silent,
    take,
)


def opened(store: Store, text: str, at: datetime = NOW, account: str | None = None) -> Ticket:
    case = {"account_id": account}
    ticket = store.queue.apply(outcome(claimed(store, text), case=case), silent, at)
    assert ticket is not None
    return ticket


def test_tickets_are_listed_last_changed_first_and_by_what_is_asked(store: Store) -> None:
    old = opened(store, "old", account="1001")
    new = opened(store, "new", NOW + HOUR)
    assert [t.number for t in store.views.tickets()] == [new.number, old.number]
    assert [t.number for t in store.views.tickets(account_id="1001")] == [old.number]
    assert store.views.tickets(standing="pending") == []
    store.tickets.close(old.number, "kasia", "settled", NOW + 2 * HOUR)
    assert [t.number for t in store.views.tickets(state="closed")] == [old.number]
    assert [t.number for t in store.views.tickets(limit=1)] == [old.number]


def test_a_list_goes_on_where_its_last_page_ended(store: Store) -> None:
    numbers = [opened(store, f"mail {i}").number for i in range(3)]
    page = store.views.tickets(before=(NOW, numbers[2]), limit=1)
    assert [t.number for t in page] == [numbers[1]]


def test_a_ticket_shows_messages_links_mails_and_events(store: Store) -> None:
    item, sha = asked(store)
    store.links.decide(sha, "confirmed", NOW + HOUR)
    ticket = decide(store, take(store, item.queue_id, NOW + HOUR))
    assert ticket is not None
    view = store.views.ticket(ticket.number)
    assert view is not None
    (message,) = view.messages
    assert [(one.state, one.decided_at) for one in message.links] == [("confirmed", NOW + HOUR)]
    assert [d.verdict for d in message.history] == ["pending", "authorized"]
    assert [n.notice.template for n in view.notices] == ["authorization-link"]
    assert [e.what for e in view.events] == ["link-confirmed"]
    assert message.size == len(item.content)
    assert store.views.ticket(ticket.number + 1) is None


def test_a_message_nobody_has_judged_is_in_the_queue_only(store: Store) -> None:
    queue_id = admitted(store)
    assert store.views.message(queue_id) is None
    assert [row.queue_id for row in store.views.queue()] == [queue_id]
    assert store.views.queue(["hold"]) == []
    assert store.views.queue_row("nothing") is None
    assert store.views.octets("nothing") is None


def test_what_is_done_leaves_the_list_of_the_queue(store: Store) -> None:
    item = claimed(store)
    decide(store, item)
    assert store.views.queue() == []
    assert [row.queue_id for row in store.views.queue(["done"])] == [item.queue_id]


@pytest.mark.parametrize("act", ["close", "reopen", "rotate"])
def test_who_did_what_to_a_ticket_and_why_is_written_down(store: Store, act: str) -> None:
    number = opened(store, "first").number
    if act == "reopen":
        store.tickets.close(number, "kasia", "settled", NOW)
    done = getattr(store.tickets, act)(number, "tomek", "he called", NOW + HOUR)
    assert done == store.lookup.ticket(number)
    assert (done.state, done.epoch) == {
        "close": ("closed", 0),
        "reopen": ("open", 0),
        "rotate": ("open", 1),
    }[act]
    event = store.views.events()[0]
    assert (event.at, event.who, event.ticket, event.why) == (
        NOW + HOUR,
        "tomek",
        number,
        {"reason": "he called"},
    )


def test_an_act_that_does_not_apply_changes_nothing_and_says_so(store: Store) -> None:
    number = opened(store, "first").number
    assert store.tickets.reopen(number, "kasia", "it is open", NOW) is None
    store.tickets.close(number, "kasia", "settled", NOW)
    assert store.tickets.close(number, "kasia", "again", NOW) is None
    assert store.tickets.rotate(number + 1, "kasia", "typo", NOW) is None
    assert len(store.views.events()) == 1
