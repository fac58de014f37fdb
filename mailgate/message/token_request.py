"""Reads what somebody wrote to the token desk: company, account, address, and why (row B4).

Everything follows from the text and its author alone. Whether such a company or address exists is
nothing a reader could know, so what is said to be missing tells no stranger anything (row B10).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence

from mailgate.message import token_request_lines as labelled
from mailgate.message import token_request_words as running
from mailgate.message.token_request_lines import FIELDS, Labelled
from mailgate.message.token_request_words import Text, fold, phrases
from mailgate.model.addresses import address_key
from mailgate.model.directory import Language
from mailgate.model.token_request import TokenRequest

#: More of a text than this is not read: a request is short.
_LONGEST = 20_000
_LONGEST_VALUES: Mapping[str, int] = {"address": 320, "explanation": 2_000}
_LONGEST_VALUE = 200
#: So many words, besides greeting and values, say why somebody writes.
_ENOUGH = 3
_CLOSING_WORDS = 5
_DIACRITICS = re.compile("[ąćęłńśźżĄĆĘŁŃŚŹŻ]")

#: The labels that mailgate writes itself, in forms and in questions.
LABELS: Mapping[Language, tuple[str, str, str, str]] = {
    "pl": ("Firma", "Numer konta", "Zarejestrowany adres e-mail", "Wyjaśnienie"),
    "en": ("Company", "Account ID", "Registered e-mail address", "Explanation"),
}


def read_request(text: str, author: str | None, own: frozenset[str] = frozenset()) -> TokenRequest:
    """Read a request in Polish or English, with labels or as running text.

    `text` is the text of a message, `author` its one author or None, `own` are addresses of ours,
    which are nobody's. Where no address is written, the author's is meant. What is quoted is not
    read; what is passed on, and labelled, is. Takes time in proportion to the text, and reads no
    more than its first 20,000 characters. Never raises.
    """
    ours = frozenset(address_key(address) for address in own)
    assumed = author if author and address_key(author) not in ours else ""
    if (form := _own_form(text)) is not None:
        language, values = form
        address = next(running.addresses(values["address"], ours), "")
        return _request(values | {"address": address or assumed}, language)
    parts = labelled.parts(text[:_LONGEST].replace("\r\n", "\n").replace("\r", "\n"))
    found = labelled.read(parts.body, ours)
    values = dict(found.values)
    words = running.split(_said(found.rest))
    _fill(values, "address", running.address(words, ours))
    _fill(values, "account", running.account(words) or _bare_account(found.rest))
    _fill(values, "company", running.company(words))
    _fill(values, "explanation", _explanation(found.rest, words))
    for others in (_form_in(parts.signature, ours), labelled.read(parts.passed_on, ours).values):
        for name in FIELDS:
            _fill(values, name, others.get(name, ""))
    _fill(values, "company", running.with_form(running.split(parts.signature)))
    _fill(values, "address", assumed)
    return _request(values, _language(parts.body, found))


def merge(earlier: TokenRequest, later: TokenRequest, author: str | None = None) -> TokenRequest:
    """What both say together; what the later one says counts, but the first reason stays.

    `author` is the author of both: an address that only follows from who wrote does not replace
    one that was written.
    """
    written = later.address if later.address != (author or "") else ""
    values = {
        "company": later.company or earlier.company,
        "account": later.account or earlier.account,
        "address": written or earlier.address or later.address,
        "explanation": earlier.explanation or later.explanation,
    }
    return _request(values, later.language or earlier.language)


def as_text(request: TokenRequest, language: Language) -> str:
    """The labelled form of a request; `read_request` reads the same from it."""
    values = (request.company, request.account, request.address, request.explanation)
    lines = (
        f"{label}: {_tidy(name, value)}".rstrip()
        for name, label, value in zip(FIELDS, LABELS[language], values, strict=True)
    )
    return "\n".join(lines) + "\n"


def _own_form(text: str) -> tuple[Language, dict[str, str]] | None:
    """The values of a text that `as_text` wrote, and that nobody wrote anything around."""
    lines = text[:_LONGEST].strip().replace("\r\n", "\n").split("\n")
    for language, labels in LABELS.items():
        pairs = list(zip(lines, labels, strict=False))
        if len(lines) == len(labels) and all(line.startswith(f"{label}:") for line, label in pairs):
            values = [line[len(label) + 1 :] for line, label in pairs]
            return language, dict(zip(FIELDS, values, strict=True))
    return None


def _request(values: Mapping[str, str], language: Language | None) -> TokenRequest:
    tidy = {name: _tidy(name, values[name]) for name in FIELDS}
    absent = {
        "company": not (tidy["company"] or tidy["account"]),
        "address": not tidy["address"],
        "explanation": not tidy["explanation"],
    }
    missing = tuple(name for name, is_absent in absent.items() if is_absent)
    return TokenRequest(**tidy, language=language, missing=missing)


def _tidy(name: str, value: str) -> str:
    """One line of visible text of a bounded length, "" where it only fills its place."""
    visible = (" " if unicodedata.category(c) in {"Cc", "Zl", "Zp", "Cs"} else c for c in value)
    longest = _LONGEST_VALUES.get(name, _LONGEST_VALUE)
    line = " ".join("".join(visible).split())[:longest].strip()
    empty = labelled.is_blank if name == "explanation" else labelled.is_nothing
    return "" if empty(line) else line


def _fill(values: dict[str, str], name: str, value: str) -> None:
    values[name] = values.get(name) or value


def _form_in(signature: Sequence[str], ours: Collection[str]) -> Mapping[str, str]:
    """A form that stands at the end of a text looks like a signature; a signature asks for no
    account and gives no reason."""
    values = labelled.read(signature, ours).values
    return values if values.keys() & {"account", "explanation"} else {}


def _bare_account(lines: Sequence[str]) -> str:
    """A line that is a number, or begins with one and a comma: the answer to a question for it."""
    bare = (re.split("[,;]", line, maxsplit=1)[0].strip(" .#") for line in lines)
    return next((line for line in bare if len(line) < 9 and running.is_account(line)), "")


# --- the reason -----------------------------------------------------------------------------------


def _explanation(lines: Sequence[str], words: Text) -> str:
    """What is left besides greeting, closing and name, where it says more than the values do."""
    said = " ".join(line.strip() for line in _said(lines) if line.strip())
    polite = phrases("polite")
    left = [
        word
        for at, word in enumerate(words.words)
        if at not in words.used and word.key not in polite and any(c.isalpha() for c in word.key)
    ]
    # A word or two are a name, or what is left of a label.
    reasons = phrases("reason")
    enough = len(left) >= _ENOUGH or any(word.key in reasons for word in left)
    return said if enough else ""


def _said(lines: Sequence[str]) -> list[str]:
    """The lines between greeting and closing."""
    said: list[str] = []
    for line in lines:
        if any(said) and _is_only(line, "closing"):
            break
        said.append("" if _is_only(line, "greeting") else line)
    return said


def _is_only(line: str, section: str) -> bool:
    words = fold(line[:100]).split()
    if not words or len(words) > _CLOSING_WORDS:
        return False
    return any(" ".join(words[:count]) in phrases(section) for count in range(len(words), 0, -1))


def _language(lines: Sequence[str], found: Labelled) -> Language | None:
    """Polish or English, by the words that only one of them has; None where neither is ahead."""
    text = "\n".join(lines)
    words = set(fold(text).split())
    polish = len(words & phrases("polish")) + 2 * bool(_DIACRITICS.search(text))
    english = len(words & phrases("english"))
    polish += found.languages.count("pl")
    english += found.languages.count("en")
    if polish == english:
        return None
    return "pl" if polish > english else "en"
