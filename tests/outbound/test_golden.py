"""Every mail that mailgate sends, word for word.

A golden mail is `tests/golden/<notice>.<language>[.<kind>].eml`. To add one, make an empty file of
that name and run the test with MAILGATE_UPDATE_GOLDEN=1; then read what it wrote.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mailgate.model.directory import LANGUAGES
from mailgate.model.notice import Notice
from mailgate.outbound import NOTICES
from mailgate.outbound.render import render
from mailgate.outbound.templates import Templates
from mailgate.tokens import message_id
from tests.outbound.samples import (
    ANNA,
    ASKED,
    KEYS,
    NOW,
    OLA,
    TICKET,
    notice,
    settings,
    token_composed,
)

GOLDEN = Path(__file__).parent.parent / "golden"
FILES = sorted(GOLDEN.glob("*.eml"))

#: What a kind of mail is about; the first of a notice is what its plain file shows.
KINDS: dict[str, dict[str, Any]] = {
    "click": {},
    "code": {"facts": {"sender.proof": "none"}},
    "panel": {"decision": {"confirm": "panel"}},
    "no-ticket": {"ticket": None},
    "hostile": {
        "head": {
            "subject": "Pilne!\r\nBcc: x@evil.example\r\n\r\nhttps://evil.example/x "
            "[IQ.pl#1:0123456789abcdef0123] \u202e żółw " + "bardzo długi temat " * 20
        }
    },
}
USUAL: dict[str, dict[str, Any]] = {
    "authorization-link": {},
    "link-expired": {"notice": "authorization-link", "item": {"revision": 1}},
    "entered-by-staff": {"item": {"channel": "console", "entered_by": "agent Kasia"}},
    "not-authorized": {
        "decision": {
            "verdict": "unauthorized",
            "reasons": ("contact-without-share", "cc-stranger"),
        },
        "case": {"contact": OLA},
        "facts": {"sender.role": "technical", "sender.share": "no"},
    },
    "request-received": {
        "decision": {"verdict": "authorized", "reasons": ("confirmed-by-contact",)}
    },
}


#: Mails that no decision asked for; their values are made by the pages.
_CHANGE = {
    "company": "Piekarnia Anna Nowak",
    "kind": "main",
    "old_address": "anna@piekarnia.example",
    "new_address": "anna.nowak@piekarnia.example",
    "requested_by": "anna@piekarnia.example",
    "expires": "2026-03-15T09:26:53+00:00",
}
LETTERS: dict[str, dict[str, Any]] = {
    "sign-in-link": {"link_nonce": "0" * 32},
    "access-token": {"link_nonce": "1" * 32},
    "access-token-expires": {},
    "access-ended": {},
    "verify-address": {"link_nonce": "2" * 32},
    "confirm-main-change": {"link_nonce": "2" * 32, "link_step": "code"},
    "address-changed": {},
    "privacy-answered": {
        "values": {
            "request": "12",
            "kind": "erase",
            "state": "done",
            "text": "Usunęliśmy Twoje dane. Zapis w dzienniku audytu zostaje na czas, o którym "
            "mówi prawo.",
            "received": "2026-03-10T08:00:00+00:00",
        }
    },
    "staff-answer": {
        "ticket": TICKET.number,
        "queue_id": "01JQUEUE",
        "in_reply_to": "abc.123@piekarnia.example",
        "cc": (OLA.address,),
        "values": {
            "subject": "Zmiana serwerów DNS",
            "text": "Pani Anno,\n\nserwery są już zmienione. \u202eUkryte\x07\n\nProszę sprawdzić.",
            "signature": "Katarzyna Wójcik\nDział Pomocy",
            "epoch": "0",
            "ticket_desk": "support",
        },
    },
}
LETTER_KINDS: dict[str, dict[str, Any]] = {
    "add": {"values": _CHANGE | {"kind": "add"}},
    "copy": {"envelope_to": OLA.address, "id": "COPY"},
    "refused": {
        "values": {
            "request": "13",
            "kind": "object",
            "state": "refused",
            "text": "Bez tych danych nie możemy wykonać umowy.",
            "received": "2026-03-10T08:00:00+00:00",
        }
    },
}


#: Mails of the token desk: what the rules asked for, and what else was so.
DESK: dict[str, dict[str, Any]] = {
    "token-received": {"acknowledge": "token-received"},
    "token-missing": {
        "acknowledge": "token-missing",
        "request": replace(ASKED, company="", account="", missing=("company", "explanation")),
    },
    "token-verify": {"step": "verify"},
    "token-approval": {"step": "manager", "state": "revoked"},
    "token-refused": {"step": "refuse", "answer": "denied", "by": ANNA},
}
DESK_KINDS: dict[str, dict[str, Any]] = {
    "unverified": {"state": "unverified"},
    "revoked": {"state": "revoked"},
    "bounced": {"state": "bounced"},
    "own": {"head": {"author": OLA.address}},
    "new": {"step": "issue", "state": "never", "last": None},
    "moved": {"step": "issue", "state": "never"},
    "expired": {"step": "issue", "state": "expired"},
    "confirmed": {"step": "issue", "by": OLA, "answer": "confirmed"},
    "approved": {"step": "issue", "by": ANNA, "answer": "confirmed"},
}


@pytest.fixture(scope="module")
def templates() -> Templates:
    return Templates.load(None)


def written(name: str, templates: Templates) -> bytes:
    template, language, *kind = name.removesuffix(".eml").split(".")
    if template in DESK or (template == "access-token" and kind):
        return desk_mail(template, language, *kind, templates=templates)
    if template in LETTERS:
        said = letter(template, language, *kind)
        return render(said, settings(), KEYS, templates).octets
    parts = {"notice": template} | USUAL[template]
    for key, value in KINDS[kind[0] if kind else "click"].items():
        parts[key] = parts.get(key, {}) | value if isinstance(value, dict) else value
    parts["case"] = parts.get("case", {}) | {"language": language}
    ticket = parts.pop("ticket", TICKET)
    return render(notice(ticket, **parts), settings(), KEYS, templates).octets


def desk_mail(template: str, language: Any, *kinds: str, templates: Templates) -> bytes:
    parts = DESK.get(template, {})
    for kind in kinds:
        parts = parts | DESK_KINDS[kind]
    asked = replace(parts.get("request", ASKED), language=language)
    ola, anna = replace(OLA, language=language), replace(ANNA, language=language)
    made = token_composed(**{"contact": ola, "manager": anna, **parts, "request": asked})
    (said,) = made.mails
    return render(said, settings(), KEYS, templates).octets


def letter(template: str, language: Any, *kinds: str) -> Notice:
    base: dict[str, Any] = {
        "id": "01JLETTER",
        "to": ANNA.address,
        "to_name": ANNA.name,
        "desk": "support",
        "contact_id": ANNA.id,
        "queue_id": None,
        "ticket": None,
        "message_id": message_id.make(KEYS, None, ANNA.id, "letter", "mailgate.desk.example"),
        "date": NOW.replace(microsecond=0),
        "values": _CHANGE,
    }
    base |= LETTERS[template]
    for kind in kinds:
        base |= LETTER_KINDS[kind]
    return Notice(template=template, language=language, **base)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_mail_is_written_exactly_like_its_golden_file(path: Path, templates: Templates) -> None:
    octets = written(path.name, templates)
    if os.environ.get("MAILGATE_UPDATE_GOLDEN") == "1":
        path.write_bytes(octets)
    assert octets.decode() == path.read_bytes().decode()


def test_every_notice_has_a_golden_mail_in_every_language() -> None:
    wanted = {f"{name}.{language}.eml" for name in NOTICES for language in LANGUAGES}
    assert wanted <= {path.name for path in FILES}


def test_a_mail_is_the_same_at_every_attempt_and_with_a_newer_key_added(
    templates: Templates,
) -> None:
    from mailgate.tokens.keys import Keys

    asked = notice()
    first = render(asked, settings(), KEYS, templates)
    rotated = Keys((b"new key, which is long enough.. ..", *KEYS.secrets))
    assert render(asked, settings(), rotated, templates) == first
    assert asked.date == NOW.replace(microsecond=0)
