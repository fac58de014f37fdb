"""Whole messages: what comes together, what is bounded, what never happens."""

from __future__ import annotations

import base64
import time
import tracemalloc

import pytest

from mailgate.message import read, read_head, structure
from mailgate.message.structure import MAX_DEPTH, MAX_PARTS
from mailgate.message.transfer import MAX_UU_FILES
from tests.message.mails import mail, multipart, part, rooted


def test_a_support_mail_is_read_whole() -> None:
    message = read(
        mail(
            "Return-Path: <jan@klient.example>",
            "From: =?utf-8?Q?Jan_Kowalski?= <jan@klient.example>",
            "To: Pomoc <pomoc@firma.example>",
            "Cc: a@b.example",
            "Subject: =?utf-8?Q?Re:_Zmiana_has=C5=82a?= [IQ.pl#23328:1be837cbaa33d1c9254c]",
            "Date: Mon, 16 Nov 2026 10:00:00 +0100",
            "Message-ID: <1@klient.example>",
            "In-Reply-To: <t1@firma.example>",
            "References: <t0@firma.example>\r\n <t1@firma.example>",
            "Content-Type: text/plain; charset=utf-8",
            body="Proszę o zmianę.\r\n\r\n-- \r\nJan\r\n",
        )
    )
    head = message.head
    assert head.author == "jan@klient.example"
    assert [(m.name, m.address) for m in head.from_] == [("Jan Kowalski", "jan@klient.example")]
    assert [m.address for m in head.to + head.cc] == ["pomoc@firma.example", "a@b.example"]
    assert head.subject == "Re: Zmiana hasła [IQ.pl#23328:1be837cbaa33d1c9254c]"
    assert head.date is not None
    assert head.date.isoformat() == "2026-11-16T10:00:00+01:00"
    assert head.message_id == "1@klient.example"
    assert head.in_reply_to == ("t1@firma.example",)
    assert head.references == ("t0@firma.example", "t1@firma.example")
    assert message.text == "Proszę o zmianę.\n\n-- \nJan\n"
    assert message.reply_text.strip() == "Proszę o zmianę."
    assert (message.automatic, message.bounce) == ("no", None)
    assert (message.parsed, message.defects) == ("clean", ())


def test_the_head_alone_says_the_same_as_the_whole() -> None:
    content = mail("Subject: x", "Auto-Submitted: auto-replied", body="y")
    assert read(content).head == read_head(content)


@pytest.mark.parametrize(
    ("field", "ids"),
    [
        ("Message-ID: <a@b>", "a@b"),
        ("Message-ID: <a@\r\n b>", "a@b"),
        ("Message-ID: a@b", "a@b"),
        ("Message-ID: <[01234]!&!AAA=@b.example>", "[01234]!&!AAA=@b.example"),
        ("Message-ID: <[!=]=?x?@b>", "[!=]=?x?@b"),
        ("Message-ID: <a@b> (added by postmaster)", "a@b"),
        ("Message-ID:", None),
        ("X: y", None),
    ],
)
def test_message_ids_that_make_the_standard_library_raise_are_read(
    field: str, ids: str | None
) -> None:
    assert read_head(mail(field)).message_id == ids


def test_references_without_brackets_and_with_prose_are_read() -> None:
    assert read_head(mail("References: a@b c@d")).references == ("a@b", "c@d")
    head = read_head(mail("In-Reply-To: Your message of Monday. <a@b>", "References: <a@b> <a@b>"))
    assert head.in_reply_to == ("a@b",)
    assert head.references == ("a@b",)


@pytest.mark.parametrize(
    "content", [b"", b"\r\n", b"\n\n\n", b"\0", b"x", b":", b"\xff" * 100, b" \n"]
)
def test_anything_is_a_message(content: bytes) -> None:
    message = read(content)
    assert message.head.author is None
    assert message.size == len(content)


def nested(depth: int) -> bytes:
    inner = part("Content-Type: text/plain", body="deep")
    for level in range(depth):
        inner = multipart("mixed", inner, boundary=f"b{level}x")
    return rooted(inner)


def test_nesting_is_read_to_its_bound_and_not_beyond() -> None:
    assert read(nested(MAX_DEPTH)).text.strip() == "deep"
    assert read(nested(MAX_DEPTH)).parsed == "clean"
    assert read(nested(MAX_DEPTH + 1)).parsed == "limits"


def test_enclosed_messages_are_read_to_the_same_bound() -> None:
    content = mail(body="x")
    for _ in range(30):
        content = mail("Content-Type: message/rfc822", body=content)
    assert read(content).parsed == "limits"


def test_parts_beyond_their_number_are_cut_and_told() -> None:
    assert read(rooted(multipart("mixed", *[b"\r\nx"] * (MAX_PARTS - 1)))).parsed == "clean"
    message = read(rooted(multipart("mixed", *[b"\r\nx"] * (MAX_PARTS + 100))))
    assert message.parsed == "limits"
    assert message.text.count("x") <= MAX_PARTS


BOMB = 100_000
BOMBS = {
    "nested comments": b"To: " + b"(" * BOMB,
    "open brackets": b"To: " + b"<" * BOMB,
    "open quotes": b'To: "' + b'\\"' * (BOMB // 2),
    "addresses without end": b"To: " + b"a@b," * (BOMB // 4),
    "signs without words": b"To: " + b"a" * BOMB,
    "brackets in brackets": b"To: " + b"<a@b" * (BOMB // 4),
    "a long name": b"To: " + b'"' * BOMB,
    "groups": b"To: " + b"a:" * (BOMB // 2),
    "halves of encoded words": b"Subject: " + b"=?a?q?" * (BOMB // 6),
    "encoded words": b"Subject: " + b"=?utf-8?q?a?= " * (BOMB // 14),
    "parameters": b"Content-Type: text/plain" + b"; a=b" * (BOMB // 5),
    "semicolons": b"Content-Type: text/plain" + b";" * BOMB,
    "slashes": b"Content-Type: " + b"/" * BOMB,
    "continuations": b"Content-Type: text/plain" + b"; a*1=b" * (BOMB // 7),
    "comments in a type": b"Content-Type: text/plain " + b"()" * (BOMB // 2),
    "a date of digits": b"Date: " + b"1" * BOMB,
    "ids": b"References: " + b"<a@b> " * (BOMB // 6),
    "received": b"Received: " + b"(" * BOMB,
    "many short fields": b"\r\n".join([b"X: y"] * BOMB),
    "delimiters": b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\n" * BOMB,
    "parts in parts": b"Content-Type: multipart/mixed; boundary=a\r\n\r\n"
    + b"--a\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n" * 2000,
    "messages in messages": b"Content-Type: message/rfc822\r\n\r\n" * 2000,
    "soft breaks": b"Content-Type: text/plain; format=flowed\r\n\r\n" + b"a \r\n" * BOMB,
    "beginnings": b"\r\n\r\n" + b"begin 644 a\r\n" * (BOMB // 10),
    "padded soft breaks": b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"= " * BOMB,
    "quotes in quotes": b"\r\n\r\n" + b">" * BOMB,
}


@pytest.mark.parametrize("name", BOMBS)
def test_no_hundred_kilobytes_cost_more_than_a_moment(name: str) -> None:
    content = b"From: jan@klient.example\r\n" + BOMBS[name] + b"\r\n\r\nx"
    started = time.process_time()
    read(content)
    read_head(content)
    assert time.process_time() - started < 2.0


def test_a_large_attachment_costs_a_small_multiple_of_its_size() -> None:
    encoded = base64.encodebytes(b"\0" * 3_000_000)
    fields = "Content-Type: application/zip", "Content-Transfer-Encoding: base64"
    content = rooted(multipart("mixed", part(*fields, body=encoded)))
    tracemalloc.start()
    try:
        read(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2.5 * len(content), "besides the content itself"


LOOKALIKES = {
    "one line": b"-" * 200_000,
    "a line each": b"---x\r\n" * 40_000,
    "of every level": b"-----x\r\n" * 40_000,
}


@pytest.mark.parametrize("name", LOOKALIKES)
def test_what_only_begins_like_a_delimiter_is_looked_at_a_limited_number_of_times(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []
    rest_of_line = structure._rest_of_line  # what each look costs is counted

    def counted(content: bytes, at: int, end: int) -> tuple[bytes, int]:
        found = rest_of_line(content, at, end)
        looked.append(len(found[0]))
        return found

    monkeypatch.setattr(structure, "_rest_of_line", counted)
    inner = b"\r\n" + LOOKALIKES[name]
    for level in range(1, MAX_DEPTH if name == "of every level" else 2):
        inner = multipart("mixed", inner, boundary="-" * level)
    message = read(rooted(inner))
    assert len(looked) <= structure.MAX_LOOKALIKES + 3 * MAX_DEPTH
    assert sum(looked) <= 200 * len(looked)
    assert message.parsed == ("clean" if name == "one line" else "limits")


def test_only_so_many_files_are_taken_out_of_running_text() -> None:
    one = b"begin 644 x\n#86)C\n`\nend\n"
    message = read(mail(body=one * (MAX_UU_FILES + 3)))
    assert len(message.attachments) == MAX_UU_FILES
    assert message.text.count("begin 644 x") == 3


IN_PIECES = {
    "uuencoded lines": ("application/x", "x-uuencode", b"begin 644 a\r\n" + b"#86)C\r\n" * 100_000),
    "runs of Japanese": ("text/plain; charset=iso-2022-jp", "7bit", b"\x1b$B-!\x1b(B" * 100_000),
}


@pytest.mark.parametrize("name", IN_PIECES)
def test_memory_does_not_grow_with_the_number_of_pieces(name: str) -> None:
    kind, encoding, body = IN_PIECES[name]
    content = mail(f"Content-Type: {kind}", f"Content-Transfer-Encoding: {encoding}", body=body)
    tracemalloc.start()
    try:
        read(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * len(content)
