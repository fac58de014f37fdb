"""Our own mail: at least once, always the same, within limits, and no failure hidden."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from mailgate.model.notice import Notice, OutboxRow
from mailgate.model.outcome import Composed
from mailgate.model.ticket import Ticket
from mailgate.settings import Limits
from mailgate.store import Store
from tests.store.builders import (
    DAY,
    HOUR,
    NOW,
    claimed,
    link,
    make_store,
    notice,
    outcome,
    silent,
)

MINUTE = timedelta(minutes=1)


def put(store: Store, *notices: Notice, at: datetime = NOW) -> None:
    """Let a decision say these."""

    def compose(_ticket: Ticket | None) -> Composed:
        return Composed(notices)

    text = f"mail that is answered by {[n.id for n in notices]}"
    store.queue.apply(outcome(claimed(store, text), opens=False), compose, at)


def row(store: Store, notice_id: str) -> OutboxRow:
    found = store.lookup.outbox_row(notice_id)
    assert found is not None
    return found


def test_a_notice_is_kept_as_what_it_says(store: Store) -> None:
    said = notice(
        "n1",
        to="Anna@Piekarnia.example",
        values={"subject": "Zażółć 'gęślą' \U0001f600", "n": "1"},
        in_reply_to="one@piekarnia.example",
        link_nonce="ab" * 16,
        link_step="code",
    )
    put(store, said)
    assert [r.notice for r in store.outbox.claim_due(NOW, 10)] == [said]


def test_the_next_mail_is_the_one_that_is_due_first_of_those_that_are_not_due_yet(
    store: Store,
) -> None:
    put(store, notice("n1"), notice("n2"), notice("n3"))
    assert store.outbox.next_due(NOW) is None
    assert store.outbox.next_due(NOW - MINUTE) == NOW
    store.outbox.claim_due(NOW, 10)
    store.outbox.retry("n2", "later", NOW + HOUR)
    store.outbox.retry("n3", "later", NOW + 5 * MINUTE)
    assert store.outbox.next_due(NOW) == NOW + 5 * MINUTE


def test_what_is_being_sent_is_not_given_out_again(store: Store) -> None:
    put(store, notice("n1"))
    assert [r.attempts for r in store.outbox.claim_due(NOW, 10)] == [1]
    assert store.outbox.claim_due(NOW + DAY, 10) == []


def test_no_more_than_asked_for_and_the_longest_waiting_first(store: Store) -> None:
    for minute in (2, 0, 1):
        put(store, notice(f"n{minute}", date=NOW + minute * MINUTE), at=NOW + minute * MINUTE)
    claimed_ids = [r.notice.id for r in store.outbox.claim_due(NOW + HOUR, 2)]
    assert claimed_ids == ["n0", "n1"]


def test_mailers_at_once_never_send_the_same(url: str) -> None:
    store = make_store(url, pool_size=10)
    for number in range(20):
        put(store, notice(f"n{number}", to=f"a{number}@x.example"))
    with ThreadPoolExecutor(5) as pool:
        taken = [r.notice.id for rows in pool.map(_claim_all(store), range(5)) for r in rows]
    assert len(taken) == len(set(taken)) == 20
    store.close()


def _claim_all(store: Store) -> Any:
    def claim(_worker: int) -> list[OutboxRow]:
        mine: list[OutboxRow] = []
        while some := store.outbox.claim_due(NOW, 3):
            mine += some
        return mine

    return claim


def test_a_retry_waits_for_its_time_and_says_the_same(store: Store) -> None:
    put(store, notice("n1"))
    first = store.outbox.claim_due(NOW, 10)[0]
    store.outbox.retry("n1", "451 later", NOW + HOUR)
    assert store.outbox.claim_due(NOW + HOUR - MINUTE, 10) == []
    second = store.outbox.claim_due(NOW + HOUR, 10)[0]
    assert second.notice == first.notice
    assert (second.attempts, second.last_reply) == (2, "451 later")


def test_what_was_sent_says_when_and_stays_sent(store: Store) -> None:
    put(store, notice("n1"))
    store.outbox.claim_due(NOW, 10)
    store.outbox.sent("n1", "250 2.0.0 ok", NOW + MINUTE)
    found = row(store, "n1")
    assert (found.state, found.sent_at, found.last_reply) == ("sent", NOW + MINUTE, "250 2.0.0 ok")
    store.outbox.retry("n1", "a late answer", NOW)
    assert store.outbox.claim_due(NOW + DAY, 10) == []


def test_a_failure_is_seen_in_the_list_and_in_the_events(store: Store) -> None:
    put(store, notice("n1"), notice("n2", to="b@x.example"))
    store.outbox.claim_due(NOW, 10)
    store.outbox.failed("n1", "550 no such user", NOW)
    store.outbox.sent("n2", "250 ok", NOW)
    assert [(r.notice.id, r.state) for r in store.views.outbox()] == [("n1", "failed")]
    assert store.views.events(what="notice-failed")[0].why["reply"] == "550 no such user"
    assert store.views.unsent() == {"failed": (1, NOW)}


def test_an_operator_may_have_a_failed_notice_tried_again(store: Store) -> None:
    put(store, notice("n1"))
    store.outbox.claim_due(NOW, 10)
    assert not store.outbox.send_again("n1", "kasia", "too soon", NOW)
    store.outbox.failed("n1", "550 full", NOW)
    assert store.outbox.send_again("n1", "kasia", "mailbox emptied", NOW + HOUR)
    assert store.outbox.claim_due(NOW + HOUR, 10)[0].attempts == 1


def test_a_dead_mailers_mail_goes_out_again_but_not_that_of_another_node(url: str) -> None:
    one, two = make_store(url, node="one"), make_store(url, node="two")
    put(one, notice("n1"), notice("n2", to="b@x.example"))
    mine = one.outbox.claim_due(NOW, 1)[0].notice
    two.outbox.claim_due(NOW, 1)
    assert one.outbox.reset_active() == 1
    assert [r.notice for r in one.outbox.claim_due(NOW, 10)] == [mine]
    one.close()
    two.close()


def test_a_delivery_report_that_overtakes_the_relays_reply_is_not_forgotten(store: Store) -> None:
    put(store, notice("n1"))
    store.outbox.claim_due(NOW, 10)
    report = outcome(
        claimed(store, "report"),
        "filed",
        opens=False,
        case={"bounced_notice": "n1", "bounced_status": "5.1.1"},
    )
    store.queue.apply(report, silent, NOW)
    store.outbox.sent("n1", "250 ok", NOW)
    assert row(store, "n1").state == "bounced"


LIMITS = [
    ("per_sender_hour", {}, HOUR),
    ("per_sender_day", {}, DAY),
    ("per_ticket_hour", {"ticket": 5}, HOUR),
    ("links_per_contact_hour", {"link_nonce": "x"}, HOUR),
    ("links_per_contact_day", {"link_nonce": "x"}, DAY),
    ("links_per_ticket_day", {"link_nonce": "x", "ticket": 5}, DAY),
    ("links_per_hour", {"link_nonce": "x"}, HOUR),
]


@pytest.mark.parametrize(("limit", "kind", "window"), LIMITS, ids=[name for name, _, _ in LIMITS])
def test_a_limit_stops_the_next_mail_until_its_window_is_over(
    url: str, limit: str, kind: dict[str, Any], window: timedelta
) -> None:
    wide = dict.fromkeys(Limits.model_fields, 100)
    store = make_store(url, limits=Limits.model_validate({**wide, limit: 2}))
    for number in range(4):
        put(store, notice(f"n{number}", to="ANNA@Piekarnia.Example", **kind))
    put(store, notice("n4", **kind), at=NOW + window + MINUTE)
    made = {r.notice.id for r in store.views.outbox_rows()}
    assert made == {"n0", "n1", "n4"}
    suppressed = store.views.events(what="notice-suppressed")
    assert [event.why["limit"] for event in suppressed] == [limit, limit]
    store.close()


def test_a_limit_for_one_person_does_not_stop_another(url: str) -> None:
    store = make_store(url, limits=Limits(per_sender_hour=1))
    put(store, notice("n1"), notice("n2"), notice("n3", to="b@x.example"))
    assert {r.notice.id for r in store.views.outbox_rows()} == {"n1", "n3"}
    store.close()


def test_a_link_whose_mail_is_suppressed_does_not_exist(url: str) -> None:
    store = make_store(url, limits=Limits(per_sender_hour=1))
    put(store, notice("n1"))
    item = claimed(store, "asks")
    asked = link(item)

    def compose(_ticket: Ticket | None) -> Composed:
        return Composed((notice("n2", link_nonce=asked.nonce),), asked)

    store.queue.apply(outcome(item, "pending"), compose, NOW)
    assert store.links.find(asked.token_sha256) is None
    store.close()
