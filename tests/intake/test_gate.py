"""Admission: who is a recipient, what one message becomes, and when two are the same."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest

from mailgate.intake.gate import BOUNCES, Gate, dedup_key, header_end, hop_reply, recipient_reply
from mailgate.intake.replies import NOT_A_DESK
from mailgate.model.envelope import TOO_MANY_HOPS, Envelope
from tests.intake.door import settings, verify_bounce

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
CONTENT = b"Received: by mx; id 4F2C61\r\nSubject: x\r\n\r\nText\r\n"


def envelope(*recipients: str, reverse_path: str = "anna@client.example") -> Envelope:
    return Envelope(reverse_path, recipients, AT)


def gate() -> Gate:
    numbers = iter(range(1, 1000))
    return Gate(settings(), lambda n: next(numbers).to_bytes(n, "big"), verify_bounce)


@pytest.mark.parametrize(
    "address",
    ["help@desk.example", "HELP@DESK.EXAMPLE", "pomoc@desk.example", "bounces+n1@desk.example"],
)
def test_desks_and_our_own_bounce_addresses_are_recipients(address: str) -> None:
    assert recipient_reply(settings(), address, verify_bounce) is None


@pytest.mark.parametrize(
    "address", ["nobody@desk.example", "help@other.example", "bounces+n9@desk.example", "help", ""]
)
def test_everything_else_is_refused(address: str) -> None:
    assert recipient_reply(settings(), address, verify_bounce) == NOT_A_DESK


def test_without_a_bounce_address_none_is_asked_for() -> None:
    plain = settings().model_copy(
        update={"outbound": settings().outbound.model_copy(update={"bounces": None})}
    )
    assert recipient_reply(plain, "bounces+n1@desk.example", verify_bounce) == NOT_A_DESK


def test_a_unicode_domain_is_the_same_as_its_a_label() -> None:
    desk = settings().desks["help"].model_copy(update={"addresses": ["pomoc@xn--w-uga1v8h.pl"]})
    there = settings().model_copy(update={"desks": {"help": desk}})
    assert recipient_reply(there, "pomoc@żółw.pl", None) is None
    assert recipient_reply(there, "pomoc@żółć.pl", None) == NOT_A_DESK


def test_one_message_for_two_desks_is_two_items_with_their_own_recipients() -> None:
    one, two = gate().admissions(
        envelope("help@desk.example", "sales@desk.example", "POMOC@desk.example"), CONTENT
    )
    assert (one.desk, one.envelope.recipients) == (
        "help", ("help@desk.example", "POMOC@desk.example"),
    )  # fmt: skip
    assert (two.desk, two.envelope.recipients) == ("sales", ("sales@desk.example",))
    assert one.queue_id != two.queue_id
    assert one.dedup_key != two.dedup_key
    assert one.content == CONTENT
    assert one.sha256 == hashlib.sha256(CONTENT).hexdigest()


def test_each_bounced_notice_is_an_item_of_its_own() -> None:
    made = gate().admissions(
        envelope("bounces+n1@desk.example", "bounces+n2@desk.example", reverse_path=""), CONTENT
    )
    assert [a.desk for a in made] == [BOUNCES, BOUNCES]
    assert len({a.dedup_key for a in made}) == 2


def test_a_stranger_cannot_be_admitted() -> None:
    with pytest.raises(ValueError, match="not an address"):
        gate().admissions(envelope("nobody@desk.example"), CONTENT)


@pytest.mark.parametrize(
    "added",
    [
        b"Return-Path: <anna@client.example>\r\n",
        b"Delivered-To: help@desk.example\r\n",
        b"X-Original-To: help@desk.example\r\n",
        b"Envelope-To: help@desk.example,\r\n\tsales@desk.example\r\n",
        b"Delivery-date: Sun, 01 Mar 2026 12:00:00 +0000\r\n",
        b"RETURN-PATH : <a@b>\r\nDelivered-To: x\r\n",
    ],
)
def test_what_the_last_hop_writes_does_not_make_another_message(added: bytes) -> None:
    plain = dedup_key(CONTENT, "anna@client.example", "help")
    assert dedup_key(added + CONTENT, "anna@client.example", "help") == plain
    first, rest = CONTENT.split(b"Subject", 1)
    assert dedup_key(first + added + b"Subject" + rest, "anna@client.example", "help") == plain


@pytest.mark.parametrize(
    "other",
    [
        CONTENT.replace(b"4F2C61", b"4F2C62"),
        CONTENT.replace(b"Text", b"Return-Path: <x>\r\nText"),
        b"X-Return-Path: <x>\r\n" + CONTENT,
        CONTENT + b"\r\n",
        CONTENT + b"\0help",
    ],
)
def test_any_other_difference_makes_another_message(other: bytes) -> None:
    assert dedup_key(other, "a@b", "help") != dedup_key(CONTENT, "a@b", "help")


def test_another_reverse_path_or_desk_makes_another_message() -> None:
    keys = {dedup_key(CONTENT, a, d) for a in ("", "a@b", "c@d") for d in ("help", "sales")}
    assert len(keys) == 6


def test_the_same_words_from_two_customers_are_two_items() -> None:
    keys = {
        gate()
        .admissions(
            envelope("help@desk.example", reverse_path=""),
            CONTENT,
            channel="panel",
            account_id=account,
            entered_by=person,
        )[0]
        .dedup_key
        for account, person in [("1", "a@b"), ("2", "a@b"), ("1", "c@d")]
    }
    assert len(keys) == 3


@pytest.mark.parametrize(
    ("content", "header"),
    [
        (b"A: 1\r\n\r\nb\r\n\r\n", b"A: 1\r\n"),
        (b"A: 1\n\nb\n\n", b"A: 1\n"),
        (b"A: 1\n\r\nb", b"A: 1\n"),
        (b"A: 1\r\n\nb\r\n\r\n", b"A: 1\r\n"),
        (b"\r\nbody\r\n\r\n", b""),
        (b"\nbody\n\n", b""),
        (b"A: 1\r\n", b"A: 1\r\n"),
        (b"", b""),
    ],
)
def test_the_header_section_ends_at_the_first_blank_line(content: bytes, header: bytes) -> None:
    assert content[: header_end(content)] == header


def test_received_fields_are_counted_in_the_header_section_only() -> None:
    looping = b"Received: x\r\n" * 4 + b"\r\n" + b"Received: y\r\n" * 9
    assert hop_reply(looping, 3) == TOO_MANY_HOPS
    assert hop_reply(looping, 4) is None
    assert hop_reply(b"Subject: received received received received\r\n\r\n", 3) is None
