"""What a subject says of the one who wrote it: a responder, a mail system, or a person."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from mailgate.message.phrases import table

Said = Literal["absence", "answer", "calendar"]

_THEN = r"(?:\s?[:：]|\s(?:re|aw|sv|odp|antw|fw|fwd|wg)\s?:)"
_REPLY_PREFIXES = re.compile(r"(?:(?:re|aw|sv|odp|antw|r)\s?:\s*|\[[^\]]{0,80}\]\s*){1,8}")


@dataclass(frozen=True, slots=True)
class _Patterns:
    answer: re.Pattern[str]
    absence: re.Pattern[str]
    answer_to: re.Pattern[str]
    absence_of: re.Pattern[str]
    tag: re.Pattern[str]
    calendar: re.Pattern[str]
    reports: tuple[str, ...]


def _any(phrases: Iterable[str]) -> str:
    return "(?:" + "|".join(re.escape(p) for p in sorted(phrases, key=len, reverse=True)) + ")"


@functools.cache
def _patterns() -> _Patterns:
    phrases = table("automatic")
    then_or_end = rf"(?:{_THEN}|(?P<end>$))"
    return _Patterns(
        answer=re.compile(_any(phrases["answers"]) + then_or_end),
        absence=re.compile(_any(phrases["absences"]) + then_or_end),
        answer_to=re.compile(_any(phrases["answers to a message"]) + r"\s?[:：]"),
        absence_of=re.compile(_any(phrases["absences of a message"]) + r"(?:\s?[:：]|$)"),
        tag=re.compile(r"[\[(<*]{1,3}\s?" + _any(phrases["tags"]) + r"\s?[\])>*]"),
        calendar=re.compile(_any(phrases["calendar"]) + r"\s?[:：]"),
        reports=phrases["reports"],
    )


def fold(subject: str) -> str:
    """The beginning of a subject as the tables write it: case-folded, single spaces."""
    return " ".join(subject[:300].split()).casefold()


def is_report(subject: str) -> bool:
    """Whether the subject begins as those of delivery reports do."""
    return fold(subject).startswith(_patterns().reports)


def said(subject: str, answers: bool, calendar: bool) -> Said | None:
    """What a phrase at the start of the subject says of the writer.

    People ask about responders, and answer them with `Re:` before the phrase. So a phrase that
    is the whole subject counts only on a message that names another (`answers`); one after `Re:`
    only on a message that does not, since a person's client which writes `Re:` names it.
    `calendar` tells that a field calls the message a calendar's.
    """
    patterns, text = _patterns(), fold(subject)
    if found := patterns.absence.match(text):
        return "absence" if answers or found["end"] is None else None
    if found := patterns.answer.match(text):
        return "answer" if answers or found["end"] is None else None
    if patterns.tag.match(text):
        return "answer"
    if answers and patterns.absence_of.match(text):
        return "absence"
    if answers and patterns.answer_to.match(text):
        return "answer"
    if calendar and patterns.calendar.match(text):
        return "calendar"
    if not answers and (prefixes := _REPLY_PREFIXES.match(text)):
        found = patterns.absence.match(text, prefixes.end())
        if found and found["end"] is None:
            return "absence"
    return None
