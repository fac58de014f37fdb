"""What mailgate says to people, in every language it speaks: reasons, pages, dates."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from types import MappingProxyType
from typing import Any

from mailgate.model.directory import Language
from mailgate.model.retention import Window
from mailgate.yamlfile import loads_plain

__all__ = ["Reason", "Words", "text", "words"]


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason code in words for the customer: why it is so, and what to do about it."""

    customer: str
    advice: str


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of one language by dotted key; asking for one that is not there is an error."""

    language: Language
    texts: Mapping[str, str]

    def __getitem__(self, key: str) -> str:
        try:
            return self.texts[key]
        except KeyError:
            raise KeyError(f"{self.language}.yaml has no text {key}") from None

    def __contains__(self, key: str) -> bool:
        return key in self.texts

    def say(self, key: str, /, **values: Any) -> str:
        """The text with its {names} filled in; a value is never read as a text to fill."""
        return self[key].format_map(values)

    def reason(self, code: str) -> Reason:
        return Reason(self[f"reason.{code}.customer"], self[f"reason.{code}.advice"])

    def date(self, at: datetime) -> str:
        """A moment as people write it, with the name of its time zone."""
        month = self[f"date.month.m{at.month}"]
        return self.say("date.full", day=at.day, month=month, year=at.year, at=at)

    def span(self, window: Window, *, of: bool = False) -> str:
        """How long something is kept, as in "3 months"; `of` is the form that follows "within"."""
        years, months = divmod(window.months, 12) if window.months % 12 == 0 else (0, window.months)
        units = (("years", years), ("months", months), ("days", window.days))
        start = "span.of" if of else "span"
        said = [self.say(f"{start}.{unit}.{_form(n)}", n=n) for unit, n in units if n]
        return f" {self['span.and']} ".join(said or [self.say(f"{start}.days.many", n=0)])


def _form(n: int) -> str:
    """Which form a counted noun takes (Unicode CLDR plural rules for Polish; in English "few" and
    "many" read the same)."""
    if n == 1:
        return "one"
    return "few" if n % 10 in (2, 3, 4) and n % 100 not in (12, 13, 14) else "many"


def text(language: Language, key: str, /, **values: Any) -> str:
    """One text of one language with its values filled in."""
    return words(language).say(key, **values)


@functools.cache
def words(language: Language) -> Words:
    """All texts of a language: its own file and those of single faces, such as `panel.pl.yaml`.

    They are part of the program, hence read once and kept.
    """
    texts: dict[str, str] = {}
    for file in sorted(resources.files(__package__).iterdir(), key=lambda f: f.name):
        if f".{file.name}".endswith(f".{language}.yaml"):
            data, _marks = loads_plain(file.read_text("utf-8"), file.name)
            texts.update(_flat(data, ""))
    return Words(language, MappingProxyType(texts))


def _flat(node: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, str):
        yield place, node.strip()
    elif isinstance(node, dict) and node:
        for key, below in node.items():
            yield from _flat(below, f"{place}.{key}" if place else key)
    else:
        raise TypeError(f"{place}: texts are text, not {node!r}")
