"""Mail that comes in after its ticket was forgotten: nothing breaks, nothing revives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailgate.model.privacy import Removal
from mailgate.model.ticket import Ticket
from mailgate.model.views import MessageView
from mailgate.tokens import ticket as token
from mailgate.tokens import verp
from mailgate.worker import Worker
from tests.world import KEYS, ROOT, World, make_world, running

ANNA = "anna@piekarnia.example"
MAIL = (
    b"Authentication-Results: mx.desk.example; dmarc=pass header.from=piekarnia.example\r\n"
    b"From: Anna <anna@piekarnia.example>\r\nTo: pomoc@desk.example\r\nSubject: %s\r\n"
    b"Date: Mon, 16 Nov 2026 10:21:05 +0000\r\nMessage-ID: <%s@piekarnia.example>\r\n%s\r\n"
    b"Prosz\xc4\x99.\r\n"
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path)
    made.directory(ROOT / "tests" / "cases" / "world.yaml")
    with running(made):
        yield made
    made.store.close()


def received(world: World, content: bytes, **how: Any) -> MessageView:
    queue_id = world.send(content, ANNA, **how)
    world.work()
    found = world.store.views.message(queue_id)
    assert found is not None
    return found


def closed(world: World) -> tuple[Ticket, bytes]:
    """A ticket that is over, and a reply to it that carries its code and our Message-ID."""
    number = received(world, MAIL % (b"Zmiana", b"one", b"")).ticket
    assert number is not None
    ticket = world.store.tickets.close(number, "kasia", "done", world.now())
    assert ticket is not None
    for row in world.store.outbox.claim_due(world.now(), 10):
        world.store.outbox.sent(row.notice.id, "250 OK", world.now())
    code = token.code(KEYS, ticket.desk, ticket.number, ticket.epoch)
    subject = f"Re: {token.render('Desk', ticket.number, code)} Zmiana".encode()
    ours = world.outbox()[0].notice.message_id.encode()
    return ticket, MAIL % (subject, b"two", b"In-Reply-To: <" + ours + b">\r\n")


def forgotten(world: World) -> Removal:
    world.later(days=100)
    done = world.store.retention.purge(world.now())
    assert done.removed["ticket"] == 1
    return done


def test_a_reply_to_a_forgotten_ticket_has_a_code_that_nobody_knows(world: World) -> None:
    _, reply = closed(world)
    forgotten(world)
    found = received(world, reply)
    assert found.facts["code"] == "unknown"
    assert found.verdict != "authorized"


def test_a_reply_that_comes_in_time_is_known_by_the_same_code(world: World) -> None:
    ticket, reply = closed(world)
    found = received(world, reply)
    assert (found.facts["code"], found.ticket) == ("valid", ticket.number)


def test_a_mail_that_is_sent_again_after_it_was_forgotten_is_a_new_one(world: World) -> None:
    closed(world)
    again = MAIL % (b"Zmiana", b"one", b"")
    first = received(world, again).queue_id
    assert world.send(again, ANNA) == first, "it is known while it is there"
    forgotten(world)
    found = received(world, again)
    assert found.queue_id != first
    assert found.verdict != "authorized"
    assert found.facts["freshness"] == "stale"


def test_a_delivery_report_about_a_forgotten_mail_of_ours_is_filed(world: World) -> None:
    closed(world)
    back = verp.make(KEYS, "bounce@desk.example", world.outbox()[0].notice.id)
    forgotten(world)
    report = b"From: MAILER-DAEMON@mx.example\r\nTo: " + back.encode() + b"\r\n"
    content = report + b"Subject: Undelivered\r\nAuto-Submitted: auto-replied\r\n\r\nNo.\r\n"
    found = received(world, content, recipients=[back])
    assert (found.verdict, found.ticket) == ("filed", None)


def test_a_ticket_that_is_forgotten_while_a_reply_to_it_is_judged_costs_no_reply(
    world: World,
) -> None:
    _, reply = closed(world)
    queue_id = world.send(reply, ANNA)
    pauses: list[float] = []

    class Meanwhile:
        """After the ticket was looked up, and before the decision is written, it is purged."""

        def __getattr__(self, name: str) -> Any:
            return getattr(world.store.queue, name)

        def apply(self, *arguments: Any) -> Any:
            if not pauses:
                forgotten(world)
            return world.store.queue.apply(*arguments)

    worker = Worker(
        "test/0", Meanwhile(), world.store.lookup, lambda: world.bench, world.now,
        sleep=pauses.append,
    )  # fmt: skip
    assert worker.one()
    assert pauses, "it was judged again"
    found = world.store.views.message(queue_id)
    assert found is not None
    assert found.facts["code"] == "unknown"
