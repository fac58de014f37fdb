"""Delivery reports: whom they are about, and what they say, in the ways of many mail systems."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from mailgate.message.reading import read
from mailgate.model.message import Bounce

#: A report a file; the file beside it says what a careful reader finds.
REPORTS = sorted((Path(__file__).parent / "reports").glob("*.eml"))


def bounce(text: str) -> Bounce | None:
    return read(text.encode()).bounce


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.stem)
def test_a_report_says_whom_it_is_about_and_why(path: Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text("utf-8"))
    message = read(path.read_bytes())
    assert message.bounce is not None
    assert message.automatic == "bounce"
    found = [
        {"address": r.address, "action": r.action, "status": r.status}
        for r in message.bounce.recipients
    ]
    assert found == expected["recipients"]
    assert message.bounce.original_message_id == expected["original_message_id"]


def test_the_diagnostic_is_the_servers_own_words() -> None:
    path = next(p for p in REPORTS if p.stem == "rfc3464-postfix")
    found = read(path.read_bytes()).bounce
    assert found is not None
    assert found.recipients[0].diagnostic.startswith("550 5.1.1 <ann@klient.example>: Recipient")


def mail(*fields: str, body: str) -> str:
    return "\r\n".join([*fields, "", body.replace("\n", "\r\n")])


CITED = """Hello, since yesterday I get this for every mail:

This message was created automatically by mail delivery software.
A message that you sent could not be delivered to one or more of its
recipients. The following address(es) failed:

  ann@klient.example
    550 5.1.1 user unknown
"""


@pytest.mark.parametrize(
    "subject",
    ["Mail delivery failed: returning message to sender", "Undeliverable: offer", "Help", "Re: x"],
)
@pytest.mark.parametrize("sender", ["jan@klient.example", "admin@klient.example"])
def test_a_person_who_cites_a_report_is_not_taken_for_one(subject: str, sender: str) -> None:
    text = mail(f"From: Jan Kowalski <{sender}>", f"Subject: {subject}", body=CITED)
    message = read(text.encode())
    assert message.bounce is None
    assert message.automatic == "no"


def test_a_person_may_attach_or_pass_on_a_report() -> None:
    report = next(p for p in REPORTS if p.stem == "rfc3464-postfix").read_text("utf-8")
    attached = mail(
        "From: Jan Kowalski <jan@klient.example>",
        "Subject: What is this?",
        'Content-Type: multipart/mixed; boundary="outer"',
        body="--outer\n\nWhy was my mail not delivered?\n"
        f"--outer\nContent-Type: message/rfc822\n\n{report}\n--outer--\n",
    )
    assert bounce(attached) is None
    passed_on = report.replace("Subject: ", "Subject: Fwd: ", 1)
    passed_on = passed_on.replace("Mail Delivery System <MAILER-DAEMON@mx.", "Jan <jan@", 1)
    passed_on = passed_on.replace(
        "multipart/report; report-type=delivery-status", "multipart/mixed"
    )
    assert "jan@klient.example" in passed_on
    assert bounce(passed_on) is None


@pytest.mark.parametrize(
    "fields",
    [
        ("Return-Path: <>", "Subject: Automatic reply: x", "Auto-Submitted: auto-replied"),
        ("Precedence: bulk", "Subject: Newsletter"),
        ("List-Id: <a.lists.example>", "Subject: Re: delivery"),
        ("Auto-Submitted: auto-replied (vacation)", "Subject: Away"),
    ],
)
def test_other_automatic_mail_is_no_report(fields: tuple[str, ...]) -> None:
    body = (
        "I have left, your mail was not delivered to jan@klient.example.\nWrite to:\nann@x.example"
    )
    assert bounce(mail("From: Jan <jan@klient.example>", *fields, body=body)) is None


def test_a_read_receipt_is_no_report_on_delivery() -> None:
    text = mail(
        "From: Jan <jan@klient.example>",
        "Subject: Read: x",
        'Content-Type: multipart/report; report-type=disposition-notification; boundary="b"',
        body="--b\n\nYour message was read.\n--b\n"
        "Content-Type: message/disposition-notification\n\n"
        "Final-Recipient: rfc822; jan@klient.example\n"
        "Disposition: manual-action/MDN-sent-manually; displayed\n--b--\n",
    )
    assert bounce(text) is None


def failed(status: str, said: str, action: str = "failed") -> bool:
    """Whether a report with this status and these words of a server blames the address."""
    found = bounce(
        mail(
            "From: MAILER-DAEMON@mx.example",
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
            body="--b\nContent-Type: message/delivery-status\n\n"
            f"Final-Recipient: rfc822; ann@klient.example\nAction: {action}\nStatus: {status}\n"
            f"Diagnostic-Code: smtp; {said}\n\n--b--\n",
        )
    )
    assert found is not None
    return found.recipients[0].hard


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("5.1.1", "550 5.1.1 <ann@klient.example>: Recipient address rejected: User unknown"),
        ("5.1.1", "550 5.1.1 niet"),
        ("5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found"),
        ("5.0.0", "550 no such user here"),
        ("5.4.4", "Host or domain name not found"),
        ("5.2.1", "550 5.2.1 The email account that you tried to reach is disabled"),
    ],
)
def test_an_address_that_nobody_has_is_to_blame_for_its_bounce(status: str, said: str) -> None:
    assert failed(status, said)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("5.2.2", "552 5.2.2 mailbox full"),
        ("5.1.1", "550 5.1.1 <ann@klient.example>: mailbox full"),
        ("5.7.1", "550 5.7.1 Client host [192.0.2.1] blocked using a list"),
        ("5.7.1", "554 5.7.1 message looks like spam"),
        ("5.2.3", "552 5.2.3 message size exceeds the limit"),
        ("5.0.0", "550 <ann@klient.example>: Recipient address rejected: not today"),
        ("5.4.7", "delivery time expired"),
        ("5.0.0", "550 host said: no such domain firma.example (in reply to MAIL FROM command)"),
        ("4.1.1", "450 4.1.1 user unknown in local recipient table"),
    ],
)
def test_no_address_is_to_blame_for_what_passes_or_is_about_us(status: str, said: str) -> None:
    assert not failed(status, said)


def test_nothing_is_final_while_delivery_goes_on() -> None:
    assert not failed("5.1.1", "550 5.1.1 user unknown", action="delayed")


def test_two_servers_words_are_not_mixed() -> None:
    text = mail(
        "From: MAILER-DAEMON@mx.example",
        "Subject: failure notice",
        body="Unable to deliver message to the following address(es).\n\n"
        "<ann@klient.example>:\nThis account has been disabled.\n\n"
        "<ben@klient.example>:\nno such user\n\n--- Original message follows.\n",
    )
    found = bounce(text)
    assert found is not None
    assert [(r.address, r.status) for r in found.recipients] == [
        ("ann@klient.example", "5.0.921"),
        ("ben@klient.example", "5.0.911"),
    ]


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("the host 10.5.1.1 said no", "5.0.901"),
        ("version 5.1.1.7 of the program refused", "5.0.901"),
        ("550 5.1.1 no", "5.1.1"),
        ("550 Nie ma takiego użytkownika", "5.0.911"),
        ("550-5.7.1 no", "5.7.1"),
        ("no (#5.1.1)", "5.1.1"),
        ("421 try later, over quota", "4.0.922"),
        ("421 no such user", "5.0.911"),
        ("550 no such user, in reply to end of DATA command", "5.0.910"),
        ("mailbox is full", "5.0.922"),
        ("message size exceeds limit", "5.0.934"),
        ("relaying denied", "5.0.909"),
        ("host unknown", "5.0.912"),
        ("your IP address is on a blacklist", "5.0.971"),
        ("this is spam", "5.0.980"),
        ("retry timeout exceeded", "5.0.947"),
    ],
)
def test_a_status_that_nobody_gave_is_computed_and_looks_so(words: str, status: str) -> None:
    text = mail(
        "From: MAILER-DAEMON@mx.example",
        "Subject: failure notice",
        body=f"Your mail was not delivered.\n\n<ann@klient.example>: {words}\n",
    )
    found = bounce(text)
    assert found is not None
    assert [(r.address, r.status) for r in found.recipients] == [("ann@klient.example", status)]


HOSTILE = {
    "addresses": "<a@b.example>: no\n" * 50_000,
    "at signs": "a@" * 400_000,
    "no at sign": "a" * 800_000,
    "replies": "550 5.1.1 " * 80_000,
    "blanks": "\n" * 800_000,
    "introductions": "failed addresses follow:\n" * 30_000,
    "fields": "Final-Recipient: rfc822; a@b.example\n" * 25_000,
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("kind", ["text/plain", "message/delivery-status"])
def test_a_hostile_report_takes_no_longer_than_its_bound(name: str, kind: str) -> None:
    text = mail("From: MAILER-DAEMON@mx.example", f"Content-Type: {kind}", body=HOSTILE[name])
    start = time.process_time()
    found = bounce(text)
    assert time.process_time() - start < 3
    assert found is not None
    assert len(found.recipients) <= 200


def test_what_a_report_says_is_fit_to_be_shown_and_kept() -> None:
    text = mail(
        "From: MAILER-DAEMON@mx.example",
        "Subject: failure notice",
        "X-Failed-Recipients: a\x07nn\udce9@klient.example",
        body="Your mail was not delivered.\n\n<ben@klient.example>: 550 5.1.1 \x1b[31mno\x00\n",
    )
    found = read(text.encode("utf-8", "surrogateescape")).bounce
    assert found is not None
    for recipient in found.recipients:
        for words in (recipient.address, recipient.diagnostic):
            assert words.isprintable()
            assert words.encode("utf-8")
