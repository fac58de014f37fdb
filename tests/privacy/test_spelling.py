"""An address in any text and any header section: found however it is spelled, and no other one."""

from __future__ import annotations

import pytest

from mailgate.message import read_head
from mailgate.model.addresses import address_key
from mailgate.privacy.spelling import names, with_nobody_else, without
from mailgate.privacy.take_out import take_out

KEY = address_key("Łucja@żółw.example")
TWO = address_key("anna@x.example")


@pytest.mark.parametrize(
    "text",
    [
        "Łucja@żółw.example",
        "łUCJA@ŻÓŁW.example",
        "łucja@xn--w-uga1v8h.example",
        "contact łucja@żółw.example of account 1001",
        "(łucja@żółw.example).",
        "Mail: 'łucja@żółw.example', dziś",
        "smtp.mailfrom=łucja@żółw.example; pass",
    ],
)
def test_an_address_is_found_and_replaced_however_it_is_spelled(text: str) -> None:
    assert names(text, KEY)
    gone = without(text, KEY, "erased")
    assert "erased" in gone
    assert "@" not in gone


@pytest.mark.parametrize(
    "text", ["_anna@x.example", "anna@x.example.org", "joanna@x.example", "anna@y.example", "anna"]
)
def test_another_address_is_another_person(text: str) -> None:
    assert not names(text, TWO)
    assert without(text, TWO, "erased") == text


def test_everybody_else_goes_and_the_person_stays() -> None:
    text = "anna@x.example, ola@x.example; mailto=jan@y.example"
    assert with_nobody_else(text, TWO, "(x)").count("(x)") == 2
    assert "anna@x.example" in with_nobody_else(text, TWO, "(x)")


def mail(*fields: str) -> bytes:
    return "".join(f"{field}\r\n" for field in fields).encode() + b"\r\nTre\xc5\x9b\xc4\x87.\r\n"


@pytest.mark.parametrize(
    "field",
    [
        "Cc: Anna <ANNA@X.example>, Ola <ola@x.example>",
        "To: anna@x.example,\r\n ola@x.example",
        "Reply-To: =?utf-8?q?Anna_=C5=BB?= <anna@x.example>, ola@x.example",
        "Resent-To: Zespół: anna@x.example, ola@x.example;",
        'Cc: "anna@x.example" <ola@x.example>',
    ],
)
def test_a_mailbox_is_taken_out_and_the_others_stay(field: str) -> None:
    content = mail("From: jan@y.example", field, "Subject: Do anna@x.example")
    shorter = take_out(content, TWO, "erased")
    head, _, body = shorter.partition(b"\r\n\r\n")
    assert b"ola@x.example" in head
    assert b"Subject: Do anna@x.example" in head, "what somebody else says stays theirs"
    assert b"anna" not in head.replace(b"Subject: Do anna@x.example", b"").lower()
    assert body == content.partition(b"\r\n\r\n")[2]
    assert take_out(shorter, TWO, "erased") == shorter


def test_a_list_in_which_nobody_is_left_is_still_a_list() -> None:
    shorter = take_out(mail("From: jan@y.example", "Cc: Anna <anna@x.example>"), TWO, "erased")
    read = read_head(shorter)
    assert read.cc == ()
    assert read.author == "jan@y.example"
    assert b"Cc: erased:;\r\n" in shorter


def test_other_fields_get_a_word_in_the_place_of_the_address() -> None:
    content = mail("Delivered-To: anna@x.example", "From: jan@y.example")
    assert take_out(content, TWO, "erased").startswith(b"Delivered-To: erased\r\n")


def test_a_message_that_does_not_name_them_stays_octet_for_octet() -> None:
    content = mail("From: jan@y.example", "To: =?utf-8?q?=C5=BB?= <zo@x.example>", "X: \xff")
    assert take_out(content, TWO, "erased") is content


def test_a_name_that_is_not_ascii_is_written_so_that_every_program_reads_it() -> None:
    content = mail("From: jan@y.example", "Cc: =?utf-8?q?=C5=BB?= <zo@x.example>, anna@x.example")
    (left,) = read_head(take_out(content, TWO, "erased")).cc
    assert (left.name, left.address) == ("Ż", "zo@x.example")
