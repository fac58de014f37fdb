"""Guessing codes: after too many wrong ones the right one says nothing any more (promise L10)."""

from __future__ import annotations

from pathlib import Path

from mailgate.gather.ticket import GUESSES_PER_TICKET
from mailgate.tokens import ticket
from tests.world import KEYS, ROOT, World, make_world, running

REQUEST = ROOT / "tests" / "cases" / "A4-the-main-address-gets-a-link" / "request.eml"
MAIL = """\
Authentication-Results: mx.desk.example; dmarc=pass header.from={domain}\r
From: <{sender}>\r
To: pomoc@desk.example\r
Subject: Re: {token} {number}\r
Date: Mon, 16 Nov 2026 11:20:58 +0100\r
Message-ID: <{number}@{domain}>\r
\r
Text.\r
"""


def code_of(world: World, sender: str, code: str, number: int) -> str:
    """What is made of the code in one mail."""
    token = ticket.render("Desk", 1, code)
    domain = sender.partition("@")[2]
    mail = MAIL.format(sender=sender, domain=domain, token=token, number=number)
    queue_id = world.send(mail.encode(), sender)
    world.work()
    view = world.store.views.message(queue_id)
    assert view is not None
    return view.facts["code"]


def test_the_right_code_counts_until_a_ticket_was_guessed_at_too_often(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    world.directory(ROOT / "tests" / "cases" / "world.yaml")
    right = ticket.code(KEYS, "support", 1, 0)
    with running(world):
        world.send(REQUEST.read_bytes().replace(b"\n", b"\r\n"), "anna@piekarnia.example")
        world.work()
        assert code_of(world, "anna@piekarnia.example", right, 0) == "valid"
        for number in range(1, GUESSES_PER_TICKET + 1):
            guess = f"{number:020x}"
            assert code_of(world, f"guesser{number}@elsewhere.example", guess, number) == "wrong"
        assert code_of(world, "anna@piekarnia.example", right, 100) == "wrong"
        world.later(hours=25)
        assert code_of(world, "anna@piekarnia.example", right, 101) == "valid"
    world.store.close()
