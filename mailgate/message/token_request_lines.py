"""Finds what a token request labels, line by line, and which lines its author wrote (row B4)."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from mailgate.message import reply_text_lines, reply_text_marks, reply_text_signature
from mailgate.message.phrases import table
from mailgate.message.reply_text_lines import Line
from mailgate.message.token_request_words import (
    account,
    addresses,
    fold,
    is_account,
    phrases,
    split,
)
from mailgate.model.directory import LANGUAGES, Language

FIELDS = ("company", "account", "address", "explanation")
_LINES = 400
_LONGEST_LABEL, _LONGEST_MENDED = 60, 200
_NAME = 6
_BULLET = re.compile(r"[\s>*•·–—\-]*(?:\(?\d{1,2}[.)]\s+)?[\s*_]*")
_SEPARATOR = re.compile(r"[:;=|\t]|\s[-–—]+\s?|[-–—]+\s|\s{2}")
_WITHIN = re.compile(r"[:=]")
_PART = re.compile(r"[,;|:=()\t•]|\.\s+(?=[^\W\d_a-z])|\s[-–—]\s|\s{2}")
_EDGES = " \t*_|,;:=•–—"
_WRITTEN = re.compile(r"\S+")
_PLACEHOLDER = re.compile(r"\(.*\)|\[.*\]|<.*>|\{.*\}")
#: What some keyboards write for a colon and a semicolon.
_WIDE = str.maketrans({"：": ":", "；": ";", "\u3000": " "})
_NUMBER_FIRST = re.compile(r"(?:(?:nr|numer|no|number|id)\b)?[\s.:#]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Label:
    """A label at a place of a line: what it asks for, and where its value begins. It may ask for
    two things at once, or for nothing that concerns us."""

    names: tuple[str, ...]
    language: Language | None
    start: int
    end: int


@dataclass(slots=True)
class Labelled:
    """The values that have labels, each the first of its kind, and the lines that have none."""

    values: dict[str, str] = field(default_factory=dict)
    languages: list[Language] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Parts:
    """A text by who wrote what: its author, the author's signature, somebody whose mail is quoted
    or passed on."""

    body: list[str]
    signature: list[str]
    passed_on: list[str]


def parts(text: str) -> Parts:
    """An answer typed below a quoted label is its author's, and so is the label then."""
    lines = reply_text_lines.of_plain(reply_text_marks.split_shared_line(text.translate(_WIDE)))[
        :_LINES
    ]
    found = reply_text_marks.find(lines)
    cut, forwarded = len(lines), False
    hidden: set[int] = set()
    for mark in found:
        following = next((line for line in lines[mark.end :] if not line.blank), None)
        if mark.kind == "attribution" and following is not None and following.quoted:
            hidden.update(range(mark.start, mark.end))
            continue
        cut, forwarded = mark.start, mark.kind == "forwarded"
        break
    own = [
        Line(_unquoted(line)) if line.quoted else line
        for at, line in enumerate(lines[:cut])
        if at not in hidden and (not line.quoted or _is_answered(lines, at))
    ]
    others = [_unquoted(line) for at, line in enumerate(lines) if line.quoted or at >= cut]
    empty = all(line.blank for line in own)
    body = reply_text_signature.without(own)
    return Parts(
        body=[line.text for line in body],
        signature=[line.text for line in own[len(body) :]],
        passed_on=others if forwarded or empty else [],
    )


def _unquoted(line: Line) -> str:
    return line.text.lstrip(" >") if line.quoted else line.text


def _is_answered(lines: Sequence[Line], at: int) -> bool:
    following = lines[at + 1] if at + 1 < len(lines) else None
    if following is None or following.quoted or following.blank:
        return False
    text = _unquoted(lines[at])
    labels = find(text)
    return bool(labels) and not text[labels[-1].end :].strip(_EDGES) and not find(following.text)


def read(lines: Sequence[str], ours: Collection[str]) -> Labelled:
    """A value stands beside its label, or on the line below; an explanation takes more lines."""
    found = Labelled()
    awaited: tuple[str, ...] = ()
    for line in lines:
        labels = find(line)
        if labels:
            awaited = _take(found, line, labels, ours)
        elif awaited == ("explanation",) and (line.strip() or not found.values.get("explanation")):
            _explain(found, line)
        elif awaited and line.strip():
            if not _keep(found, awaited, line, ours):
                found.rest.append(line)
            awaited = ()
        elif not awaited or line.strip():
            found.rest.append(line)
        else:
            awaited = () if awaited == ("explanation",) else awaited
    return found


def _take(
    found: Labelled, line: str, labels: Sequence[Label], ours: Collection[str]
) -> tuple[str, ...]:
    """Keep the values of a line; gives what the next line is awaited to say."""
    head = line[: labels[0].start].strip(_EDGES + "(")
    if _BULLET.fullmatch(head) is None:
        found.rest.append(head)
    value = ""
    for label, following in zip(labels, (*labels[1:], None), strict=True):
        value = line[label.end : following.start if following else len(line)]
        if label.language:
            found.languages.append(label.language)
        if label.names == ("explanation",):
            _explain(found, value.rstrip(_EDGES + "(") if following else value)
        else:
            _keep(found, label.names, value, ours)
    last = labels[-1].names
    return last if last == ("explanation",) or not value.strip(_EDGES) else ()


def _explain(found: Labelled, line: str) -> None:
    line = line.strip().lstrip(_EDGES).removesuffix("**").strip()
    before = found.values.get("explanation", "")
    if before or not is_blank(line):
        found.values["explanation"] = f"{before} {line}".strip()


def _keep(found: Labelled, names: Sequence[str], value: str, ours: Collection[str]) -> bool:
    value = value.strip(_EDGES)
    named = _sorted(tuple(names), value, ours) if names and not is_nothing(value) else {}
    for name, one in named.items():
        if one:
            found.values.setdefault(name, one)
    return any(named.values())


def _sorted(names: tuple[str, ...], value: str, ours: Collection[str]) -> Mapping[str, str]:
    """What a value is, whatever its label says: people put an address where a number is asked."""
    address = next(addresses(value, ours), "") or _mended(value, ours)
    if names == ("address",) or (address and "@" in value and " " not in value):
        return {"address": address}
    if names == ("account",):
        number = account(split([value])) or account_of(value)
        if " " in number and not any(c.isdigit() for c in number):
            return {"company": _short(value)}
        return {"account": number}
    if names == ("company",):
        return {"account": value} if is_account(value) else _company(value)
    pieces = [p.strip(_EDGES + ")") for p in re.split(r"[,;/|(]", value)]
    pieces = pieces if len(pieces) > 1 else value.split()
    numbers = [account_of(p) for p in pieces if is_account(account_of(p))]
    if len(pieces) < 2 or not numbers:
        return {"account": account_of(value)} if is_account(value) else {"company": _short(value)}
    company = " ".join(p for p in pieces if p and account_of(p) != numbers[-1])
    return {"company": company, "account": numbers[-1]}


def _short(value: str) -> str:
    """What may be a name where none was asked for; a sentence is none."""
    words = split([value]).words
    return value if len(words) <= _NAME and not any(word.stop for word in words[:-1]) else ""


def _company(value: str) -> Mapping[str, str]:
    """A name, and the number of an account where one follows: `Piekarnia, konto nr 1001`."""
    words = split([value])
    number = account(words)
    if not number or not min(words.used):
        return {"company": value}
    name = " ".join(word.raw for word in words.words[: min(words.used)])
    return {"company": name.strip(_EDGES + "("), "account": number}


def account_of(value: str) -> str:
    """The number or name of an account without what people put around it."""
    start = _NUMBER_FIRST.match(value)
    plain = value[start.end() if start and start.end() < len(value) else 0 :]
    first, _, more = plain.partition(" ")
    first = first.rstrip(",;(.)")
    if is_account(first) and not any(c.isdigit() for c in more):
        return first
    return re.split(r"[,;(]", plain, maxsplit=1)[0].strip(_EDGES + ").")


def _mended(value: str, ours: Collection[str]) -> str:
    """An address that a phone has put blanks into, or whose `@` somebody wrote in words."""
    plain = re.sub(
        r"\s?[(\[](?:at|małpa|malpa)[)\]]\s?|\s(?:at|małpa|malpa)\s", "@", value[:_LONGEST_MENDED]
    )
    whole = len(value) <= _LONGEST_MENDED and plain.count("@") == 1
    return next(addresses("".join(plain.split()), ours), "") if whole else ""


def is_nothing(value: str) -> bool:
    """Whether a value only fills its place: `-`, `n/a`, `(company name)`."""
    return is_blank(value) or fold(value) in phrases("nothing")


def is_blank(value: str) -> bool:
    value = value.strip(_EDGES)
    return not fold(value) or ("@" not in value and _PLACEHOLDER.fullmatch(value) is not None)


# --- labels ---------------------------------------------------------------------------------------


def find(line: str) -> list[Label]:
    """The labels of a line in order: at its start with any separator, later ones with a colon."""
    bullet = _BULLET.match(line)
    start = bullet.end() if bullet else 0
    labels: list[Label] = []
    at = start
    if first := _first(line, start):
        labels.append(first)
        at = first.end
    for match in _WITHIN.finditer(line, at):
        if label := _inner(line, at, match, labels):
            labels.append(label)
            at = match.end()
    return labels


def _first(line: str, start: int) -> Label | None:
    for match in _SEPARATOR.finditer(line, start, start + _LONGEST_LABEL):
        if known := _known(line[start : match.start()]):
            return Label(*known, start, match.end())
    known = _known(line[start:]) if len(line) - start <= _LONGEST_LABEL else None
    return Label(*known, start, len(line)) if known else None


def _inner(line: str, at: int, colon: re.Match[str], before: Sequence[Label]) -> Label | None:
    """A label inside a line, the longest that ends at this colon. Where no comma or the like parts
    it from what stands before, it is one only of a number, a name or an address."""
    start = max(at, colon.start() - _LONGEST_LABEL)
    for part in _PART.finditer(line, start, colon.start()):
        start = part.end()
    words = line[start : colon.start()].split()
    explained = bool(before) and before[-1].names == ("explanation",)
    for count in range(min(5, len(words)), 0, -1):
        known = _known(" ".join(words[-count:]))
        if known is None:
            continue
        plain = set(known[0]) & {"company", "account", "address"} and not explained
        if count == len(words) or plain:
            return Label(*known, _place(line, start, colon.start(), count), colon.end())
    return None


def _place(line: str, start: int, end: int, count: int) -> int:
    """Where the last so many words of a piece begin."""
    words = [match.start() for match in _WRITTEN.finditer(line, start, end)]
    return words[-count]


def _known(written: str) -> tuple[tuple[str, ...], Language | None] | None:
    if len(written) > _LONGEST_LABEL or not written:
        return None
    plain = re.split(r"[(\[]", written, maxsplit=1)[0]
    folded = fold(plain)
    if label := _labels().get(folded):
        return label
    words = [word for word in folded.split() if word not in phrases("filler")]
    if label := _labels().get(" ".join(words)):
        return label
    return _compound(plain)


def _compound(written: str) -> tuple[tuple[str, ...], Language | None] | None:
    """`Company and account ID`, two questions under one label."""
    pieces = re.split(r"[/,&+]|\s(?:and|or|i|oraz|lub|albo)\s", written)
    known = [_labels().get(fold(piece)) for piece in pieces[:3]]
    names = [label[0][0] for label in known if label and label[0]]
    if len(pieces) == 2 and len(names) == 2 and set(names) <= {"company", "account"}:
        language = next(label[1] for label in known if label)
        return (names[0],) if names[0] == names[1] else ("company", "account"), language
    return None


@functools.cache
def _labels() -> Mapping[str, tuple[tuple[str, ...], Language | None]]:
    words = table("token_request")
    others: dict[str, tuple[tuple[str, ...], Language | None]]
    others = {fold(label): ((), None) for label in words["other"]}
    return others | {
        fold(label): ((name,), language)
        for name in FIELDS
        for language in LANGUAGES
        for label in words[f"{name} {language}"]
    }
