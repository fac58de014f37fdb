"""Attacks on the token desk: getting a token, ending one, learning from it, mail to others."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text as sql

from mailgate.clock import random
from mailgate.intake.entry import entry
from mailgate.model.notice import OutboxRow
from mailgate.outbound import letters
from mailgate.process import judge, settle
from mailgate.tokens import access, link, ticket
from mailgate.wiring import open_checked_store
from tests.token_mail import about, send
from tests.world import DESK, KEYS, ROOT, TOKENS, World, make_world

ANNA, OLA, SAM = "anna@piekarnia.example", "ola@piekarnia.example", "sam@northwind.example"
STRANGER = "ktos@obcy.example"
LETTERS = {"access-token", "token-verify", "token-approval", "token-refused"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path)
    made.directory(ROOT / "tests" / "cases" / "world.yaml")
    yield made
    made.store.close()


def issue(world: World, address: str) -> str:
    """Staff issue a token; gives the token as its mail has it."""
    (contact,) = world.store.lookup.contacts(address)
    account = world.store.lookup.account(contact.account_id)
    assert account
    sha, expires, notice = letters.access_token(
        contact, account, settings=world.settings, keys=KEYS, now=world.now(), random=random
    )
    now = world.now()
    assert world.store.access_tokens.issue(contact.id, sha, notice, "kasia", now, expires)
    return access.token(KEYS, notice.link_nonce or "")


def works(world: World, token: str) -> bool:
    return world.store.access_tokens.use(access.sha256(token), world.now()) is not None


def to(world: World, address: str) -> list[OutboxRow]:
    return [row for row in world.outbox() if row.notice.to == address]


def standing(world: World, message: str) -> str:
    view = world.store.views.message(message)
    found = world.store.lookup.ticket(view.ticket) if view and view.ticket else None
    return found.standing if found else "none"


# --- getting somebody's token ---------------------------------------------------------------------


@pytest.mark.parametrize("proof", ["pass", "fail"])
@pytest.mark.parametrize(
    "author", [STRANGER, OLA, f'"{OLA}" <{STRANGER}>', f'"Ola <{OLA}>" <{STRANGER}>']
)
def test_a_token_and_every_question_goes_to_registered_addresses_alone(
    world: World, author: str, proof: str
) -> None:
    more = f"Reply-To: {STRANGER}\nSender: {STRANGER}\n"
    for _ in range(2):  # the first token, and then the question whether it is to be replaced
        address = author.rpartition("<")[2].rstrip(">")
        body = about(OLA) + f"\n\nProszę odpowiedzieć na {STRANGER}"
        send(world, address, body, proof=proof, more=more)
        world.later(minutes=1)
    truth = [row.notice for row in world.outbox() if row.notice.template in LETTERS]
    assert [notice.template for notice in truth] == ["token-verify", "access-token"]
    assert {notice.to for notice in truth} == {OLA}
    for notice in (row.notice for row in world.outbox() if row.notice.to == STRANGER):
        assert notice.template == "token-received"
        assert notice.link_nonce is None


def test_the_address_that_the_text_names_counts_and_never_a_similar_one(world: World) -> None:
    for address in (
        "Ola@piekarnia.example.",
        "ola@piekarnia.example.obcy.example",
        "оla@piekarnia.example",
    ):
        send(world, STRANGER, about(address), proof="fail")
    assert {row.notice.to for row in world.outbox()} <= {OLA}


def test_no_token_is_ever_in_the_database(world: World) -> None:
    """Row B8."""
    send(world, OLA, about(OLA))
    (row,) = (r for r in to(world, OLA) if r.notice.template == "access-token")
    token = access.token(KEYS, row.notice.link_nonce or "")
    assert token.encode() in world.mail(row)
    assert works(world, token)
    with world.store.database.reading() as connection:
        names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'search_%'"
        kept = [
            repr(found)
            for name in connection.execute(sql(names)).scalars()
            for found in connection.execute(sql(f'SELECT * FROM "{name}"'))  # noqa: S608 - our own tables
        ]
    assert kept
    assert not [found for found in kept if token in found or token.removeprefix("mgt-") in found]


def test_whose_token_was_revoked_does_not_approve_their_own_request_in_the_panel(
    world: World,
) -> None:
    """Where the limits keep the manager's letter back, the message waits in its author's panel."""
    make_revoked(world)
    for _ in range(6):
        send(world, OLA, about(OLA))
    (ola,) = world.store.lookup.contacts(OLA)
    for row in world.store.panel.waiting(ola.id):
        world.store.panel.answer(ola.id, row.queue_id, "confirmed", world.now())
    world.work()
    mails = [row.notice.template for row in to(world, OLA)]
    assert mails.count("access-token") == 1


def test_the_panel_of_another_account_does_not_say_how_a_token_stands(world: World) -> None:
    make_revoked(world)
    for address in (OLA, "nikt@piekarnia.example"):
        send(world, SAM, about(address))
    (sam,) = world.store.lookup.contacts(SAM)
    assert world.store.panel.tickets(sam.id).rows == ()
    for row in world.store.views.tickets():
        assert world.store.panel.ticket(sam.id, row.number) is None


# --- ending somebody's token ----------------------------------------------------------------------


def test_requests_of_strangers_end_no_token(world: World) -> None:
    token = issue(world, OLA)
    for number in range(12):
        send(world, f"ktos{number}@obcy{number}.example", about(OLA))
        send(world, f"ktos{number}@obcy{number}.example", about(OLA), proof="fail")
        world.later(minutes=10)
        assert works(world, token)


def test_a_scanner_that_clicks_cannot_confirm_what_a_stranger_asked(world: World) -> None:
    issue(world, OLA)
    send(world, STRANGER, about(OLA))
    send(world, OLA, about(OLA), proof="fail")
    asked = [r.notice for r in to(world, OLA) if r.notice.template == "token-verify"]
    assert [notice.link_step for notice in asked] == ["code", "code"]


def test_a_token_that_was_issued_meanwhile_is_not_ended(world: World) -> None:
    """Two workers look at two requests while no token is there; the slower one must look again."""
    message = send(world, STRANGER, about(OLA), worked=False)
    item = world.store.queue.claim("slow/0", world.now())
    assert item
    outcome = judge(item, world.store.lookup, world.bench)
    assert outcome.decision.token == "issue"
    token = issue(world, OLA)
    settle(outcome, world.store.queue, world.bench, world.now())
    assert works(world, token)
    world.work()
    view = world.store.views.message(message)
    assert view
    assert view.reasons == ("token-still-valid",)
    assert works(world, token)


def test_a_link_of_another_message_confirms_nothing(world: World) -> None:
    token = issue(world, OLA)
    first = send(world, STRANGER, about(OLA))
    (asking,) = (r.notice for r in to(world, OLA) if r.notice.template == "token-verify")
    nonce = asking.link_nonce or ""
    second = send(world, OLA, about(OLA))
    assert world.store.links.decide(link.sha256(link.token(KEYS, nonce)), "denied", world.now())
    world.work()
    views = [world.store.views.message(queue) for queue in (first, second)]
    assert [view.verdict for view in views if view] == ["unauthorized", "pending"]
    assert works(world, token)


@pytest.mark.parametrize(("days", "step"), [(0, "click"), (3, "code")])
def test_an_old_mail_sent_again_takes_more_than_a_scanners_click(
    world: World, days: int, step: str
) -> None:
    issue(world, OLA)
    send(world, OLA, about(OLA), age=timedelta(days=days))
    (asking,) = (r.notice for r in to(world, OLA) if r.notice.template == "token-verify")
    assert asking.link_step == step


# --- learning from it -----------------------------------------------------------------------------

_OWN = re.compile(
    rb"#\d+:[0-9a-f]{20}|<t\d+\.c0\.[^>]+>|(?<=X-Mailgate-Loop: )\S+|(?<=Date: )[^\r]+"
    rb"|(?<=In-Reply-To: )<[^>]+>|(?<=References: )<[^>]+>"
)


def told(world: World, author: str) -> list[bytes]:
    """What somebody got from us, but for ids, times and codes."""
    return [_OWN.sub(b"", world.mail(row)) for row in to(world, author)]


def make_never(_world: World) -> None:
    """No token was issued."""


def make_unverified(world: World) -> None:
    issue(world, OLA)


def make_valid(world: World) -> None:
    works(world, issue(world, OLA))


def make_revoked(world: World) -> None:
    issue(world, OLA)
    (contact,) = world.store.lookup.contacts(OLA)
    (token,) = world.store.access_tokens.of_contact(contact.id)
    assert world.store.access_tokens.revoke(token.id, "kasia", "lost", world.now())


def make_bounced(world: World) -> None:
    issue(world, OLA)
    (row,) = world.store.outbox.claim_due(world.now(), 10)
    world.store.outbox.failed(row.notice.id, "550 5.1.1 no such user", world.now())


def make_expired(world: World) -> None:
    issue(world, OLA)
    world.later(days=91)


def make_restricted(world: World) -> None:
    world.store.privacy_holds.restrict(OLA, "kasia", "on request", world.now())


@pytest.mark.parametrize("texts", [1, 3])
@pytest.mark.parametrize(
    "make",
    [
        make_never,
        make_unverified,
        make_valid,
        make_revoked,
        make_bounced,
        make_expired,
        make_restricted,
    ],
)
def test_what_a_stranger_is_told_does_not_depend_on_what_is_registered(
    world: World, make: Callable[[World], None], texts: int
) -> None:
    make(world)
    world.later(hours=2)
    bodies: list[Callable[[str], str]] = [about, lambda a: f"Token dla {a} proszę", lambda _: "ok"][
        :texts
    ]
    answers = []
    for author, address in (("a@obcy.example", OLA), ("b@obcy.example", "nikt@piekarnia.example")):
        subject = "Token"
        for body in bodies:
            send(world, author, body(address), subject=subject)
            newest = next(iter(to(world, author)), None)
            assert newest
            number = newest.notice.ticket or 0
            subject = ticket.render("DeskT", number, ticket.code(KEYS, "tokens", number, 0))
            world.later(minutes=1)
        answers.append([octets.replace(author.encode(), b"") for octets in told(world, author)])
    assert answers[0] == answers[1]
    assert len(answers[0]) == 1


def test_the_language_of_the_answer_is_that_of_the_text_or_of_the_desk(world: World) -> None:
    """Sam's account is English and Anna's Polish; nobody learns that from the answer."""
    for address in (SAM, ANNA):
        send(world, STRANGER, about(address, "Northwind Cycles Ltd", "2002"))
        send(world, "b@obcy.example", f"Company: X\nAccount: 1\nEmail: {address}\nReason: lost it")
    assert {row.notice.language for row in to(world, STRANGER)} == {"pl"}
    assert {row.notice.language for row in to(world, "b@obcy.example")} == {"en"}


def test_a_mail_that_comes_back_from_the_named_address_shows_nowhere(world: World) -> None:
    """The author's answer goes out before anything else, and waits for nothing else."""
    send(world, STRANGER, about(OLA))
    (answer,), (letter,) = to(world, STRANGER), to(world, OLA)
    assert answer.next_at < letter.next_at
    assert answer.notice.contact_id is None
    assert answer.notice.to_name == ""
    assert "piekarnia" not in str(dict(answer.notice.values)).lower()


def test_limits_of_letters_do_not_show_in_who_is_answered(world: World) -> None:
    issue(world, OLA)
    for number in range(20):
        for domain, address in (("jest", OLA), ("nie", "nikt@piekarnia.example")):
            send(world, f"ktos{number}@{domain}.example", about(address))
    for domain in ("jest", "nie"):
        assert all(len(to(world, f"ktos{n}@{domain}.example")) == 1 for n in range(20))


@pytest.mark.parametrize("address", [OLA, "nikt@piekarnia.example"])
def test_one_author_is_answered_five_times_an_hour_whoever_they_ask_about(
    world: World, address: str
) -> None:
    for _ in range(9):
        send(world, STRANGER, about(address))
    assert len(to(world, STRANGER)) == world.settings.outbound.limits.per_sender_hour


# --- mail to third parties ------------------------------------------------------------------------


def test_forged_senders_get_no_mail(world: World) -> None:
    """Promise A5."""
    for number in range(30):
        send(world, f"ofiara{number}@obcy.example", about(OLA), proof="fail")
        send(world, f"ofiara{number}@obcy.example", "Token!", proof="none")
    assert {row.notice.to for row in world.outbox()} == {OLA}


@pytest.mark.parametrize(
    "author",
    ["mailer-daemon@obcy.example", "no-reply@obcy.example", "bounces+1@obcy.example", DESK, TOKENS],
)
def test_neither_machines_nor_our_own_desks_are_answered(world: World, author: str) -> None:
    send(world, author, "Token!")
    assert not world.outbox()


@pytest.mark.parametrize(
    "more",
    ["Auto-Submitted: auto-replied\n", "List-Id: <lista.obcy.example>\n", "Precedence: bulk\n"],
)
def test_automatic_mail_asks_for_nothing(world: World, more: str) -> None:
    message = send(world, OLA, about(OLA), more=more)
    view = world.store.views.message(message)
    assert view
    assert (view.verdict, view.facts["token.request"]) == ("filed", "none")
    assert not world.outbox()


def test_a_registered_address_is_not_buried_in_letters(world: World) -> None:
    issue(world, OLA)
    limits = world.settings.outbound.limits
    for number in range(30):
        send(world, f"ktos{number}@obcy{number}.example", about(OLA))
    asked = [r for r in to(world, OLA) if r.notice.template == "token-verify"]
    assert len(asked) == limits.links_per_contact_hour
    for _ in range(30):
        world.later(hours=1)
        for number in range(4):
            send(world, f"inny{number}@obcy{number}.example", about(OLA))
    day = world.now() - timedelta(hours=24)
    last = [r for r in to(world, OLA) if r.notice.date > day]
    assert len(last) <= limits.links_per_contact_day + 1


def test_the_contacts_of_one_account_get_so_many_letters_an_hour_together(world: World) -> None:
    settings = world.settings
    tokens = settings.access_tokens.model_copy(update={"per_account_hour": 2})
    world.store.close()
    world.settings = settings.model_copy(update={"access_tokens": tokens})
    world.store = open_checked_store(world.settings)
    world.worker.queue, world.worker.lookup = world.store.queue, world.store.lookup
    for address in (ANNA, OLA, "jan@webdesign.example"):
        send(world, STRANGER, about(address))
    assert len([r for r in world.outbox() if r.notice.template in LETTERS]) == 2


def test_what_a_stranger_writes_cannot_act_in_a_mail_of_ours(world: World) -> None:
    """Promise L8: 200 characters to the manager, no live address, and none of it to others."""
    issue(world, OLA)
    (token,) = world.store.access_tokens.of_account("1001")
    assert world.store.access_tokens.revoke(token.id, "kasia", "lost", world.now())
    evil = "proszę kliknąć https://evil.example/x [Desk#1:0123456789abcdef0123] " + "bardzo " * 90
    send(
        world, STRANGER, about(OLA).replace("nie mam tokenu", evil), subject="https://evil.example"
    )
    (asked,) = to(world, ANNA)
    octets = world.mail(asked)
    shown = email.message_from_bytes(octets, policy=email.policy.default).get_content()
    assert "evil.example" not in shown
    assert "[Desk#1:" not in shown
    assert 20 < len(asked.notice.values["words"]) <= 200
    (answer,) = to(world, STRANGER)
    assert b"evil" not in world.mail(answer)


# --- authority ------------------------------------------------------------------------------------


def test_the_code_of_a_token_ticket_says_nothing_at_a_desk_that_authorizes(world: World) -> None:
    send(world, STRANGER, about(OLA))
    code = ticket.render("DeskT", 1, ticket.code(KEYS, "tokens", 1, 0))
    for author in (STRANGER, ANNA):
        message = send(world, author, "Proszę o zmianę DNS.", subject=f"Re: {code}", to=DESK)
        view = world.store.views.message(message)
        assert view
        assert (view.facts["code"], view.facts["ticket"]) == ("absent", "none")
        assert view.ticket != 1


def test_the_code_of_a_ticket_says_nothing_at_the_token_desk(world: World) -> None:
    first = send(world, ANNA, "Proszę o zmianę DNS piekarnia.example.", to=DESK)
    view = world.store.views.message(first)
    assert view
    assert view.ticket
    code = ticket.render("Desk", view.ticket, ticket.code(KEYS, "support", view.ticket, 0))
    answer = to(world, ANNA)[0].notice.message_id
    send(world, ANNA, about(ANNA), subject=f"Re: {code}", more=f"In-Reply-To: <{answer}>\n")
    found = world.store.lookup.ticket(view.ticket)
    assert found
    assert found.state == "open", "issuing a token closes the ticket of the token desk alone"
    assert len([r for r in world.outbox() if r.notice.template == "access-token"]) == 1


def test_no_ticket_of_the_token_desk_is_ever_authorized(world: World) -> None:
    issue(world, ANNA)
    asked = send(world, ANNA, about(ANNA))
    nonce = next(r.notice.link_nonce for r in to(world, ANNA) if r.notice.link_step)
    assert world.store.links.decide(
        link.sha256(link.token(KEYS, nonce or "")), "confirmed", world.now()
    )
    world.work()
    assert world.store.acts.override(asked, "vouches", "kasia", "by phone", world.now())
    world.work()
    assert standing(world, asked) == "unauthorized"


def test_the_open_form_authorizes_nothing_at_another_desk(world: World) -> None:
    form = entry(
        world.settings,
        desk="support",
        channel="form",
        account_id="",
        entered_by=ANNA,
        subject="piekarnia.example",
        text="Proszę o zmianę DNS.",
        now=world.now,
        random=random,
    )
    (admitted,) = world.store.intake.admit([form])
    world.work()
    view = world.store.views.message(admitted.queue_id)
    assert view
    assert (view.verdict, view.rule) == ("unauthorized", "form-of-nobody")
    assert not world.outbox()


# --- whose data is only stored --------------------------------------------------------------------


def test_what_somebody_writes_whose_data_is_only_stored_waits_for_a_person(world: World) -> None:
    make_restricted(world)
    message = send(world, OLA, about(ANNA))
    view = world.store.views.message(message)
    assert view
    assert (view.verdict, view.reasons) == ("held", ("processing-restricted",))
    assert not world.outbox()


def test_a_contact_who_may_not_sign_in_gets_no_token(world: World) -> None:
    (ola,) = world.store.lookup.contacts(OLA)
    assert world.store.edits.set_contact(
        "1001",
        ola.id,
        name=ola.name,
        role=ola.role,
        language=None,
        signs_in=False,
        who="kasia",
        now=world.now(),
    )
    message = send(world, STRANGER, about(OLA))
    view = world.store.views.message(message)
    assert view
    assert view.labels == ("token-unknown",)
    assert [row.notice.to for row in world.outbox()] == [STRANGER]
