"""Header sections: folding, mailbox lines, stray controls, bounds (promises S2, M5)."""

from __future__ import annotations

import pytest

from mailgate.message import read, read_head
from mailgate.message.section import MAX_FIELDS
from tests.message.mails import mail


def names(content: bytes) -> list[str]:
    return [f.name for f in read_head(content).fields]


def test_a_folded_field_is_unfolded_and_keeps_its_white_space() -> None:
    head = read_head(mail("Subject: one\r\n two\r\n\tthree"))
    assert head.all("subject") == ("one two\tthree",)


def test_line_ends_of_a_file_and_of_smtp_read_the_same() -> None:
    content = mail("Subject: x", "To: a@b.example")
    assert read_head(content) == read_head(content.replace(b"\r\n", b"\n"))


def test_names_are_kept_as_written_and_found_without_case() -> None:
    head = read_head(mail("SUBJECT: x"))
    assert head.fields[1].name == "SUBJECT"
    assert head.all("Subject") == ("x",)


def test_octets_that_are_not_ascii_survive_in_the_raw_field() -> None:
    body = read_head(mail(b"X-Raw: za\xbf")).all("x-raw")[0]
    assert body.encode("ascii", "surrogateescape") == b"za\xbf"


@pytest.mark.parametrize("line", [b"From someone Mon Nov 16 10:00:00 2026\n", b">From x\n"])
def test_the_envelope_line_of_a_mailbox_is_no_field_and_has_no_place_in_a_message(
    line: bytes,
) -> None:
    head = read_head(line + b"From: a@b.example\nSubject: x\n\ny")
    assert ([m.address for m in head.from_], head.subject) == (["a@b.example"], "x")
    assert head.author is None


def test_a_header_section_without_end_is_read_whole() -> None:
    message = read(b"From: a@b.example\nSubject: x")
    assert (message.head.subject, message.text) == ("x", "")


def test_text_right_after_the_fields_is_the_body_and_costs_the_identity() -> None:
    message = read(b"From: a@b.example\nSubject: x\nHello there\nhow are you\n")
    assert message.head.subject == "x"
    assert message.text.startswith("Hello there")
    assert message.head.author is None
    assert "no-empty-line-after-header" in message.defects


def test_a_line_that_is_no_field_does_not_hide_the_fields_below() -> None:
    head = read_head(b"From: a@b.example\nnonsense here\nSubject: x\n\ny")
    assert head.subject == "x"
    assert head.author is None


@pytest.mark.parametrize("stray", [b"\r", b"\n", b"\0"])
def test_a_stray_control_never_starts_a_field(stray: bytes) -> None:
    head = read_head(mail(b"Subject: x" + stray + b"From: admin@ofiara.example"))
    assert [m.address for m in head.from_] == ["jan@klient.example"]
    assert head.author is None, "flagged mail has no identity"
    assert head.defects


@pytest.mark.parametrize("stray", [b"\r\r", b"\n\n", b"\n\r", b"\r\0\r"])
def test_a_stray_control_never_ends_the_header_section(stray: bytes) -> None:
    content = mail(b"Subject: x" + stray + b"y", "To: b@c.example")
    assert [m.address for m in read_head(content).to] == ["b@c.example"]


def test_a_header_section_of_a_file_before_a_body_of_smtp_is_read_and_costs_the_identity() -> None:
    message = read(b"From: a@b.example\nTo: c@d.example\n\none\r\ntwo\r\nthree\r\nfour\r\n")
    assert [m.address for m in message.head.to] == ["c@d.example"]
    assert message.text == "one\ntwo\nthree\nfour\n"
    assert message.head.author is None


@pytest.mark.parametrize("stray", [b"\n", b"\r"])
def test_a_stray_line_end_never_starts_a_mime_part(stray: bytes) -> None:
    body = b"--b\r\n\r\nfirst" + stray + b"--b" + stray + stray + b"second\r\n--b--\r\n"
    message = read(mail('Content-Type: multipart/mixed; boundary="b"', body=body))
    assert "first" in message.text
    assert "second" in message.text
    assert len(message.attachments) == 0
    assert message.parsed == "defects"


def test_the_digest_is_that_of_the_octets_as_they_came() -> None:
    import hashlib

    content = mail(b"Subject: x\ry")
    message = read(content)
    assert message.sha256 == hashlib.sha256(content).hexdigest()
    assert message.size == len(content)


def test_too_many_fields_are_cut_and_told() -> None:
    message = read(mail(*[f"X-{i}: y" for i in range(MAX_FIELDS + 5)]))
    assert len(message.head.fields) == MAX_FIELDS
    assert message.parsed == "limits"
    assert message.head.author is None


def test_a_header_section_beyond_100_kib_is_cut_and_told() -> None:
    message = read(mail("X-Long: " + "y" * 200_000, "Subject: x", body="text"))
    assert message.parsed == "limits"
    assert message.text == "text"


def test_a_byte_order_mark_hides_nothing_and_costs_the_identity() -> None:
    head = read_head(b"\xef\xbb\xbfFrom: a@b.example\n\nx")
    assert [m.address for m in head.from_] == ["a@b.example"]
    assert head.author is None


def test_a_field_with_an_impossible_name_does_not_end_the_section() -> None:
    message = read(b"From: a@b.example\nX-Spam Score: 3\n\nbody\n")
    assert message.text == "body\n"
