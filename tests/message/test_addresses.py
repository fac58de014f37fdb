"""Address lists as real mail writes them."""

from __future__ import annotations

import pytest

from mailgate.message import read_head
from mailgate.message.addresses import parse
from mailgate.message.head import MAX_ADDRESSES
from mailgate.model.message import Mailbox
from tests.message.mails import mail


def pairs(body: str) -> list[tuple[str, str]]:
    return [(m.name, m.address) for m in parse(body, 1000)]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a@b.example", [("", "a@b.example")]),
        ("<a@B.Example>", [("", "a@b.example")]),
        ("Jan.K@B.example", [("", "Jan.K@b.example")]),
        ("Jan K <a@b.example>", [("Jan K", "a@b.example")]),
        ('"K, Jan" <a@b.example>, c@d.example', [("K, Jan", "a@b.example"), ("", "c@d.example")]),
        ('"a \\"b\\" c" <a@b.example>', [('a "b" c', "a@b.example")]),
        ("a@b.example (Jan K)", [("Jan K", "a@b.example")]),
        ("a@b.example (Jan (K) x)", [("Jan (K) x", "a@b.example")]),
        ("=?utf-8?Q?=C5=81?= <a@b.example>", [("Ł", "a@b.example")]),
        ('"=?utf-8?Q?=C5=81?=" <a@b.example>', [("Ł", "a@b.example")]),
        ("=?utf-8?Q?K=2C_Jan?= <a@b.example>", [("K, Jan", "a@b.example")]),
        ("'Jan' <a@b.example>", [("Jan", "a@b.example")]),
        ("Grupa: a@b.example, X <c@d.example>;", [("", "a@b.example"), ("X", "c@d.example")]),
        ("A: a@b.example;, B: c@d.example;", [("", "a@b.example"), ("", "c@d.example")]),
        ("undisclosed-recipients:;", []),
        ("undisclosed recipients: ;", []),
        ("", []),
        (" , ,", []),
        ("<>", []),
        ("<@r.example,@s.example:a@b.example>", [("", "a@b.example")]),
        ("a@b.example; c@d.example", [("", "a@b.example"), ("", "c@d.example")]),
        ("Kowalski, Jan <a@b.example>", [("Kowalski, Jan", "a@b.example")]),
        ("Jan a@b.example", [("Jan", "a@b.example")]),
        ("mailto:a@b.example", [("", "a@b.example")]),
        ("Jan <mailto:a@b.example>", [("Jan", "a@b.example")]),
        ("Jan <a@b.example", [("Jan", "a@b.example")]),
        ("Jan <a@b.example, Ola <c@d.example>", [("Jan", "a@b.example"), ("Ola", "c@d.example")]),
        ('"Jan <a@b.example>', [('"Jan', "a@b.example")]),
        ("Jan <<a@b.example>>", [("Jan", "a@b.example")]),
        ("x@y.example <a@b.example>", [("x@y.example", "a@b.example")]),
        ('"john smith"@b.example', [("", '"john smith"@b.example')]),
        ("a@[192.0.2.1]", [("", "a@[192.0.2.1]")]),
        ("a @ b.example", [("", "a@b.example")]),
        ("=?utf-8?Q?Jan_<a@b.example>?=", [("Jan", "a@b.example")]),
        ("Łukasz <łukasz@żółw.example>", [("Łukasz", "łukasz@żółw.example")]),
    ],
)
def test_whatever_real_mail_writes_is_read(written: str, read: list[tuple[str, str]]) -> None:
    assert pairs(written) == read


def test_fields_that_stand_twice_are_both_read() -> None:
    head = read_head(mail("To: a@b.example", "To: c@d.example"))
    assert [m.address for m in head.to] == ["a@b.example", "c@d.example"]


def test_each_destination_and_originator_field_is_read_on_its_own() -> None:
    head = read_head(
        mail(
            "Sender: s@x.example",
            "Reply-To: R <r@x.example>",
            "Cc: c@x.example",
            "Bcc: b@x.example",
        )
    )
    assert head.sender == (Mailbox("", "s@x.example"),)
    assert head.reply_to == (Mailbox("R", "r@x.example"),)
    assert head.cc == (Mailbox("", "c@x.example"),)


def test_more_addresses_than_a_thousand_are_cut_and_told() -> None:
    many = ",".join(f"a{i}@b.example" for i in range(MAX_ADDRESSES + 10))
    head = read_head(mail(f"To: {many}"))
    assert len(head.to) == MAX_ADDRESSES - 1, "one is the author"
    assert "too-many-addresses" in head.defects
    assert head.author is None


def test_what_is_no_address_once_it_is_decoded_is_no_mailbox() -> None:
    body = "=?=?@x?b?!?==?x?b?!?=utf-7?Q?+AGE-?=pomoc@firma.example"
    assert parse(body, 1000) == []
