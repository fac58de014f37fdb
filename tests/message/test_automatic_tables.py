"""The tables of phrases: plain text that anybody may extend, read without surprises."""

from __future__ import annotations

import pytest

from mailgate.message.phrases import table

TABLES = ("automatic", "bounces", "bounces_reasons", "reply_text")


@pytest.mark.parametrize("name", TABLES)
def test_every_section_has_phrases_as_they_are_compared(name: str) -> None:
    sections = table(name)
    assert sections
    for section, phrases in sections.items():
        assert phrases, section
        for phrase in phrases:
            assert phrase == phrase.casefold().strip(), (section, phrase)
            assert "  " not in phrase


def test_every_reason_begins_with_its_detail() -> None:
    for section in table("bounces_reasons"):
        detail, _, name = section.partition(" ")
        assert 900 <= int(detail) <= 999, section
        assert name, section


def test_phrases_are_long_enough_to_mean_something() -> None:
    for section, phrases in table("bounces_reasons").items():
        assert all(len(p) > 3 or not p.isascii() or p in ("rbl", "dkim") for p in phrases), section
    for phrase in table("automatic")["reports"]:
        assert len(phrase) > 4 or not phrase.isascii(), phrase
