"""Where the writer's signature begins: the delimiter, a closing, what a phone writes, contacts."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from mailgate.message.phrases import table
from mailgate.message.reply_text_lines import Line

_DELIMITER = re.compile(r"\s?(?:--|__|–-|-–)\s*")
#: What is added below a signature is text again.
_POSTSCRIPT = re.compile(r"\s{0,4}p\.?\s?s\.?(?:[:.,]|\s?[-–—])?\s", re.IGNORECASE)
_RULE = re.compile(r"\s?(?:_{8,}|-{8,}|={8,}|—{3,}|\*{8,})\s*")
_RULES_ONLY = re.compile(r"[\s\-_=*~—–#]{3,}")
_LIST_FOOTER = re.compile(
    r"mailing list|listinfo|unsubscribe|lista dyskusyjna|you received this message because"
    r"|reply to this email directly|to unsubscribe|groups\.google\.com"
)
_CONTACT = re.compile(
    r"[^\s@]{1,80}@[^\s@]{2,80}\.[a-z]{2,}|https?://|\bwww\."
    r"|(?:^|[^\w.])(?:\+|00)\d[\d\s().\-/]{6,20}\d|\(\d{2,5}\)\s?\d[\d\s.\-]{4,12}\d"
    r"|(?<![\d.\-])\d{3}[\s.\-]\d{3}[\s.\-]\d{3,4}(?![\d.\-])"
    r"|\b(?:tel|phone|mobile|mob|cell|fax|kom|telefon|handy|tél|móvil|gsm|skype|m|t|f|p)"
    r"\.?\s?[.:]?\s?\+?\d{3}",
    re.IGNORECASE,
)
_DASHED_NAME = re.compile(r"[-–—~]\s?[^\W\d_][\w.'’]*(?:\s[^\W\d_][\w.'’]*){0,3}\s*")
_SENTENCE = re.compile(r"[,;!?]\s|\w\.\s+\w")
_LONGEST = 80
_TRAILING = " \t,.!;:-–—*_"


@dataclass(frozen=True, slots=True)
class _Tables:
    sent_from: tuple[str, ...]
    closing: frozenset[str]


@functools.cache
def _tables() -> _Tables:
    phrases = table("reply_text")
    return _Tables(phrases["sent from"], frozenset(phrases["closing"]))


def without(lines: Sequence[Line]) -> list[Line]:
    """The lines above the signature; all of them where nothing would be left."""
    kept = _trimmed(lines)
    for cut in (_marked, _list_footer, _delimiter, _phone, _closing, _contacts, _dashed_name):
        at = cut(kept)
        if at is None or any(_POSTSCRIPT.match(line.text[:20]) for line in kept[at:]):
            continue
        if any(not line.blank for line in kept[:at]):
            kept = _trimmed(kept[:at])
    return kept


def _trimmed(lines: Sequence[Line]) -> list[Line]:
    """Without blank lines and rules at the end."""
    end = len(lines)
    while end and (lines[end - 1].blank or _RULES_ONLY.fullmatch(lines[end - 1].text[:200])):
        end -= 1
    return list(lines[:end])


def _marked(lines: Sequence[Line]) -> int | None:
    """A signature element of HTML, where only more of it follows."""
    at = next((i for i, line in enumerate(lines) if line.signature), None)
    if at is None or any(not (line.signature or line.blank) for line in lines[at:]):
        return None
    return at


def _delimiter(lines: Sequence[Line]) -> int | None:
    """`-- ` alone on a line (RFC 3676 §4.3), the first with no more than a screen below."""
    for at, line in enumerate(lines):
        if len(line.text) > 8 or line.quoted or len(lines) - at > 60:
            continue
        if _DELIMITER.fullmatch(line.text):
            return at
    return None


def _list_footer(lines: Sequence[Line]) -> int | None:
    """What a mailing list or a ticket system adds below a rule."""
    for at in range(max(0, len(lines) - 12), len(lines)):
        if not (_RULE.fullmatch(lines[at].text[:200]) or _DELIMITER.fullmatch(lines[at].text[:20])):
            continue
        below = [line for line in lines[at + 1 :] if not line.blank]
        if any(_LIST_FOOTER.search(line.words) for line in below):
            return at
    return None


def _phone(lines: Sequence[Line]) -> int | None:
    """`Sent from my …`, short and near the end."""
    for at in range(len(lines) - 1, max(-1, len(lines) - 6), -1):
        words = lines[at].words.lstrip(" \t>*_-<([")
        if not words.startswith(_tables().sent_from):
            continue
        label = re.split(r"[<(\[]|https?:", words, maxsplit=1)[0]
        if len(label) <= 60 and not _SENTENCE.search(label):
            return at
    return None


def _closing(lines: Sequence[Line]) -> int | None:
    """A line that is a closing and nothing more, with short lines below."""
    for at in range(len(lines) - 1, max(-1, len(lines) - 16), -1):
        words = lines[at].words.strip(_TRAILING)
        if words in _tables().closing and not lines[at].quoted:
            below = lines[at + 1 :]
            if all(len(line.text) <= _LONGEST or _CONTACT.search(line.text) for line in below):
                return at
    return None


def _contacts(lines: Sequence[Line]) -> int | None:
    """The last paragraph, or all below a rule, where it says in two ways how to reach somebody."""
    at = len(lines)
    contacts = paragraphs = 0
    while at and len(lines) - at < 24:
        at -= 1
        text = lines[at].text
        if _RULE.fullmatch(text[:200]):
            return at if contacts > 1 else None
        if lines[at].blank:
            if paragraphs == 0 and contacts > 1 and _is_name(lines[at + 1].text):
                return at
            paragraphs += 1
        elif len(text) > _LONGEST or lines[at].quoted or _is_sentence(text):
            return None
        else:
            contacts += _CONTACT.search(text[:200]) is not None
    return None


def _is_name(text: str) -> bool:
    """One to six words of letters, the first with a capital: `Ann Nowak, Head of Sales`."""
    words = text.strip(" *_").replace(",", " ").split()
    letters = all(word.replace(".", "").replace("-", "").isalpha() for word in words)
    return 1 <= len(words) <= 6 and letters and words[0][0].isupper()


def _is_sentence(text: str) -> bool:
    return len(text) > 50 and _SENTENCE.search(text) is not None


def _dashed_name(lines: Sequence[Line]) -> int | None:
    """`-Jan Kowalski` as the last line, after a blank one."""
    at = len(lines) - 1
    if at > 0 and lines[at - 1].blank and _DASHED_NAME.fullmatch(lines[at].text.strip()[:60]):
        return at
    return None
