"""Confirmation links: one answer each, in time, and every answer leads back to the rules."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from mailgate.model.ticket import LinkState
from mailgate.settings import Limits
from mailgate.store import Store
from tests.store.builders import (
    DAY,
    HOUR,
    NOW,
    admitted,
    asked,
    claimed,
    decide,
    entry,
    link,
    make_store,
    outcome,
    take,
    with_link,
)


def state(store: Store, sha: str) -> LinkState:
    found = store.links.find(sha)
    assert found is not None
    return found.state


def test_a_link_is_found_by_the_hash_of_its_token_alone(store: Store) -> None:
    item, sha = asked(store)
    assert store.links.find(sha) == link(item)
    assert store.links.find("0" * 64) is None


@pytest.mark.parametrize("answer", ["confirmed", "denied"])
def test_an_answer_is_a_fact_and_sends_the_message_to_the_rules_again(
    store: Store, answer: LinkState
) -> None:
    item, sha = asked(store)
    assert store.links.decide(sha, answer, NOW + HOUR)
    assert store.lookup.confirmation(item.queue_id, item.sha256) == (answer, 1)
    again = take(store, item.queue_id, NOW + HOUR)
    assert (again.revision, again.attempts) == (1, 1)
    assert store.views.events(queue_id=item.queue_id)[0].what == f"link-{answer}"


def test_a_hundred_answers_at_once_are_one(url: str) -> None:
    store = make_store(url, pool_size=25)
    item, sha = asked(store)
    answers: list[LinkState] = ["confirmed", "denied"]
    with ThreadPoolExecutor(50) as pool:
        won = list(pool.map(lambda i: store.links.decide(sha, answers[i % 2], NOW), range(100)))
    assert sum(won) == 1
    assert state(store, sha) == answers[won.index(True) % 2]
    assert take(store, item.queue_id).revision == 1
    store.close()


def test_an_expired_link_decides_nothing(store: Store) -> None:
    item, sha = asked(store)
    assert not store.links.decide(sha, "confirmed", NOW + DAY)
    assert state(store, sha) == "open"
    assert store.lookup.confirmation(item.queue_id, item.sha256) is None
    assert store.links.decide(sha, "confirmed", NOW + DAY - timedelta(seconds=1))


def test_an_answer_counts_for_the_very_content_it_was_given_for(store: Store) -> None:
    item, sha = asked(store)
    store.links.decide(sha, "confirmed", NOW)
    assert store.lookup.confirmation(item.queue_id, "0" * 64) is None
    assert store.lookup.confirmation("another", item.sha256) is None


def test_an_answer_brings_a_held_item_back(store: Store) -> None:
    item, sha = asked(store)
    store.links.request_new(sha, NOW)
    again = take(store, item.queue_id)
    newer = link(item, "newer")
    store.queue.apply(outcome(again, "held"), with_link(newer), NOW)
    assert store.links.decide(newer.token_sha256, "confirmed", NOW) is True
    take(store, item.queue_id)


def test_codes_that_were_typed_are_counted_one_by_one(url: str) -> None:
    store = make_store(url, pool_size=10)
    _, sha = asked(store)
    with ThreadPoolExecutor(10) as pool:
        counts = list(pool.map(lambda _: store.links.count_try(sha), range(10)))
    assert sorted(counts) == list(range(1, 11))
    assert store.links.count_try("0" * 64) == 0
    store.close()


def test_a_new_link_may_be_asked_for_once(store: Store) -> None:
    item, sha = asked(store)
    assert store.links.request_new(sha, NOW + DAY)
    assert not store.links.request_new(sha, NOW + DAY)
    assert state(store, sha) == "superseded"
    assert take(store, item.queue_id, NOW + DAY).revision == 1
    assert store.views.events(queue_id=item.queue_id)[0].what == "link-requested"


def test_no_new_link_in_place_of_an_answer(store: Store) -> None:
    _, sha = asked(store)
    store.links.decide(sha, "denied", NOW)
    assert not store.links.request_new(sha, NOW + DAY)
    assert not store.links.request_new("0" * 64, NOW)
    assert state(store, sha) == "denied"


def test_no_new_link_beyond_the_limits_and_the_old_one_stays(url: str) -> None:
    store = make_store(url, limits=Limits(links_per_contact_day=1))
    item, sha = asked(store)
    assert not store.links.request_new(sha, NOW + HOUR)
    assert state(store, sha) == "open"
    assert store.queue.claim("w/1", NOW + HOUR) is None
    assert store.links.request_new(sha, NOW + 2 * DAY)
    assert take(store, item.queue_id, NOW + 2 * DAY).queue_id == item.queue_id
    store.close()


def test_the_page_shows_names_from_the_directory_and_no_verdict_of_yesterday(
    store: Store,
) -> None:
    store.directory.import_entries([entry()], NOW)
    anna = store.lookup.contacts("anna@piekarnia.example")[0]
    item = claimed(store, channel="console")
    made = link(item, contact_id=anna.id)
    store.queue.apply(outcome(item, "pending", contact=anna), with_link(made), NOW)
    sha = made.token_sha256

    shown = store.confirm_view.confirmation(sha)
    assert shown is not None
    assert (shown.company, shown.subject, shown.by_staff, shown.language) == (
        "Piekarnia Anna Nowak",
        "Zmiana hasła",
        True,
        "pl",
    )
    assert (shown.verdict, shown.ticket) == ("pending", store.lookup.ticket_of(item.queue_id))

    store.links.decide(sha, "confirmed", NOW)
    waiting = store.confirm_view.confirmation(sha)
    assert waiting is not None
    assert (waiting.link.state, waiting.verdict, waiting.reasons) == ("confirmed", None, ())

    decide(store, take(store, item.queue_id), contact=anna)
    judged = store.confirm_view.confirmation(sha)
    assert judged is not None
    assert (judged.verdict, judged.reasons) == ("authorized", ("some-reason",))


def test_the_page_of_a_contact_who_is_gone_still_shows_the_message(store: Store) -> None:
    _, sha = asked(store)
    shown = store.confirm_view.confirmation(sha)
    assert shown is not None
    assert (shown.name, shown.company, shown.subject) == ("", "", "Zmiana hasła")
    assert store.confirm_view.confirmation("0" * 64) is None


def test_no_token_and_no_code_lies_in_the_database(sqlite_store: Store) -> None:
    """What is kept of a link is a nonce, worthless without the key, and a hash (promise L4)."""
    asked(sqlite_store, "the-secret-part")
    admitted(sqlite_store, "unrelated")
    with sqlite_store.database.reading() as connection:
        row = connection.exec_driver_sql("SELECT * FROM link").mappings().one()
    assert {name for name, value in row.items() if "the-secret-part" in str(value)} == {"nonce"}
