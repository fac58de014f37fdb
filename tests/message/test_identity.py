"""The address that may count as identity, and every trick that must not win (promise M1)."""

from __future__ import annotations

import pytest

from mailgate.message import read, read_head
from tests.message.mails import mail

VICTIM = "admin@bank.example"


@pytest.mark.parametrize(
    ("field", "author"),
    [
        ("From: jan@klient.example", "jan@klient.example"),
        ("FROM:jan@klient.example", "jan@klient.example"),
        ("From: <jan@klient.example>", "jan@klient.example"),
        ("From: Jan <jan@KLIENT.Example>", "jan@klient.example"),
        ('From: "Kowalski, Jan" <jan@klient.example>', "jan@klient.example"),
        ("From: J. R. Kowalski <jan@klient.example>", "jan@klient.example"),
        ("From: =?utf-8?Q?=C5=81?= =?utf-8?Q?X?=\r\n <jan@klient.example>", "jan@klient.example"),
        ("From: Łukasz <jan@klient.example>", "jan@klient.example"),
        ("From: jan@klient.example (Jan Kowalski)", "jan@klient.example"),
        ("From: jan.a+b=c@klient.example", "jan.a+b=c@klient.example"),
        ('From: "admin@bank.example" <jan@klient.example>', "jan@klient.example"),
        ("From: Jan <jan@żółw.example>", "jan@xn--w-uga1v8h.example"),
    ],
)
def test_one_plain_mailbox_is_the_author(field: str, author: str) -> None:
    assert read_head(mail(field)).author == author


#: Ways to let one reader see the victim and another the sender (USENIX Security 2020, VU#517845…).
ATTACKS = [
    f"From: {VICTIM}, evil@x.example",
    f"From: evil@x.example, {VICTIM}",
    f"From: <evil@x.example>,<{VICTIM}>",
    f"From: <{VICTIM}>,",
    f"From: ,{VICTIM}",
    f"From: <{VICTIM}>:<evil@x.example>",
    f"From: <{VICTIM}><evil@x.example>",
    f"From: <{VICTIM}> <evil@x.example>",
    f"From: {VICTIM} <evil@x.example>",
    f"From: <{VICTIM}> evil@x.example",
    f"From: <@x.example,@y.example:{VICTIM}>",
    f"From: <@bank.example:{VICTIM}>",
    f"From: Group: {VICTIM};",
    f"From: undisclosed:;, {VICTIM}",
    f"From: <{VICTIM}",
    f"From: {VICTIM}>",
    f"From: <<{VICTIM}>>",
    f"From: ({VICTIM}) <evil@x.example",
    f"From: <{VICTIM}>(a(b)c)",
    f"From: <{VICTIM}(.x.example)>",
    "From: admin(@x.example)@bank.example",
    "From: admin@bank(.x).example",
    f"From: ({VICTIM}",
    f"From: {VICTIM} (unclosed",
    f"From: {VICTIM} (a <evil@x.example>)",
    f'From: "Admin <{VICTIM}>, <evil@x.example>',
    f'From: "{VICTIM}',
    'From: "admin"@bank.example',
    'From: "admin@bank.example "@x.example',
    'From: "<admin@bank.example>\\"@x.example"@x.example',
    "From: admin\\@bank.example@x.example",
    "From: admin@bank.example@x.example",
    "From: admin@x.example@bank.example",
    "From: admin@[192.0.2.1]",
    "From: admin@bank",
    "From: admin@bank.example.",
    "From: admin@.bank.example",
    "From: admin@bank..example",
    "From: admin@-bank.example",
    "From: .admin@bank.example",
    "From: admin.@bank.example",
    "From: ad min@bank.example",
    "From: admin @bank.example",
    "From: admin@ bank.example",
    "From: <admin@bank.example >",
    "From: < admin@bank.example>",
    "From: admin@bank.example\x0b",
    "From: admin@bank.example\x7f",
    "From: admin\x00@bank.example",
    "From: admin\r@bank.example",
    "From: =?utf-8?B?PGFkbWluQGJhbmsuZXhhbXBsZT4=?=,<evil@x.example>",
    "From: =?utf-8?Q?admin=40bank.example?=",
    "From: =?utf-8?Q?admin=40bank.example_?= <evil@x.example>, <a@b.example>",
    "From: <=?utf-8?Q?admin=40bank.example?=>",
    "From: admin@bank.example:evil@x.example",
    "From: admin@bank.example;evil@x.example",
    "From: mailto:admin@bank.example",
    "From: admin%bank.example@x.example, a@b.example",
    "From: ",
    "From: nobody",
    "From: <>",
    "From: admin@bank.example" + " " * 3000 + "<evil@x.example>",
]


@pytest.mark.parametrize("field", ATTACKS)
def test_an_ambiguous_from_gives_no_identity_and_says_why(field: str) -> None:
    head = read_head(mail(field))
    assert head.author is None
    assert head.defects


@pytest.mark.parametrize(
    "fields",
    [
        ("From: evil@x.example", f"From: {VICTIM}"),
        ("From: evil@x.example", f"From : {VICTIM}"),
        ("From: evil@x.example", f"FROM: {VICTIM}"),
        ("From: evil@x.example", f"From\r\n : {VICTIM}"),
        (f"From : {VICTIM}",),
        (f"From\r\n : {VICTIM}",),
        (f"From\t: {VICTIM}",),
        (f"From: {VICTIM}", "not a field at all"),
        (f"From: {VICTIM}", "X: y\r\n \r\nFrom : evil@x.example"),
        (f"From: {VICTIM}\r\n\t\r\n",),
        (f"From: {VICTIM}", "X: y\r\n "),
        (f"From evil@x.example Mon Nov 16 10:00:00 2026\r\nFrom: {VICTIM}",),
        (f"\ufeffFrom: {VICTIM}",),
        (f" From: {VICTIM}", f"From: {VICTIM}"),
    ],
)
def test_fields_that_readers_may_cut_differently_give_no_identity(fields: tuple[str, ...]) -> None:
    head = read_head(mail(*fields))
    assert head.author is None
    assert head.defects


@pytest.mark.parametrize(
    "name", ["Sender", "Reply-To", "Resent-From", "Return-Path", "X-Original-From"]
)
def test_no_other_field_is_ever_the_identity(name: str) -> None:
    assert read_head(mail("From-X: y", f"{name}: {VICTIM}")).author is None
    assert (
        read_head(mail("From: jan@klient.example", f"{name}: {VICTIM}")).author
        == "jan@klient.example"
    )


def test_a_homograph_is_another_address() -> None:
    author = read_head(mail("From: admin@b\u0430nk.example")).author  # a Cyrillic letter
    assert author is not None
    assert author.startswith("admin@xn--")


def test_no_from_at_all_gives_no_identity() -> None:
    head = read_head(b"Subject: x\r\n\r\ny")
    assert (head.author, head.defects) == (None, ("no-from",))


def test_a_message_whose_parts_cannot_be_found_gives_no_identity() -> None:
    message = read(mail('Content-Type: multipart/alternative; boundary="b"', body="no part"))
    assert message.head.author is None
    assert "multipart-without-parts" in message.defects
    assert message.text == "no part"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Subject: [Desk#1:00000000000000000000]", "Subject: Faktura"),
        ("Date: Mon, 16 Nov 2026 10:00:00 +0100", "DATE: Mon, 2 Nov 2026 10:00:00 +0100"),
        ("Message-ID: <new@klient.example>", "Message-Id: <old@klient.example>"),
        ("Content-Type: text/html", "Content-Type: text/plain"),
        ("Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: 8bit"),
    ],
)
def test_a_field_that_stands_twice_where_one_may_stand_is_a_defect(one: str, other: str) -> None:
    """A signature covers the lower one, and we read the upper (RFC 6376 §5.4.2)."""
    assert read(mail(one)).parsed == "clean"
    message = read(mail(one, other))
    assert message.parsed == "defects"
    assert message.defects == (f"several-{one.partition(':')[0].lower()}-fields",)
    assert message.head.author == "jan@klient.example"
