"""What a person types into a form, as the mail it becomes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailgate import clock
from mailgate.intake.entry import entry
from mailgate.message import attachment, read
from mailgate.model.item import Admission, Enclosure
from tests.world import DESK, settings

TOKEN = "[Desk#17:0123456789abcdef0123]"
PDF = Enclosure("Umowa nr 5 – żółta.pdf", "application/pdf", b"%PDF-1.7 \x00\xff")


def admitted(
    subject: str = "Prośba",
    text: str = "Dzień dobry",
    token: str = "",
    *files: Enclosure,
    once: str = "",
) -> Admission:
    return entry(
        settings(Path("unused")),
        desk="support",
        channel="panel",
        account_id="1001",
        entered_by="anna@piekarnia.example",
        subject=subject,
        text=text,
        now=clock.now,
        random=clock.random,
        token=token,
        files=files,
        once=once,
    )


def test_a_form_becomes_a_mail_from_the_person_to_the_desk() -> None:
    admission = admitted("Zmiana serwerów DNS", "Proszę o zmianę.\nAnna")
    message = read(admission.content)
    assert message.parsed == "clean"
    assert message.head.subject == "Zmiana serwerów DNS"
    assert message.head.author == "anna@piekarnia.example"
    assert [m.address for m in message.head.to] == [DESK]
    assert message.text.splitlines() == ["Proszę o zmianę.", "Anna"]
    assert (admission.channel, admission.account_id) == ("panel", "1001")


printable = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=150)


@given(printable.map(lambda s: " ".join(s.split())), st.sampled_from(["", TOKEN]))
@example("gęślą jaźń " * 12 + "koniec", TOKEN)
@example("Czy =?utf-8?q?x?= to żart", "")
def test_every_subject_arrives_as_it_was_typed_with_the_token_behind_it(
    subject: str, token: str
) -> None:
    message = read(admitted(subject, token=token).content)
    assert message.head.subject.split() == f"{subject} {token}".split()
    assert message.parsed == "clean"


@pytest.mark.parametrize("subject", ["a\r\nBcc: x@y.example", "a\nb", "a\0b"])
def test_a_subject_of_several_lines_is_refused(subject: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        admitted(subject)


def test_files_come_along_octet_for_octet() -> None:
    page = Enclosure("strona.html", "text/html; charset=x", b"<script>alert(1)</script>\n")
    admission = admitted("Umowa", "W załączniku.", "", PDF, page)
    message = read(admission.content)
    assert message.parsed == "clean"
    assert message.text.strip() == "W załączniku."
    assert [(a.filename, a.content_type) for a in message.attachments] == [
        (PDF.filename, "application/pdf"),
        ("strona.html", "text/html"),
    ]
    for number, file in enumerate((PDF, page)):
        found = attachment(admission.content, number)
        assert found is not None
        assert found[1] == file.octets


@pytest.mark.parametrize(
    "claimed", ["", "nonsense", "multipart/mixed", "message/rfc822", "a/b\r\nx"]
)
def test_a_file_is_never_structure_whatever_the_browser_calls_it(claimed: str) -> None:
    file = Enclosure("x.eml", claimed, b"Subject: y\r\n\r\n--z")
    message = read(admitted("Plik", "Oto on.", "", file).content)
    assert [a.content_type for a in message.attachments] == ["application/octet-stream"]
    assert message.text.strip() == "Oto on."


def test_a_form_sent_twice_is_one_message_and_with_other_words_another() -> None:
    first = admitted("Prośba", "Raz", "", PDF, once="a1").dedup_key
    assert admitted("Prośba", "Raz", "", PDF, once="a1").dedup_key == first
    others = [
        admitted("Prośba", "Raz", "", PDF, once="b2"),
        admitted("Prośba", "Dwa", "", PDF, once="a1"),
        admitted("Prośba", "Raz", TOKEN, PDF, once="a1"),
        admitted("Prośba", "Raz", "", once="a1"),
        admitted("Prośba", "Raz", "", PDF),
        admitted("Prośba", "Raz", "", PDF),
    ]
    assert len({first, *(other.dedup_key for other in others)}) == 7
