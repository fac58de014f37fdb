"""Every mail that mailgate sends, word for word.

A golden mail is `tests/golden/<notice>.<language>[.<kind>].eml`. To add one, make an empty file of
that name and run the test with MAILGATE_UPDATE_GOLDEN=1; then read what it wrote.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from mailgate.model.directory import LANGUAGES
from mailgate.outbound import NOTICES
from mailgate.outbound.render import render
from mailgate.outbound.templates import Templates
from tests.outbound.samples import KEYS, NOW, OLA, TICKET, notice, settings

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


@pytest.fixture(scope="module")
def templates() -> Templates:
    return Templates.load(None)


def written(name: str, templates: Templates) -> bytes:
    template, language, *kind = name.removesuffix(".eml").split(".")
    parts = {"notice": template} | USUAL[template]
    for key, value in KINDS[kind[0] if kind else "click"].items():
        parts[key] = parts.get(key, {}) | value if isinstance(value, dict) else value
    parts["case"] = parts.get("case", {}) | {"language": language}
    ticket = parts.pop("ticket", TICKET)
    return render(notice(ticket, **parts), settings(), KEYS, templates).octets


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
