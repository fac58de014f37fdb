"""Open predicates: what rules may search in a message, in time linear in its length.

`contains` and `is` compare without case; `matches` takes a pattern of RE2 as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import product
from unicodedata import normalize

import re2

from mailgate.model.facts import Facts
from mailgate.rules.conditions import Open

Texts = Callable[[Facts], Iterable[str]]
Search = Callable[[str], str | None]
"""Gives what was found in a text, to be shown, or None."""

#: What each open predicate looks at; `header` and `size` take one more argument.
TEXTS: dict[str, Texts] = {
    "subject": lambda facts: (facts.subject,),
    "text": lambda facts: (facts.text,),
    "recipient": lambda facts: facts.recipients,
    "attachment": lambda facts: facts.attachments,
}
OPERATORS = ("contains", "is", "matches")
_SHOWN = 60
#: Constructs of other dialects that need more than linear time.
_TRAPS = (
    (re.compile(r"\(\?<?[=!]"), "look-around"),
    (re.compile(r"\\(?:[1-9]|k[<{'])|\(\?P="), "the back-reference"),
    (re.compile(r"\(\?>|[*+?}]\+"), "the atomic"),
)


class BadPattern(ValueError):
    """A pattern that RE2 does not take, with the position and the reason in words."""


def text_predicate(subject: str, texts: Texts, operator: str, wanted: list[str]) -> Open:
    """A predicate that holds if the operator finds one of the wanted in one of the texts."""
    searches = [_SEARCHES[operator](word) for word in wanted]
    words = " or ".join(repr(word) for word in wanted)

    def find(facts: Facts) -> str | None:
        for text in texts(facts):
            for search in searches:
                if (found := search(text)) is not None:
                    return _shorten(found)
        return None

    return Open(f"{subject} {operator} {words}", find)


def header_texts(name: str) -> Texts:
    """Bodies of the fields of that name, compared without case (RFC 5322 §1.2.2)."""
    wanted = name.lower()
    return lambda facts: [body for field, body in facts.headers if field.lower() == wanted]


def size_predicate(over: int | None, under: int | None) -> Open:
    """A predicate on the octets of the content; both bounds are exclusive."""
    bounds = [f"over {over}"] if over is not None else []
    bounds += [f"under {under}"] if under is not None else []

    def find(facts: Facts) -> str | None:
        fits = (over is None or facts.size > over) and (under is None or facts.size < under)
        return f"{facts.size} octets" if fits else None

    return Open(f"size is {' and '.join(bounds)} octets", find)


def compile_pattern(pattern: str) -> re2._Regexp:
    """A pattern that cannot take more than linear time, or `BadPattern` (promise M8)."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise BadPattern(_reason(pattern, error)) from error


def _reason(pattern: str, error: Exception) -> str:
    said = error.args[0]
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    what, _, fragment = words.partition(": ")
    places = [m.start() for m in re.finditer(re.escape(fragment), pattern)] if fragment else []
    for place, (trap, name) in product(places, _TRAPS):
        if match := trap.match(pattern, place):
            return f"{_at(place)}: {name} {match[0]} has no place in a linear-time pattern"
    place = places[0] if places else len(pattern) - 1
    return f"{_at(place)}: {what} in {fragment!r}" if fragment else f"{_at(place)}: {what}"


def _at(place: int) -> str:
    return f"at character {place + 1} of the pattern"


def _shorten(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")


def _fold(text: str) -> str:
    """One form for comparing without case; letters with marks come composed or in pieces."""
    return normalize("NFC", text).casefold()


def _contains(word: str) -> Search:
    wanted = _fold(word)
    return lambda text: word if wanted in _fold(text) else None


def _is(word: str) -> Search:
    wanted = _fold(word).strip()
    return lambda text: text if _fold(text).strip() == wanted else None


def _matches(pattern: str) -> Search:
    compiled = compile_pattern(pattern)

    def search(text: str) -> str | None:
        # RE2 reads UTF-8; half a surrogate pair from a broken field has no octets there.
        match = compiled.search(text.encode("utf-8", "replace"))
        return match.group().decode("utf-8", "replace") if match else None

    return search


_SEARCHES: dict[str, Callable[[str], Search]] = {
    "contains": _contains,
    "is": _is,
    "matches": _matches,
}
