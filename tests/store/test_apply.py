"""The deciding transaction: ticket, message, history and mails, all or none."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from mailgate.model.decision import Verdict
from mailgate.model.directory import Contact
from mailgate.model.message import Mailbox
from mailgate.model.outcome import Composed
from mailgate.model.ticket import Ticket
from mailgate.store import Store, history, queue
from mailgate.store.rows import link_row
from mailgate.store.tables import link as links
from tests.store.builders import (
    DAY,
    HOUR,
    NOW,
    asked,
    claimed,
    decide,
    link,
    make_store,
    notice,
    outcome,
    silent,
    take,
    with_link,
)

ANNA = Contact(7, "1001", "anna@piekarnia.example", "main", "Anna")


def opened(store: Store, text: str = "first", verdict: Verdict = "authorized") -> Ticket:
    ticket = decide(store, claimed(store, text), verdict, contact=ANNA)
    assert ticket is not None
    return ticket


def test_a_decision_opens_a_ticket_and_says_everything_about_its_message(store: Store) -> None:
    item = claimed(store)
    ticket = decide(store, item, "authorized", contact=ANNA)
    assert ticket is not None
    assert (ticket.subject, ticket.state, ticket.standing, ticket.account_id, ticket.epoch) == (
        "Zmiana hasła",
        "open",
        "authorized",
        "1001",
        0,
    )
    assert store.lookup.ticket(ticket.number) == ticket
    assert store.lookup.ticket_of(item.queue_id) == ticket.number
    message = store.views.message(item.queue_id)
    assert message is not None
    assert (message.author, message.verdict, message.rule, message.reasons, message.facts) == (
        "anna@piekarnia.example",
        "authorized",
        "some-rule",
        ("some-reason",),
        {"code": "absent", "channel": "email"},
    )
    judged = message.history[0]
    assert judged.sources == {"code": "the subject"}
    assert judged.trace[0]["conditions"][0] == {
        "asked": "code is absent",
        "found": "absent",
        "holds": True,
    }
    assert judged.policy_sha256 == "ab" * 32


def test_numbers_of_tickets_only_grow(store: Store) -> None:
    numbers = [opened(store, f"mail {i}").number for i in range(3)]
    assert numbers == sorted(set(numbers))


def test_what_is_filed_opens_no_ticket(store: Store) -> None:
    item = claimed(store)
    assert decide(store, item, "filed", opens=False) is None
    message = store.views.message(item.queue_id)
    assert message is not None
    assert (message.verdict, message.ticket) == ("filed", None)


def test_a_reply_joins_its_ticket(store: Store) -> None:
    ticket = opened(store)
    joined = decide(store, claimed(store, "reply"), ticket=ticket, opens=False)
    assert joined is not None
    assert joined.number == ticket.number
    view = store.views.ticket(ticket.number)
    assert view is not None
    assert len(view.messages) == 2


def test_deciding_again_neither_opens_nor_moves(store: Store) -> None:
    other = opened(store, "another matter")
    item, sha = asked(store)
    first = store.lookup.ticket_of(item.queue_id)
    store.links.decide(sha, "confirmed", NOW)
    again = decide(store, take(store, item.queue_id), ticket=other)
    assert again is not None
    assert again.number == first
    message = store.views.message(item.queue_id)
    assert message is not None
    assert [d.verdict for d in message.history] == ["pending", "authorized"]


@pytest.mark.parametrize(
    ("verdicts", "standing"),
    [
        (["unauthorized"], "unauthorized"),
        (["unauthorized", "pending"], "pending"),
        (["pending", "unauthorized"], "pending"),
        (["pending", "authorized"], "authorized"),
        (["authorized", "unauthorized"], "authorized"),
        (["authorized", "pending"], "authorized"),
        (["unauthorized", "filed"], "unauthorized"),
        (["unauthorized", "held"], "unauthorized"),
    ],
)
def test_a_ticket_stands_as_its_best_message(
    store: Store, verdicts: list[Verdict], standing: str
) -> None:
    ticket = opened(store, "first", verdicts[0])
    for number, verdict in enumerate(verdicts[1:]):
        after = decide(store, claimed(store, f"reply {number}"), verdict, ticket=ticket)
        assert after is not None
        ticket = after
    assert ticket.standing == standing


def test_a_ticket_falls_with_the_message_it_stood_on(store: Store) -> None:
    item, sha = asked(store)
    store.links.decide(sha, "denied", NOW)
    ticket = decide(store, take(store, item.queue_id), "unauthorized")
    assert ticket is not None
    assert ticket.standing == "unauthorized"


@pytest.mark.parametrize(
    ("verdict", "state"), [("authorized", "open"), ("unauthorized", "open"), ("filed", "closed")]
)
def test_mail_opens_a_closed_ticket_again_unless_it_is_filed(
    store: Store, verdict: Verdict, state: str
) -> None:
    number = opened(store).number
    closed = store.tickets.close(number, "kasia", "settled", NOW)
    assert closed is not None
    after = decide(store, claimed(store, "reply"), verdict, ticket=closed)
    assert after is not None
    assert after.state == state


def test_a_failure_while_composing_leaves_nothing(store: Store) -> None:
    item = claimed(store)

    def broken(_ticket: Ticket | None) -> Composed:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.queue.apply(outcome(item), broken, NOW)
    assert store.views.message(item.queue_id) is None
    assert store.views.tickets() == []
    assert decide(store, item) is not None


def test_the_composer_knows_the_new_tickets_number_and_its_mail_waits(store: Store) -> None:
    seen: list[Ticket | None] = []

    def compose(ticket: Ticket | None) -> Composed:
        seen.append(ticket)
        return Composed((notice("n1", ticket=ticket.number if ticket else None),))

    ticket = store.queue.apply(outcome(claimed(store)), compose, NOW)
    assert seen == [ticket]
    row = store.lookup.outbox_row("n1")
    assert row is not None
    assert (row.state, row.attempts, row.next_at) == ("waiting", 0, NOW)
    assert ticket is not None
    assert row.notice == notice("n1", ticket=ticket.number)


def test_a_confirmation_while_the_item_is_judged_sends_it_round_once_more(store: Store) -> None:
    item, sha = asked(store)
    assert store.links.request_new(sha, NOW)
    busy = take(store, item.queue_id)
    second = link(item, "second")
    with store.database.writing() as connection:
        connection.execute(links.insert(), link_row(second, None))
    assert store.links.decide(second.token_sha256, "confirmed", NOW)
    store.queue.apply(outcome(busy, "pending"), with_link(link(item, "third")), NOW)
    assert store.links.find(link(item, "third").token_sha256) is None, "nothing old is sent"
    again = take(store, item.queue_id)
    assert (again.revision, again.attempts) == (2, 1)
    decide(store, again)
    assert store.queue.claim("w/1", NOW + HOUR) is None


def test_a_new_link_ends_the_old_one(store: Store) -> None:
    item, old = asked(store)
    again(store, item.queue_id)
    new = link(item, "new", step="code")
    store.queue.apply(outcome(take(store, item.queue_id), "pending"), with_link(new), NOW)
    states = [store.links.find(sha) for sha in (old, new.token_sha256)]
    assert [found.state for found in states if found] == ["superseded", "open"]


def test_a_link_that_still_asks_the_same_is_kept_and_nobody_is_asked_again(store: Store) -> None:
    item, old = asked(store)
    again(store, item.queue_id)
    new = link(item, "new")
    store.queue.apply(outcome(take(store, item.queue_id), "pending"), with_link(new), NOW)
    kept = store.links.find(old)
    assert kept is not None
    assert kept.state == "open"
    assert store.links.find(new.token_sha256) is None
    assert len(store.views.outbox()) == 1


def test_an_expired_link_is_replaced_when_its_message_is_decided_again(store: Store) -> None:
    item, old = asked(store)
    again(store, item.queue_id)
    new = link(item, "new")
    later = NOW + 2 * DAY
    store.queue.apply(outcome(take(store, item.queue_id, later), "pending"), with_link(new), later)
    found = [store.links.find(sha) for sha in (old, new.token_sha256)]
    assert [one.state for one in found if one] == ["superseded", "open"]


def _says(composed: Composed, _ticket: Ticket | None) -> Composed:
    return composed


def test_what_somebody_was_told_is_not_told_again_until_the_reasons_change(store: Store) -> None:
    item = claimed(store)
    queue_id = item.queue_id
    for number, reasons in enumerate(("code-wrong", "code-wrong", "code-retired")):
        values = {"subject": "Zmiana", "reasons": reasons}
        told = Composed((notice(f"n{number}", queue_id=queue_id, values=values),))
        store.queue.apply(outcome(item, "unauthorized"), partial(_says, told), NOW)
        again(store, queue_id)
        item = take(store, queue_id)
    assert {row.notice.id for row in store.views.outbox()} == {"n0", "n2"}


def test_links_end_when_there_is_nothing_left_to_confirm(store: Store) -> None:
    item, sha = asked(store)
    again(store, item.queue_id)
    decide(store, take(store, item.queue_id), "unauthorized")
    found = store.links.find(sha)
    assert found is not None
    assert found.state == "superseded"


def test_where_a_limit_stops_the_new_mail_the_old_link_stays_good(store: Store) -> None:
    item, sha = asked(store)
    for number in range(2):
        asked(store, f"other {number}")
    again(store, item.queue_id)
    fourth = link(item, "fourth", step="code")
    store.queue.apply(outcome(take(store, item.queue_id), "pending"), with_link(fourth), NOW)
    old = store.links.find(sha)
    assert old is not None
    assert old.state == "open"
    assert store.links.find(fourth.token_sha256) is None


def again(store: Store, queue_id: str) -> None:
    """Queue a decided item once more, as a change of the directory would."""
    with store.database.writing() as connection:
        row = history.lock(connection, queue_id)
        assert row is not None
        queue.again(connection, row, NOW)


@pytest.mark.parametrize(
    ("status", "state"),
    [("5.1.1", "bounced"), ("", "bounced"), ("4.4.1", "sent"), ("2.0.0", "sent")],
)
def test_a_delivery_report_marks_our_mail(store: Store, status: str, state: str) -> None:
    sent_notice(store)
    report = outcome(
        claimed(store, "report"),
        "filed",
        opens=False,
        case={"bounced_notice": "n1", "bounced_status": status},
    )
    store.queue.apply(report, silent, NOW)
    row = store.lookup.outbox_row("n1")
    assert row is not None
    assert row.state == state
    assert status in row.last_reply


def sent_notice(store: Store, **changes: Any) -> None:
    def compose(_ticket: Ticket | None) -> Composed:
        return Composed((notice("n1", **changes),))

    store.queue.apply(outcome(claimed(store)), compose, NOW)
    store.outbox.claim_due(NOW, 10)
    store.outbox.sent("n1", "250 ok", NOW)


def test_hostile_text_is_stored_as_far_as_a_database_can(store: Store) -> None:
    item = claimed(store)
    long = "x" * 5000
    decide(
        store,
        item,
        subject="nul \x00 and \udce9",
        message_id=long + "@x.example",
        author=long + "@x.example",
        cc=(Mailbox("", "\udcff" * 900 + "@x.example"),),
        case={"claimed_ticket": 10**30},
        date=NOW.replace(tzinfo=None),
    )
    message = store.views.message(item.queue_id)
    assert message is not None
    assert message.subject == "nul \ufffd and \ufffd"
    assert message.author == long + "@x.example"
    assert message.date == NOW
    assert store.lookup.authorized_before(long + "@x.example", "another")
    assert not store.lookup.authorized_before(long + "!@x.example", "another")
    assert store.lookup.ticket(10**30) is None


def test_one_person_named_twice_is_named_once(store: Store) -> None:
    twice = (Mailbox("", "Jan@x.example"), Mailbox("", "jan@X.example"))
    ticket = decide(store, claimed(store), to=twice, cc=twice)
    assert ticket is not None
    assert store.lookup.named_in_accepted(ticket.number, "JAN@x.example")


def test_the_time_of_a_decision_is_the_one_given(store: Store) -> None:
    at = NOW + timedelta(days=3)
    item = claimed(store)
    store.queue.apply(outcome(item), silent, at)
    message = store.views.message(item.queue_id)
    assert message is not None
    assert message.history[0].decided_at == at


def test_decisions_at_once_leave_a_ticket_as_its_messages_say(url: str) -> None:
    store = make_store(url, pool_size=12)
    ticket = opened(store, "first", "unauthorized")
    verdicts: list[Verdict] = ["unauthorized", "pending", "held", "authorized", "filed"] * 4
    items = [claimed(store, f"reply {i}") for i in range(len(verdicts))]

    def judge(number: int) -> None:
        if verdicts[number] == "held":
            store.queue.hold(items[number], "broken")
        else:
            decide(store, items[number], verdicts[number], ticket=ticket)

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(judge, range(len(verdicts))))
    view = store.views.ticket(ticket.number)
    assert view is not None
    assert (view.ticket.standing, len(view.messages)) == ("authorized", 17)
    store.close()
