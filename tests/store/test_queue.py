"""The queue of work: one claim at a time, three strikes, and nothing forgotten."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from mailgate.model.item import Item
from mailgate.model.ports import StaleClaim
from mailgate.store import Store
from tests.store.builders import (
    HOUR,
    NOW,
    admission,
    admitted,
    asked,
    claimed,
    decide,
    make_store,
    outcome,
    silent,
    take,
)

LATER = NOW + HOUR


def state(store: Store, queue_id: str) -> str:
    row = store.views.queue_row(queue_id)
    assert row is not None
    return row.state


def test_the_oldest_due_item_is_claimed_first(store: Store) -> None:
    admitted(store, "younger", at=NOW + timedelta(minutes=5))
    older = admitted(store, "older", at=NOW)
    take(store, older, LATER)


def test_an_item_of_the_future_waits(store: Store) -> None:
    queue_id = admitted(store, at=LATER)
    assert store.queue.claim("w/1", NOW) is None
    take(store, queue_id, LATER)


def test_nobody_else_gets_a_claimed_item(store: Store) -> None:
    claimed(store)
    assert store.queue.claim("w/2", LATER) is None


def test_many_workers_never_claim_the_same_item(url: str) -> None:
    store = make_store(url, pool_size=10)
    store.intake.admit([admission(f"mail {i}") for i in range(60)])

    def drain(worker: int) -> list[str]:
        mine = []
        while item := store.queue.claim(f"w/{worker}", NOW):
            mine.append(item.queue_id)
        return mine

    with ThreadPoolExecutor(6) as pool:
        taken = [queue_id for mine in pool.map(drain, range(6)) for queue_id in mine]
    assert len(taken) == len(set(taken)) == 60
    store.close()


def test_an_attempt_counts_although_the_worker_dies_with_it(store: Store) -> None:
    queue_id = claimed(store).queue_id
    assert store.queue.release("test/") == 1
    assert take(store, queue_id).attempts == 2


def test_a_message_that_kills_its_worker_three_times_is_parked_with_its_octets(
    store: Store,
) -> None:
    queue_id = admitted(store)
    for _ in range(3):
        take(store, queue_id)
        store.queue.release("test/")
    assert store.queue.claim("test/0", NOW) is None
    assert state(store, queue_id) == "hold"
    message = store.views.message(queue_id)
    assert message is not None
    assert (message.verdict, message.reasons) == ("held", ("processing-failed",))
    assert store.views.octets(queue_id) is not None


def test_a_poisonous_message_does_not_stop_those_behind_it(store: Store) -> None:
    poison = admitted(store, "poison")
    for _ in range(3):
        take(store, poison)
        store.queue.release("test/")
    good = admitted(store, "good", at=NOW + timedelta(seconds=1))
    take(store, good, LATER)


def test_only_the_dead_workers_items_are_given_back(store: Store) -> None:
    one, other = admitted(store, "one"), admitted(store, "other", at=NOW + timedelta(seconds=1))
    store.queue.claim("node_1/0", LATER)
    store.queue.claim("nodeX1/0", LATER)
    assert store.queue.release("node_1/") == 1
    assert (state(store, one), state(store, other)) == ("incoming", "active")


def test_a_claim_longer_than_its_lease_is_given_back(store: Store) -> None:
    queue_id = claimed(store).queue_id
    assert store.queue.reclaim(HOUR, NOW + timedelta(minutes=59)) == 0
    assert store.queue.reclaim(HOUR, NOW + timedelta(minutes=61)) == 1
    take(store, queue_id)


def test_a_deferred_item_comes_back_when_it_is_time(store: Store) -> None:
    item = claimed(store)
    store.queue.defer(item, "the disk was full", LATER)
    assert store.queue.claim("w/1", LATER - timedelta(seconds=1)) is None
    row = store.views.queue_row(item.queue_id)
    assert row is not None
    assert (row.state, row.available_at, row.last_error) == ("deferred", LATER, "the disk was full")
    assert take(store, item.queue_id, LATER).attempts == 2


ACTS: dict[str, Callable[[Store, Item], object]] = {
    "apply": decide,
    "defer": lambda store, item: store.queue.defer(item, "too late", LATER),
    "hold": lambda store, item: store.queue.hold(item, "too late"),
}


@pytest.mark.parametrize("act", list(ACTS))
def test_who_lost_the_claim_changes_nothing(store: Store, act: str) -> None:
    stale = claimed(store)
    store.queue.release("test/")
    mine = take(store, stale.queue_id)
    with pytest.raises(StaleClaim):
        ACTS[act](store, stale)
    assert store.views.message(stale.queue_id) is None
    assert decide(store, mine) is not None


def test_a_claim_is_not_mistaken_for_one_after_a_release(store: Store) -> None:
    """Attempts start again at 0 after a release; the number of the claim does not."""
    stale = claimed(store)
    store.queue.release("test/")
    store.queue.hold(take(store, stale.queue_id), "broken")
    store.queue.release_held(stale.queue_id, "kasia", "mended", NOW)
    again = take(store, stale.queue_id)
    assert again.attempts == stale.attempts
    with pytest.raises(StaleClaim):
        decide(store, stale)


def test_an_item_is_decided_once(store: Store) -> None:
    item = claimed(store)
    decide(store, item)
    with pytest.raises(StaleClaim):
        decide(store, item)


def test_holding_takes_an_earlier_authorization_away(store: Store) -> None:
    """Deciding again failed: what it was good for is not known any more."""
    item, sha = asked(store)
    store.links.decide(sha, "confirmed", NOW)
    ticket = decide(store, take(store, item.queue_id))
    assert ticket is not None
    assert ticket.standing == "authorized"
    with store.database.writing() as connection:
        connection.execute(text("UPDATE item SET state = 'hold'"))
    store.queue.release_held(item.queue_id, "kasia", "look again", NOW)
    store.queue.hold(take(store, item.queue_id), "the parser fell over")
    view = store.views.ticket(ticket.number)
    assert view is not None
    assert (view.ticket.standing, view.messages[0].verdict) == ("none", "held")
    assert [d.verdict for d in view.messages[0].history] == ["pending", "authorized", "held"]


def test_an_operator_releases_a_held_item_with_all_its_attempts(store: Store) -> None:
    item = claimed(store)
    store.queue.hold(item, "no memory")
    assert store.queue.release_held(item.queue_id, "kasia", "more memory now", NOW)
    again = take(store, item.queue_id)
    assert (again.attempts, again.revision) == (1, 1)
    event = store.views.events(queue_id=item.queue_id)[0]
    assert (event.what, event.who, event.why) == (
        "item-released",
        "kasia",
        {"reason": "more memory now"},
    )


def test_only_what_is_held_or_deferred_can_be_released(store: Store) -> None:
    item = claimed(store)
    assert not store.queue.release_held(item.queue_id, "kasia", "impatient", NOW)
    decide(store, item)
    assert not store.queue.release_held(item.queue_id, "kasia", "impatient", NOW)
    assert not store.queue.release_held("nothing", "kasia", "typo", NOW)


def test_an_operator_drops_a_held_item_and_its_octets_stay(store: Store) -> None:
    item = claimed(store)
    assert not store.queue.drop(item.queue_id, "kasia", "too soon", NOW)
    store.queue.hold(item, "broken")
    assert store.queue.drop(item.queue_id, "kasia", "spam", NOW)
    message = store.views.message(item.queue_id)
    assert message is not None
    assert (message.verdict, message.rule) == ("filed", "operator")
    assert state(store, item.queue_id) == "done"
    assert store.views.octets(item.queue_id) == item.content


def test_what_a_rule_holds_waits_for_a_person(store: Store) -> None:
    item = claimed(store)
    store.queue.apply(outcome(item, "held", opens=False), silent, NOW)
    row = store.views.queue_row(item.queue_id)
    assert row is not None
    assert (row.state, row.last_error) == ("hold", "held by the rule some-rule")


def test_the_waiting_are_counted_by_state_with_the_oldest(store: Store) -> None:
    decide(store, claimed(store, "done"))
    store.queue.hold(claimed(store, "held"), "broken")
    admitted(store, "second", at=LATER)
    admitted(store, "first", at=NOW)
    assert store.views.waiting() == {"hold": (1, NOW), "incoming": (2, NOW)}


def test_claiming_reads_no_more_with_a_long_queue(sqlite_store: Store) -> None:
    """The plan names the index of what is due, and sorts nothing."""
    with sqlite_store.database.reading() as connection:
        query = str(sqlite_store.queue._due.compile(connection))
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", (NOW.isoformat(), 1, 0))
        steps = [row[3] for row in plan]
    assert steps == ["SEARCH item USING INDEX ix_item_due_at (due_at<?)"]
