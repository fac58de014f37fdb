"""The octets of our mail: no more header fields than ours, however hostile what is quoted is."""

from __future__ import annotations

import email
import email.header
import random
import re
from dataclasses import replace
from email import policy
from email.message import EmailMessage
from typing import Any

import pytest

from mailgate.model.notice import Notice
from mailgate.outbound.render import FIELDS, BadNotice, Rendered, check, render
from mailgate.outbound.templates import Templates
from mailgate.tokens import access, change, message_id, session, ticket, verp
from mailgate.tokens.keys import Keys
from tests.outbound.samples import ANNA, KEYS, TICKET, notice, settings

#: What has broken out of headers before, and what only looks as if it could.
HOSTILE = (
    "\r\n", "\n", "\r", "\0", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\r\n\r\n",
    "\r\nBcc: x@evil.example", "\nTo: x@evil.example", "\r\n Subject: x", "=?utf-8?q?=0D=0ABcc:x?=",
    "=?utf-8?b?DQpCY2M6eA==?=", "?=", "=?", "<x@evil.example>", '"', "\\", ",", ";", ":", "@",
    "(", ")", "\ud800", "\udc0a", "\u202e", "\u200b", "ąęś", "漢字", "😀", " ", "  ", "\t",
    "a" * 120, "ż" * 120, "[IQ.pl#1:00112233445566778899]", "{{ 7 * 7 }}", "{% raw %}", "%s", ".",
)  # fmt: skip


@pytest.fixture(scope="module")
def templates() -> Templates:
    return Templates.load(None)


def parsed(mail: Rendered) -> EmailMessage:
    return email.message_from_bytes(mail.octets, policy=policy.default)


def header(mail: Rendered, name: str) -> str:
    """A field decoded by the old parser, which other programs are more like."""
    return decode(email.message_from_bytes(mail.octets)[name])


def decode(body: str) -> str:
    unfolded = re.sub(r"\r\n(?=[ \t])", "", body)
    return str(email.header.make_header(email.header.decode_header(unfolded)))


@pytest.mark.slow
def test_5000_hostile_subjects_and_names_give_no_header_field_that_is_not_ours(
    templates: Templates,
) -> None:
    chance, plain = random.Random(20260314), settings()
    for _ in range(5000):
        text = "".join(chance.choices(HOSTILE, k=chance.randint(1, 12)))
        contact = replace(ANNA, name=text)
        sent = notice(head={"subject": text, "author": text}, case={"contact": contact})
        # What compose neutralises is put back in: rendering alone has to hold as well.
        sent = replace(sent, values=dict(sent.values) | {"subject": text}, to_name=text)
        desk = plain.desks["support"].model_copy(update={"name": text})
        mail = render(sent, plain.model_copy(update={"desks": {"support": desk}}), KEYS, templates)
        message = email.message_from_bytes(mail.octets)
        assert set(message.keys()) <= set(FIELDS)
        assert len(message.keys()) == len(set(message.keys()))
        assert message["To"] == ANNA.address
        for name in ("From", "Subject"):
            decoded = decode(message[name])
            assert decoded.isprintable()
        assert message["From"].endswith("\r\n <pomoc@desk.example>")
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\0", mail.octets)
        assert max(map(len, mail.octets.split(b"\r\n"))) <= 998


@pytest.mark.parametrize(
    "name",
    [
        "Pomoc", 'Pomoc "24h", desk.example', "Dział Pomocy", "=?utf-8?q?x?=", "a\\b", "x" * 300,
        "Zażółć gęślą jaźń " * 8,
    ],
)  # fmt: skip
def test_the_name_of_the_desk_arrives_as_it_is(name: str, templates: Templates) -> None:
    desk = settings().desks["support"].model_copy(update={"name": name})
    changed = settings().model_copy(update={"desks": {"support": desk}})
    mail = render(notice(), changed, KEYS, templates)
    phrase = header(mail, "From").removesuffix("<pomoc@desk.example>").strip()
    assert phrase.strip('"').replace('\\"', '"').replace("\\\\", "\\") == name.strip()


def test_the_token_stands_in_the_subject_outside_of_encoded_words(templates: Templates) -> None:
    mail = render(notice(), settings(), KEYS, templates)
    token = ticket.render("IQ.pl", 23328, ticket.code(KEYS, "support", 23328, 0))
    assert token.encode() in mail.octets.partition(b"\r\n\r\n")[0]
    assert header(mail, "Subject") == f"Potwierdź zgłoszenie {token}"


def test_the_code_is_that_of_the_tickets_own_desk_and_epoch(templates: Templates) -> None:
    other = replace(TICKET, desk="billing", epoch=3)
    mail = render(notice(other), settings(), KEYS, templates)
    token = ticket.render("BOK", 23328, ticket.code(KEYS, "billing", 23328, 3))
    assert header(mail, "Subject").endswith(token)


def test_a_machine_can_tell_that_a_machine_wrote(templates: Templates) -> None:
    message = parsed(render(notice(), settings(), KEYS, templates))
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["X-Mailgate-Loop"]
    assert message["Precedence"] is None
    assert message["In-Reply-To"] == message["References"] == "<abc.123@piekarnia.example>"
    assert message.get_content_type() == "text/plain"
    assert not message.is_multipart()


def test_delivery_reports_come_back_to_a_signed_address_or_to_nobody(templates: Templates) -> None:
    sent = notice()
    mail = render(sent, settings(), KEYS, templates)
    assert verp.read(KEYS, "zwroty@desk.example", mail.reverse_path) == sent.id
    without = settings(outbound={"bounces": None})
    assert render(sent, without, KEYS, templates).reverse_path == ""


def test_times_are_told_in_the_zone_of_the_settings(templates: Templates) -> None:
    mail = render(notice(), settings(timezone="Europe/Warsaw"), KEYS, templates)
    assert "14 marca 2026, 10:26 (CET)" in mail.text


def test_the_secrets_of_a_mail_are_named_for_whoever_shows_it(templates: Templates) -> None:
    mail = render(notice(facts={"sender.proof": "none"}), settings(), KEYS, templates)
    assert len(mail.secrets) == 2
    assert all(secret in mail.text for secret in mail.secrets)
    told = render(notice(notice="not-authorized"), settings(), KEYS, templates)
    assert told.secrets == ()


def test_a_domain_in_letters_of_its_own_goes_as_a_label_and_a_name_needs_smtputf8(
    templates: Templates,
) -> None:
    idn = replace(ANNA, address="anna@żółw.example")
    mail = render(notice(case={"contact": idn}), settings(), KEYS, templates)
    assert (mail.recipient, mail.smtputf8) == ("anna@xn--w-uga1v8h.example", False)
    eai = replace(ANNA, address="żaneta@piekarnia.example")
    mail = render(notice(case={"contact": eai}), settings(), KEYS, templates)
    assert (mail.recipient, mail.smtputf8) == ("żaneta@piekarnia.example", True)
    assert "To: żaneta@piekarnia.example\r\n".encode() in mail.octets


def test_a_notice_whose_key_or_desk_is_gone_is_no_mail(templates: Templates) -> None:
    with pytest.raises(BadNotice, match="key"):
        render(notice(), settings(), Keys((b"another key, long enough for it ",)), templates)
    with pytest.raises(BadNotice, match="desk other is gone"):
        render(replace(notice(), desk="other"), settings(), KEYS, templates)
    with pytest.raises(BadNotice, match="desk sales is gone"):
        render(notice(replace(TICKET, desk="sales")), settings(), KEYS, templates)


GOOD = b"From: a@b.example\r\nTo: c@d.example\r\nSubject: x\r\n y\r\n\r\nHello\r\n"


def test_the_check_lets_our_own_mail_pass() -> None:
    check(GOOD, "c@d.example")


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (GOOD.replace(b"Subject", b"Bcc"), "not ours"),
        (GOOD.replace(b"Subject", b"To"), "not ours"),
        (GOOD.replace(b"c@d", b"e@d"), "recipient"),
        (GOOD.replace(b"To: c@d.example\r\n", b""), "recipient"),
        (GOOD.replace(b"c@d.example", b"c@d.example, e@f.example"), "recipient"),
        (GOOD.replace(b" y", b"y"), "consist of fields"),
        (GOOD.replace(b" y", b" "), "consist of fields"),
        (GOOD.replace(b"x\r\n", b"x\n"), "bare"),
        (GOOD.replace(b"x\r\n", b"x\r\r\n"), "bare"),
        (GOOD.replace(b"Hello", b"Hel\0lo"), "bare"),
        (GOOD.replace(b"Hello", b"x" * 999), "998"),
    ],
)
def test_the_check_stops_a_mail_that_says_more_than_it_should(octets: bytes, said: str) -> None:
    with pytest.raises(BadNotice, match=said):
        check(octets, "c@d.example")


def test_the_check_knows_every_reader() -> None:
    copied = GOOD.replace(b"Subject", b"Cc: e@f.example,\r\n g@h.example\r\nSubject")
    check(copied, "c@d.example", ["e@f.example", "g@h.example"])
    for cc in ([], ["e@f.example"], ["g@h.example", "e@f.example"]):
        with pytest.raises(BadNotice, match="recipient"):
            check(copied, "c@d.example", cc)
    with pytest.raises(BadNotice, match="not one plain address"):
        check(copied, "c@d.example", ["e@f.example,g@h.example"])


# --- answers of staff, and letters ----------------------------------------------------------------


def answer(**changes: Any) -> Notice:
    values = {
        "subject": "DNS",
        "text": "Dzień dobry.\n\nGotowe.",
        "signature": "Kasia",
        "epoch": "0",
    }
    return replace(
        notice(), template="staff-answer", values=values, link_nonce=None, link_step=None, **changes
    )


def test_a_copy_of_an_answer_goes_to_its_own_reader_with_the_same_head(
    templates: Templates,
) -> None:
    first = answer(cc=("ola@piekarnia.example",))
    copy = replace(first, id="COPY", envelope_to="ola@piekarnia.example")
    mails = [render(each, settings(), KEYS, templates) for each in (first, copy)]
    assert [mail.recipient for mail in mails] == [ANNA.address, "ola@piekarnia.example"]
    heads = [(parsed(m)["To"], parsed(m)["Cc"], parsed(m)["Message-ID"]) for m in mails]
    assert heads[0] == heads[1]
    assert mails[0].reverse_path != mails[1].reverse_path, "each bounces for itself"


def test_what_a_person_wrote_is_no_automatic_mail(templates: Templates) -> None:
    mail = parsed(render(answer(), settings(), KEYS, templates))
    assert mail["Auto-Submitted"] is None
    assert mail["X-Auto-Response-Suppress"] is None
    assert mail["X-Mailgate-Loop"] is not None
    assert parsed(render(notice(), settings(), KEYS, templates))["Auto-Submitted"] == "auto-replied"


def test_the_words_of_staff_are_words_and_nothing_else(templates: Templates) -> None:
    hostile = "".join(HOSTILE) + "\n.\n{{ link }}"
    said = answer()
    said = replace(said, values=dict(said.values) | {"text": hostile, "signature": hostile})
    mail = render(said, settings(), KEYS, templates)
    assert "{{ link }}" in parsed(mail).get_content()
    assert set(parsed(mail).keys()) <= set(FIELDS)


@pytest.mark.parametrize("subject", ["Re: DNS", "RE: DNS", "DNS"])
def test_an_answer_says_re_once(templates: Templates, subject: str) -> None:
    said = answer()
    mail = render(
        replace(said, values=dict(said.values) | {"subject": subject}), settings(), KEYS, templates
    )
    assert header(mail, "Subject").lower().count("re:") == 1


def test_a_letter_opens_what_its_nonce_and_the_keys_say(templates: Templates) -> None:
    nonce = "3" * 32
    base = "https://support.desk.example/panel"
    opened = {
        "sign-in-link": f"{base}/in/{session.sign_in_token(KEYS, nonce)}",
        "verify-address": f"{base}/v/{change.token(KEYS, nonce, 'new')}",
        "confirm-main-change": f"{base}/v/{change.token(KEYS, nonce, 'old')}",
        "access-token": access.token(KEYS, nonce),
    }
    values = {"company": "Piekarnia", "old_address": "a@b.example", "new_address": "c@d.example"}
    values |= {"expires": "2026-03-15T09:26:53+00:00", "kind": "main", "requested_by": ""}
    for template, expected in opened.items():
        said = notice(None)
        said = replace(said, template=template, values=values, link_nonce=nonce, link_step="code")
        mail = render(said, settings(), KEYS, templates)
        assert expected in mail.text
        assert expected in mail.secrets
        assert nonce not in mail.text


def test_message_id_and_loop_mark_belong_to_the_notice(templates: Templates) -> None:
    sent = notice()
    message = parsed(render(sent, settings(), KEYS, templates))
    assert message["Message-ID"] == f"<{sent.message_id}>"
    assert message_id.mine(sent.message_id, "mailgate.desk.example")
    assert message["X-Mailgate-Loop"].startswith(f"{sent.id}.")
