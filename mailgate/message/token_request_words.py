"""Finds company, account and address of a token request in running text, word by word."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from mailgate.message.phrases import table
from mailgate.model.addresses import address_key, parse_address

#: An address as people write it. Neither side may begin or end inside something longer: what is
#: left would be somebody else's. Both have bounds and nothing to go back to: the time is linear.
_ADDRESS = re.compile(
    r"(?<![^\s<>()\[\],;:\"|*„”“])[^\s<>()\[\],;:\"|*„”“@]{1,70}+"
    r"@[^\s<>()\[\],;:\"'|*=@„”“]{1,260}+(?![^\s<>()\[\],;:\"'|*=„”“])"
)
_ACCOUNT = re.compile(r"[A-Za-z/-]{0,12}[0-9][A-Za-z0-9/-]{0,31}")
_EDGES = ".,;:!?()[]<>{}\"'`*_|„”“‘’«»=…"
_BEFORE, _NAME = 8, 8
#: Nobody wraps a line before this width.
_WRAPPED = 50
_OPEN, _CLOSE = '"„“«', '"”“»'


@dataclass(frozen=True, slots=True)
class Word:
    """A word as written, as compared, and what stands around it."""

    raw: str
    key: str
    paragraph: int

    @property
    def core(self) -> str:
        return self.raw.strip(_EDGES)

    @property
    def pause(self) -> bool:
        """Whether a part of the sentence ends here."""
        return self.raw[-1] in ",;:.!?)…" or not (self.core or self.joins)

    @property
    def stop(self) -> bool:
        if self.raw[-1] == ".":  # not that of an abbreviation: "sp. z o.o.", "nr. 5"
            return len(self.key.replace(" ", "")) > 3 or self.key.isdigit()
        return self.raw[-1] in "!?…"

    @property
    def joins(self) -> bool:
        """Whether it may stand between the words of a name."""
        return self.raw in ("&", "+") or self.key in phrases("joins")

    @property
    def capital(self) -> bool:
        return self.core[:1].isupper() or self.core[:1].isdigit()


@dataclass(slots=True)
class Text:
    """Running text, and which of its words are parts of what was found."""

    words: list[Word]
    used: set[int] = field(default_factory=set)

    def keys(self, at: int, count: int) -> str:
        return " ".join(word.key for word in self.words[at : at + count] if word.key)

    def phrase(self, at: int, phrases: Collection[str]) -> int:
        """How many words from here are one of the phrases; 0 where none is."""
        for count in range(min(6, len(self.words) - at), 0, -1):
            if self.words[at].key and self.words[at + count - 1].key:
                inner = self.words[at : at + count - 1]
                if self.keys(at, count) in phrases and not any(w.stop for w in inner):
                    return count
        return 0


@functools.cache
def phrases(section: str) -> frozenset[str]:
    """A section of the table, as `fold` writes its phrases."""
    return frozenset(fold(phrase) for phrase in table("token_request")[section])


def fold(text: str) -> str:
    """Words in lower case without diacritics, apart by one blank, and nothing else."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.casefold().replace("ł", "l"))
        text = "".join(c for c in text if not unicodedata.combining(c))
    spaced = "".join(c if c.isalnum() else "" if c in "'’" else " " for c in text.lower())
    return " ".join(spaced.split())


def split(lines: Sequence[str]) -> Text:
    """Words of the lines; a paragraph goes on where a long line was only wrapped."""
    words: list[Word] = []
    paragraph = 0
    for line in lines:
        words += [Word(raw, fold(raw), paragraph) for raw in line.split()]
        paragraph += len(line) < _WRAPPED
    return Text(words)


def addresses(text: str, ours: Collection[str] = ()) -> Iterator[str]:
    """Proper addresses in a text in order, but for those of ours."""
    for match in _ADDRESS.finditer(text):
        try:
            address = parse_address(match[0].lstrip("'=").strip(".!?*_…-"))
        except ValueError:
            continue
        if address_key(address) not in ours:
            yield address


def account(text: Text) -> str:
    """What is written after "account number" and the like, and has a digit in it."""
    words = text.words
    for at in range(len(words)):
        count = text.phrase(at, phrases("account before"))
        if not count:
            continue
        value = _skip(text, at + count, phrases("between"))
        if words[at + count - 1].raw[-1] in ",;!?)":
            continue
        if value < len(words) and is_account(words[value].core) and not _is_amount(text, value):
            text.used.update(range(at, value + 1))
            return words[value].core.lstrip("#")
    return ""


def is_account(word: str) -> bool:
    return _ACCOUNT.fullmatch(word.removeprefix("#")) is not None and len(word) <= 40


def _is_amount(text: Text, at: int) -> bool:
    """Whether a number counts or dates something, or begins the number of a bank account."""
    following = text.words[at + 1] if at + 1 < len(text.words) else None
    if following is None or text.words[at].pause:
        return False
    return following.key in phrases("unit") or (len(following.key) == 4 and following.key.isdigit())


def address(text: Text, ours: Collection[str]) -> str:
    """The address that is said to be the registered one, else the only one there is."""
    found: dict[str, int] = {}
    last, meant = -9, 1
    for at, word in enumerate(text.words):
        if "@" not in word.raw:
            continue
        joined = at - last < 3 and all(w.key in phrases("or") for w in text.words[last + 1 : at])
        meant = meant if joined else _meant(text, at)
        last = at
        for here in addresses(word.raw, ours):
            text.used.add(at)
            found[here] = max(found.get(here, -1), meant)
    said = [one for one, meant in found.items() if meant == 2]
    named = [one for one, meant in found.items() if meant == 1]
    if said:
        return said[0]
    if len(named) == 1:
        return named[0]
    return ""


def _meant(text: Text, at: int) -> int:
    """2 where the words around an address say it is the registered one, 0 where they say it is
    not, and 1 where they say nothing."""
    first = at
    while first and at - first < _BEFORE and not _ends_before(text, first):
        first -= 1
    behind = range(at + 1, min(at + 3, len(text.words)))
    if not text.words[at].stop and any(
        text.phrase(i, phrases("registered behind")) for i in behind
    ):
        return 2
    for start in range(at - 1, first - 1, -1):
        if text.phrase(start, phrases("not registered")):
            return 0
        if count := text.phrase(start, phrases("registered")):
            before = text.words[start - 1].key if start else ""
            after = {word.key for word in text.words[start + count : at]}
            if before in phrases("not") or after & phrases("not"):
                return 0
            text.used.update(range(start, start + count))
            return 2
        if start >= at - 2 and text.words[start].key in phrases("not"):
            return 0
    return 1


def _ends_before(text: Text, at: int) -> bool:
    """Whether another sentence, or another address, stands before this word."""
    before = text.words[at - 1]
    return before.stop or "@" in before.raw or before.paragraph != text.words[at].paragraph


# --- companies ------------------------------------------------------------------------------------


def company(text: Text) -> str:
    """A name after "on behalf of" and the like, else one with a legal form."""
    for section in ("company named", "company before", "company before a capital"):
        for at in range(len(text.words)):
            count = text.phrase(at, phrases(section))
            if not count or text.words[at + count - 1].stop:
                continue
            start = _skip(text, at + count, phrases("company between"))
            listed = section == "company before" and _is_listed(text, at, start)
            bold = start == at + count and (section == "company named" or listed)
            end = _name_end(text, start, bold=bold)
            if end > start:
                text.used.update(range(at, end))
                return _joined(text, start, end)
    return with_form(text)


def _is_listed(text: Text, at: int, start: int) -> bool:
    """Whether label and name are an item among commas: `token expired, company abc, account 5`."""
    if at and not text.words[at - 1].pause:
        return False
    return any(word.raw.endswith((",", ";")) for word in text.words[start : start + 3])


def _skip(text: Text, at: int, between: Collection[str]) -> int:
    for _ in range(4):
        if at < len(text.words) and (not text.words[at].core or text.words[at].key in between):
            at += 1
    return at


def _name_end(text: Text, start: int, *, bold: bool) -> int:
    """Where a name ends that begins here; `start` where there is none. `bold`: what stands here
    is a name even if nothing is written with a capital."""
    words = text.words
    if start >= len(words) or words[start].key in phrases("no name") or "@" in words[start].raw:
        return start
    if words[start].raw[0] in _OPEN and (end := _quoted_end(words, start)):
        return end + _form(text, end)
    form = _form_within(text, start)
    if form:
        return form
    if not words[start].capital and not bold:
        return start
    at = start
    while at < min(start + _NAME, len(words)) and _goes_on(text, start, at):
        at += 1
        if words[at - 1].pause:
            break
    while at > start + 1 and words[at - 1].joins:
        at -= 1
    is_number = at == start + 1 and is_account(words[start].core)
    return start if is_number or not any(c.isalpha() for c in words[start].core) else at


def _goes_on(text: Text, start: int, at: int) -> bool:
    word = text.words[at]
    if word.key in phrases("no name") or "@" in word.raw or word.raw[0] in "(-–—":
        return False
    if word.paragraph != text.words[start].paragraph:
        return False
    return not text.words[start].capital or word.capital or word.joins


def _quoted_end(words: Sequence[Word], start: int) -> int:
    for at in range(start, min(start + _NAME, len(words))):
        if words[at].raw.rstrip(",.;:!?)")[-1:] in tuple(_CLOSE) and (
            at > start or len(words[at].raw) > 2
        ):
            return at + 1
    return 0


def _form(text: Text, at: int) -> int:
    return text.phrase(at, phrases("company form")) if at < len(text.words) else 0


def _form_within(text: Text, start: int) -> int:
    """The word after a legal form near here, where a name leads up to it; or 0."""
    for at in range(start, min(start + _NAME, len(text.words))):
        count = _form(text, at)
        if count and at > start:
            return at + count
        word = text.words[at]
        comma = word.raw.endswith(",") and _form(text, at + 1)
        if word.key in phrases("no name") or (word.pause and not comma and not _is_initial(word)):
            return 0
    return 0


def _is_initial(word: Word) -> bool:
    return len(word.core) == 1 and word.raw.endswith(".")


def with_form(text: Text) -> str:
    """A name that nothing leads up to, but that ends with a legal form: capitals before it."""
    for at in range(1, len(text.words)):
        count = _form(text, at)
        if not count:
            continue
        start = at
        while start and at - start < _NAME and _belongs(text.words, start - 1, at):
            start -= 1
        while start < at and text.words[start].joins:
            start += 1
        if start < at:
            text.used.update(range(start, at + count))
            return _joined(text, start, at + count)
    return ""


def _belongs(words: Sequence[Word], here: int, form: int) -> bool:
    """Whether a word is part of the name whose legal form is the word at `form`."""
    word = words[here]
    if word.paragraph != words[form].paragraph or word.stop or word.key in phrases("no name"):
        return False
    if word.pause and not (here == form - 1 and word.core):
        return False
    return word.capital or word.joins or word.raw[0] in _OPEN


def _joined(text: Text, start: int, end: int) -> str:
    name = " ".join(word.raw for word in text.words[start:end])
    if name[0] in _OPEN:
        name = name[1:]
        place = next((i for i, c in enumerate(name) if c in _CLOSE), -1)
        name = name[:place] + name[place + 1 :] if place >= 0 else name
    dotted = text.words[end - 1].raw.rstrip(",;:!?)")
    keeps = dotted.endswith(".") and (
        dotted.count(".") > 1 or text.words[end - 1].key in phrases("dotted")
    )
    return name.strip(" ,;:!?()*_" + ("" if keeps else "."))
