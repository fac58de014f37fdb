"""Which text is read and which parts are attached, through every structure mail has."""

from __future__ import annotations

import base64
import hashlib

import pytest

from mailgate.message import read
from mailgate.message.bodies import MAX_TEXT
from mailgate.model.message import Attachment, Message
from tests.message.mails import mail, multipart, part, rooted

PLAIN = part("Content-Type: text/plain; charset=utf-8", body="Zażółć gęślą jaźń.")
HTML = part("Content-Type: text/html; charset=utf-8", body="<p>Zażółć <b>gęślą</b> jaźń.</p>")
PDF = b"%PDF-1.7 \x00\xff"
FILE = part(
    'Content-Type: application/pdf; name="umowa.pdf"',
    'Content-Disposition: attachment; filename="umowa.pdf"',
    "Content-Transfer-Encoding: base64",
    body=base64.encodebytes(PDF),
)
IMAGE = part("Content-Type: image/png", "Content-ID: <a@b>", body=b"png")


def files(message: Message) -> list[str]:
    return [a.filename for a in message.attachments]


@pytest.mark.parametrize(
    "body",
    [
        PLAIN,
        multipart("mixed", PLAIN),
        multipart("alternative", PLAIN, HTML),
        multipart("alternative", HTML, PLAIN),
        multipart("alternative", part("Content-Type: text/plain", body=" \r\n"), HTML),
        multipart("mixed", multipart("alternative", PLAIN, HTML, boundary="i"), FILE),
        multipart("related", multipart("alternative", PLAIN, HTML, boundary="i"), IMAGE),
        multipart("alternative", PLAIN, multipart("related", HTML, IMAGE, boundary="i")),
        multipart("signed", PLAIN, part("Content-Type: application/pgp-signature", body="x")),
        multipart("signed", multipart("mixed", PLAIN, boundary="i"), IMAGE),
        multipart("nonsense", PLAIN, FILE),
        multipart("report; report-type=x", PLAIN, IMAGE),
        HTML,
        multipart("related", HTML, IMAGE),
        multipart("mixed", HTML, FILE),
    ],
)
def test_the_readable_text_is_found_in_every_structure(body: bytes) -> None:
    assert read(rooted(body)).text == "Zażółć gęślą jaźń."


def test_several_written_parts_stand_in_their_order() -> None:
    second = part("Content-Type: text/html", body="<i>drugi</i>")
    assert read(rooted(multipart("mixed", PLAIN, FILE, second))).text.split() == [
        "Zażółć", "gęślą", "jaźń.", "drugi",
    ]  # fmt: skip


def test_an_attachment_has_name_type_size_and_digest_of_what_it_decodes_to() -> None:
    (found,) = read(rooted(multipart("mixed", PLAIN, FILE))).attachments
    digest = hashlib.sha256(PDF).hexdigest()
    assert found == Attachment("umowa.pdf", "application/pdf", len(PDF), digest)


@pytest.mark.parametrize(
    "fields",
    [
        ("Content-Disposition: attachment",),
        ('Content-Disposition: attachment; filename="x.txt"', "Content-Type: text/plain"),
        ("Content-Type: text/csv",),
        ("Content-Type: text/calendar; method=REQUEST",),
        ("Content-Type: application/octet-stream",),
        ("Content-Type: image/png", "Content-Disposition: inline"),
    ],
)
def test_what_nobody_wrote_to_be_read_is_attached(fields: tuple[str, ...]) -> None:
    message = read(rooted(multipart("mixed", PLAIN, part(*fields, body="dane"))))
    assert message.text == "Zażółć gęślą jaźń."
    assert [a.size for a in message.attachments] == [4]


def test_a_text_shown_inline_under_a_file_name_is_both() -> None:
    shown = part(
        "Content-Type: text/plain", 'Content-Disposition: inline; filename="a.txt"', body="treść"
    )
    message = read(rooted(multipart("mixed", shown)))
    assert (message.text, files(message)) == ("treść", ["a.txt"])


def test_an_enclosed_message_is_attached_under_its_subject_and_not_read() -> None:
    enclosed = part(
        "Content-Type: message/rfc822", body=mail("Subject: =?utf-8?Q?=C5=BC?=", body="inny")
    )
    message = read(rooted(multipart("mixed", PLAIN, enclosed)))
    assert message.text == "Zażółć gęślą jaźń."
    assert files(message) == ["ż.eml"]
    assert message.attachments[0].content_type == "message/rfc822"


def test_a_message_that_says_nothing_of_its_own_shows_what_it_encloses() -> None:
    enclosed = part("Content-Type: message/rfc822", body=mail("Subject: y", body="przekazane"))
    assert read(rooted(multipart("mixed", enclosed))).text == "przekazane"


def test_an_enclosed_message_encoded_against_the_rules_is_read_too() -> None:
    inner = base64.encodebytes(mail("Subject: ukryty"))
    enclosed = part("Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", body=inner)
    assert files(read(rooted(multipart("mixed", PLAIN, enclosed)))) == ["ukryty.eml"]


def test_messages_of_a_digest_are_enclosed_messages() -> None:
    digest = multipart(
        "digest", part("", body=mail("Subject: a")[2:]), b"\r\n" + mail("Subject: b")
    )
    assert files(read(rooted(digest)))[-1] == "b.eml"


@pytest.mark.parametrize(
    ("broken", "text"),
    [
        (multipart("mixed", PLAIN).replace(b"--=_b--\r\n", b""), "Zażółć gęślą jaźń."),
        (
            multipart("mixed", PLAIN).replace(b"--=_b--", b"--=_b--\r\nepilogue"),
            "Zażółć gęślą jaźń.",
        ),
        (multipart("mixed", PLAIN).replace(b"--=_b\r\n", b"--=_b  \t\r\n"), "Zażółć gęślą jaźń."),
        (
            multipart("mixed", PLAIN).replace(b"--=_b\r\n", b"--=_bx\r\n--=_b\r\n"),
            "Zażółć gęślą jaźń.",
        ),
        (multipart("mixed", b"\r\nno fields"), "no fields"),
        (multipart("mixed", b"no fields, no empty line"), "no fields, no empty line"),
        (b"Content-Type: multipart/mixed\r\n\r\nno boundary", "no boundary"),
        (multipart("mixed", PLAIN).replace(b'"=_b"', b"other"), "Zażółć gęślą jaźń."),
        (multipart("mixed", PLAIN).replace(b'; boundary="=_b"', b""), "Zażółć gęślą jaźń."),
        (multipart("mixed", PLAIN, boundary="=?utf-8?Q?b?="), "Zażółć gęślą jaźń."),
        (part("Content-Type: text/plain; charset=utf-8", body="\ufeffx"), "x"),
        (b"Content-Type: text\r\n\r\nkind only", "kind only"),
        (b"Content-Type: ;\r\n\r\nno type", "no type"),
        (b"Content-Type: html\r\n\r\n<b>no slash</b>", "no slash"),
        (b"Content-Transfer-Encoding: 8-bit\r\n\r\nx", "x"),
        (b"Content-Transfer-Encoding: Quoted Printable\r\n\r\nx=3Dy", "x=y"),
        (b"Content-Transfer-Encoding: base64;\r\n\r\neHl6", "xyz"),
        (b"Content-Transfer-Encoding: rot13\r\n\r\nxyz", "xyz"),
    ],
)
def test_broken_structures_still_show_their_text(broken: bytes, text: str) -> None:
    assert read(rooted(broken)).text.strip() == text


def test_a_boundary_that_begins_like_another_is_not_taken_for_it() -> None:
    inner = multipart("mixed", PLAIN, FILE, boundary="=_b1")
    message = read(rooted(multipart("mixed", inner, HTML, boundary="=_b")))
    assert files(message) == ["umowa.pdf"]


def test_files_uuencoded_into_the_text_are_taken_out() -> None:
    message = read(mail(body="Plik:\r\nbegin 644 a b.txt\r\n#86)C\r\n`\r\nend\r\nKoniec.\r\n"))
    assert message.text.split() == ["Plik:", "Koniec."]
    assert [(a.filename, a.size) for a in message.attachments] == [("a b.txt", 3)]


def test_prose_that_begins_with_begin_stays() -> None:
    assert "begin 644 times" in read(mail(body="a\r\nbegin 644 times\r\nend\r\n")).text


def test_flowed_text_is_joined_to_paragraphs() -> None:
    body = "One \r\nparagraph.\r\n> quoted \r\n> text\r\n>> deeper\r\n From\r\n-- \r\nJan\r\n"
    fields = "Content-Type: text/plain; format=flowed"
    assert read(mail(fields, body=body)).text == (
        "One paragraph.\n> quoted text\n>> deeper\nFrom\n-- \nJan\n"
    )
    assert read(mail(f"{fields}; delsp=yes", body="wy \r\nraz\r\n")).text == "wyraz\n"


def test_html_without_a_charset_is_read_by_its_meta_tag() -> None:
    source = '<meta charset="iso-8859-2"><p>żółw</p>'.encode("iso8859-2")
    assert read(mail("Content-Type: text/html", body=source)).text == "żółw"


def test_text_holds_no_nul_and_no_lone_surrogate() -> None:
    text = read(mail("Content-Type: text/html", body="a\0&#xD800;&#0;b")).text
    assert "\0" not in text
    text.encode("utf-8")


def test_more_text_than_anyone_writes_is_cut_and_told() -> None:
    message = read(mail(body="słowo " * (MAX_TEXT // 5)))
    assert len(message.text) == MAX_TEXT
    assert message.parsed == "limits"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\jan\\a.doc", "a.doc"),
        ("a/b/", "b"),
        ("..", ""),
        (".bashrc", "bashrc"),
        ("fa\u202egpj.exe", "fa_gpj.exe"),
        ("a\r\nb\0c.txt", "a_b_c.txt"),
        ("nul.txt", "_nul.txt"),
        ("a:b?.txt", "a_b_.txt"),
        ("x" * 300 + ".pdf", "x" * 236 + ".pdf"),
        ("zaz\u0307o\u0301ł.txt", "zażół.txt"),
        ("  a  b .txt. ", "a b .txt"),
    ],
)
def test_file_names_are_safe_to_show_and_to_save(name: str, safe: str) -> None:
    from mailgate.message.files import safe_name

    assert safe_name(name) == safe
