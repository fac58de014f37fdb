"""Whom a mail goes to, which mail, and with which link; and when there is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mailgate.model.directory import Contact
from mailgate.model.message import Mailbox
from mailgate.tokens import link, message_id
from tests.outbound.samples import ANNA, KEYS, NOW, OLA, TICKET, composed, notice


def test_the_mail_goes_to_the_registered_address_whatever_the_message_says() -> None:
    evil = (Mailbox("Anna", "evil@evil.example"),)
    sent = notice(head={"from_": evil, "reply_to": evil, "sender": evil})
    assert sent.to == ANNA.address
    assert sent.contact_id == ANNA.id


@pytest.mark.parametrize(
    "parts",
    [
        {"notice": None},
        {"case": {"contact": None}},
        *({"facts": {"automatic": kind}} for kind in ("auto-reply", "bounce", "list", "loop")),
        {"case": {"links_muted": True}},
    ],
    ids=str,
)
def test_nobody_is_written_to(parts: dict[str, Any]) -> None:
    assert composed(**parts) == composed(notice=None)
    assert not composed(**parts).notices


@pytest.mark.parametrize(
    "address",
    [
        "pomoc@desk.example",
        "FAKTURY@desk.example",
        "zwroty@desk.example",
        "Zwroty+abc@DESK.example",
        "MAILER-DAEMON@piekarnia.example",
        "mailerdaemon@piekarnia.example",
        "postmaster@piekarnia.example",
        "no-reply@piekarnia.example",
        "noreply+tag@piekarnia.example",
        "do-not-reply@piekarnia.example",
        "bounces-12@piekarnia.example",
        "nobody@piekarnia.example",
        "@piekarnia.example",
        "piekarnia.example",
    ],
)
def test_neither_a_machine_nor_ourselves_are_written_to(address: str) -> None:
    contact = replace(ANNA, address=address)
    assert not composed(notice="request-received", case={"contact": contact}).notices


@pytest.mark.parametrize(
    "address", ["noreplyforyou@a.example", "bounce.house@a.example", "postmasters@a.example"]
)
def test_a_name_that_only_begins_like_a_machine_is_a_person(address: str) -> None:
    person = replace(ANNA, address=address)
    wanted = address != "bounce.house@a.example"  # this one looks like a variant of bounce@
    assert bool(composed(case={"contact": person}).notices) == wanted


@pytest.mark.parametrize(
    ("confirm", "proof", "step"),
    [
        ("adaptive", "dmarc", "click"),
        ("adaptive", "aligned", "click"),
        ("adaptive", "none", "code"),
        ("adaptive", "denied", "code"),
        (None, "none", "code"),
        (None, "dmarc", "click"),
        ("click", "none", "click"),
        ("code", "dmarc", "code"),
        ("panel", "dmarc", None),
    ],
)
def test_what_is_not_vouched_for_takes_more_than_a_click(
    confirm: str | None, proof: str, step: str | None
) -> None:
    made = composed(facts={"sender.proof": proof}, decision={"confirm": confirm})
    assert made.notices[0].link_step == step
    assert (made.link.step if made.link else None) == step


def test_a_link_is_bound_to_the_content_and_the_contact_and_its_token_is_kept_nowhere() -> None:
    made = composed()
    sent, asked = made.notices[0], made.link
    assert asked is not None
    assert (asked.queue_id, asked.content_sha256) == ("01JQUEUE", "c" * 64)
    assert (asked.contact_id, asked.address, asked.state) == (ANNA.id, ANNA.address, "open")
    assert asked.expires_at - asked.created_at == timedelta(hours=24)
    token = link.token(KEYS, asked.nonce)
    assert asked.token_sha256 == link.sha256(token)
    assert sent.link_nonce == asked.nonce
    assert token not in repr(made)


@pytest.mark.parametrize("template", ["request-received", "not-authorized"])
def test_a_notice_that_only_tells_has_no_link(template: str) -> None:
    made = composed(notice=template)
    assert made.link is None
    assert made.notices[0].link_nonce is None


def test_muted_links_do_not_mute_what_only_tells() -> None:
    assert composed(notice="not-authorized", case={"links_muted": True}).notices


def test_the_second_link_for_a_message_says_that_it_is_a_new_one() -> None:
    assert notice(item={"revision": 1}).template == "link-expired"
    assert notice(notice="entered-by-staff", item={"revision": 1}).template == "entered-by-staff"


def test_the_message_id_says_ticket_and_contact() -> None:
    sent = notice()
    assert message_id.read(KEYS, sent.message_id) == (TICKET.number, ANNA.id)
    assert message_id.mine(sent.message_id, "mailgate.desk.example")
    assert sent.date == NOW.replace(microsecond=0)


@pytest.mark.parametrize(
    ("given", "answered"),
    [
        ("a.b$c@piekarnia.example", "a.b$c@piekarnia.example"),
        ("a@b>\r\nBcc: x@y.example", None),
        ("a b@c", None),
        ("<a@b>", None),
        ("no-at", None),
        ("ą@b", None),
        ("a@" + "b" * 300, None),
        (None, None),
    ],
)
def test_only_a_proper_message_id_is_answered(given: str | None, answered: str | None) -> None:
    assert notice(head={"message_id": given}).in_reply_to == answered


def test_what_was_entered_on_a_page_answers_no_mail() -> None:
    assert notice(item={"channel": "console", "entered_by": "Kasia"}).in_reply_to is None


# --- who may be given the ticket's code -----------------------------------------------------------


@pytest.mark.parametrize(
    ("contact", "facts", "existing", "told"),
    [
        (ANNA, {}, True, True),
        (OLA, {"sender.share": "no"}, False, True),  # her own new ticket
        (OLA, {"sender.share": "yes"}, True, True),
        (OLA, {"sender.share": "no"}, True, False),
        (OLA, {"sender.share": "no", "code": "valid", "code.holder": "self"}, True, True),
        (OLA, {"sender.share": "no", "code": "valid", "code.holder": "other"}, True, False),
        (OLA, {"sender.share": "no", "code": "wrong", "code.holder": "self"}, True, False),
    ],
)
def test_the_code_goes_to_those_who_may_have_it(
    contact: Contact, facts: dict[str, str], existing: bool, told: bool
) -> None:
    case = {"contact": contact, "ticket": TICKET if existing else None}
    sent = notice(notice="not-authorized", case=case, facts=facts)
    assert (sent.ticket == TICKET.number) == told
    assert ("epoch" in sent.values) == told
    assert message_id.read(KEYS, sent.message_id) == (TICKET.number if told else 0, contact.id)


def test_the_words_of_an_own_reason_go_along_in_the_language_of_the_contact() -> None:
    from mailgate.outbound.compose import compose
    from tests.outbound.samples import counter, outcome, settings

    made = compose(
        outcome(notice="not-authorized", decision={"reasons": ("no-fax", "code-missing")}),
        None,
        settings=settings(),
        keys=KEYS,
        now=NOW,
        random=counter(),
        own_words={"no-fax": {"pl": "Bez faksów.", "en": "No faxes."}},
    )
    values = made.notices[0].values
    assert values["reasons"] == "no-fax code-missing"
    assert values["reason.no-fax"] == "Bez faksów."
