"""What goes out with a decision of the token desk: token, link, limits, the end of the ticket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailgate.model.notice import OutboxRow
from mailgate.process import judge, settle
from mailgate.store.saying import AFTER
from mailgate.tokens import link
from tests.token_mail import about, send
from tests.world import KEYS, ROOT, World, make_world

ANNA, OLA, STRANGER = "anna@piekarnia.example", "ola@piekarnia.example", "ktos@obcy.example"


@pytest.fixture
def world(empty_url: str, tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path, empty_url)
    made.directory(ROOT / "tests" / "cases" / "world.yaml")
    yield made
    made.store.close()


def newest(world: World, template: str) -> OutboxRow:
    return max(
        (row for row in world.outbox() if row.notice.template == template),
        key=lambda row: row.notice.id,
    )


def answer(world: World, template: str, state: str) -> None:
    nonce = newest(world, template).notice.link_nonce or ""
    digest = link.sha256(link.token(KEYS, nonce))
    assert world.store.links.decide(digest, state, world.now())  # type: ignore[arg-type]  # a state
    world.work()


def events(world: World, number: int) -> list[str]:
    view = world.store.views.ticket(number)
    assert view
    return [event.what for event in view.events]


def test_a_token_is_issued_with_its_decision_and_the_ticket_is_closed(world: World) -> None:
    queue_id = send(world, STRANGER, about(OLA))
    (token,) = world.store.access_tokens.of_account("1001")
    assert (token.queue_id, token.issued_by, token.address) == (queue_id, "desk:tokens", OLA)
    assert token.scopes == tuple(world.settings.access_tokens.scopes)
    assert token.expires_at == world.now() + world.settings.access_tokens.life
    view = world.store.views.message(queue_id)
    assert view
    assert view.ticket
    found = world.store.lookup.ticket(view.ticket)
    assert found
    assert found.state == "closed"
    assert events(world, view.ticket).count("ticket-closed") == 1
    assert newest(world, "access-token").next_at == world.now() + AFTER


def test_a_yes_issues_once_and_what_comes_later_is_answered_already(world: World) -> None:
    send(world, OLA, about(OLA))
    world.later(minutes=1)
    queue_id = send(world, OLA, about(OLA))
    assert [row.queue_id for row in world.store.panel.waiting(_id(world, OLA))] == [queue_id]
    answer(world, "token-verify", "confirmed")
    assert world.store.acts.decide_again(queue_id, "kasia", "to be sure", world.now())
    world.work()
    states = [token.revoked_why for token in world.store.access_tokens.of_account("1001")]
    assert states == ["", "replaced"]
    view = world.store.views.message(queue_id)
    assert view
    assert view.reasons == ("token-answered",)
    assert world.store.panel.waiting(_id(world, OLA)) == []


def test_the_page_of_a_link_says_what_its_mail_said_and_whether_a_token_went_out(
    world: World,
) -> None:
    send(world, OLA, about(OLA))
    world.later(minutes=1)
    send(world, STRANGER, about(OLA))
    nonce = newest(world, "token-verify").notice.link_nonce or ""
    digest = link.sha256(link.token(KEYS, nonce))
    shown = world.store.confirm_view.confirmation(digest)
    assert shown
    assert (shown.link.about, shown.said["sender"], shown.issued) == ("token", STRANGER, False)
    answer(world, "token-verify", "confirmed")
    shown = world.store.confirm_view.confirmation(digest)
    assert shown
    assert (shown.verdict, shown.issued) == ("unauthorized", True)


def test_a_letter_beyond_the_limits_is_on_record_and_leaves_the_older_link_good(
    world: World,
) -> None:
    send(world, OLA, about(OLA))
    limits = world.settings.outbound.limits
    queue_ids = []
    for number in range(limits.links_per_contact_hour + 1):
        world.later(minutes=1)
        queue_ids.append(send(world, f"ktos{number}@obcy.example", about(OLA)))
    last = world.store.views.message(queue_ids[-1])
    assert last
    assert last.ticket
    assert "notice-suppressed" in events(world, last.ticket)
    assert last.links == ()
    answer(world, "token-verify", "confirmed")
    assert len(world.store.access_tokens.of_account("1001")) == 2


def test_the_limits_of_letters_hold_for_a_new_link_in_place_of_an_old_one(world: World) -> None:
    send(world, OLA, about(OLA))
    world.later(minutes=1)
    send(world, STRANGER, about(OLA))
    for _ in range(world.settings.outbound.limits.links_per_contact_hour - 1):
        world.later(seconds=5)
        send(world, STRANGER, about(OLA))
    nonce = newest(world, "token-verify").notice.link_nonce or ""
    digest = link.sha256(link.token(KEYS, nonce))
    assert not world.store.links.request_new(digest, world.now())
    world.later(hours=2)
    assert world.store.links.request_new(digest, world.now())


def test_a_decision_that_a_change_of_the_contact_overtook_is_made_anew(world: World) -> None:
    send(world, STRANGER, about(OLA), worked=False)
    item = world.store.queue.claim("slow/0", world.now())
    assert item
    outcome = judge(item, world.store.lookup, world.bench)
    assert world.store.edits.set_contact(
        "1001",
        _id(world, OLA),
        name="Ola",
        role="additional",
        language=None,
        signs_in=False,
        who="kasia",
        now=world.now(),
    )
    settle(outcome, world.store.queue, world.bench, world.now())
    assert world.store.access_tokens.of_account("1001") == []
    world.work()
    assert {row.notice.to for row in world.outbox()} == {STRANGER}


def _id(world: World, address: str) -> int:
    (contact,) = world.store.lookup.contacts(address)
    return contact.id
