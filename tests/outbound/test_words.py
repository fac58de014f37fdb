"""What mailgate says: the same texts in every language, and a text for every reason."""

from __future__ import annotations

import string
from datetime import UTC, datetime

import pytest

from mailgate import outbound
from mailgate.model.directory import LANGUAGES, Language
from mailgate.rules import codes
from mailgate.words import text, words

PL, EN = words("pl"), words("en")


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_every_language_has_the_same_texts_with_the_same_gaps() -> None:
    assert PL.texts.keys() == EN.texts.keys()
    assert not {key for key in PL.texts if fields(PL[key]) != fields(EN[key])}
    assert all(PL.texts.values())
    assert all(EN.texts.values())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", codes.REASONS)
def test_every_reason_a_rule_may_give_is_a_sentence_and_an_advice(
    code: str, language: Language
) -> None:
    reason = words(language).reason(code)
    assert reason.customer.endswith(".")
    assert reason.advice.endswith(".")


def test_the_two_languages_do_not_say_the_same_words() -> None:
    same = {key for key in PL.texts if key.startswith("reason.") and PL[key] == EN[key]}
    assert not same


def test_every_notice_that_a_rule_may_send_has_a_template() -> None:
    assert set(codes.NOTICES) <= set(outbound.NOTICES)
    assert set(codes.LINK_NOTICES) <= outbound.ASKING


def test_a_text_that_is_not_there_is_an_error_that_names_it() -> None:
    with pytest.raises(KeyError, match=r"pl.yaml has no text reason\.nonsense\.customer"):
        PL.reason("nonsense")
    with pytest.raises(KeyError, match="no text reason"):
        EN["reason"]  # a heading is no text


def test_a_value_is_never_read_as_a_text_to_fill() -> None:
    filled = text("en", "date.full", day="{year}", month="{at}", year="{0}", at=datetime.now(UTC))
    assert filled.startswith("{year} {at} {0}, ")


def test_dates_are_written_as_people_write_them() -> None:
    at = datetime(2026, 8, 5, 7, 3, tzinfo=UTC)
    assert PL.date(at) == "5 sierpnia 2026, 07:03 (UTC)"
    assert EN.date(at) == "5 August 2026, 07:03 (UTC)"
