"""Where the text of others begins: attributions, header blocks and separators, in any language."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mailgate.message.phrases import table
from mailgate.message.reply_text_lines import Line

Kind = Literal["attribution", "header", "original", "forwarded", "reply above", "rest"]

_MAX_JOINED = 4
_EMAIL = re.compile(r"[^\s<>()\[\]@,;:\"]{1,80}@[^\s<>()\[\]@,;:\"]{2,80}")
_TIME = re.compile(r"(?<!\d)\d{1,2}\s?[:.h]\s?\d{2}(?!\d)|\d\s?[ap]\.?m\b")
_DATE = re.compile(
    r"(?<!\d)\d{1,4}[./\-]\s?\d{1,2}[./\-]\s?\d{2,4}(?!\d)|(?<!\d)(?:19|20)\d{2}(?!\d)"
    r"|\d{1,2}\.? [^\W\d]{3,}|[^\W\d]{3,}\.? \d{1,2}(?!\d)|\d{1,2}-[^\W\d]{3,}-\d{2,4}|\d年"
)
_DASHES = re.compile(r"^[\s>*]{0,8}[-_=—–*~#]{2,}|[-_=—–*~#]{2,}[\s*]{0,4}$")
_EDGES = " \t>*-_=—–~#«»\"'“”„"
_FIRST_WORD = re.compile(r"[^\s,:;]+")
_FIELD = re.compile(r"[\s>*|]{0,8}([^\s:：*][^:：*\n]{0,24}?)\s?\*?\s?[:：]\*?(.{0,200})")
#: Whatever marks the text of others has one of these; most lines that people write have none.
_GATE = re.compile(r"[:：@\d]|[-_=*#~—–]{2}")
_RULE = re.compile(r"\s{0,4}[-_=*]{8,200}\s*")
_GROUPWISE = re.compile(r"\s?>{2,3} .{6,200} >{2,3}\s*")
_SHARED_LINE = re.compile(r"-{2,6} ?(?=On .{6,120} wrote:\s*$)")


@dataclass(frozen=True, slots=True)
class Found:
    """A mark: its kind, its first line and the line after its last."""

    kind: Kind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Tables:
    original: re.Pattern[str]
    forwarded: re.Pattern[str]
    reply_above: re.Pattern[str]
    wrote: re.Pattern[str]
    begins: frozenset[str]
    days: frozenset[str]
    fields: dict[str, str]


@functools.cache
def _tables() -> _Tables:
    phrases = table("reply_text")

    def any_of(name: str) -> str:
        return "|".join(re.escape(p) for p in sorted(phrases[name], key=len, reverse=True))

    kinds = ("other", "date", "from")  # a word of two kinds is taken for the later one
    return _Tables(
        original=re.compile(any_of("original")),
        forwarded=re.compile(any_of("forwarded")),
        reply_above=re.compile(any_of("reply above")),
        wrote=re.compile(
            rf"(?<![^\W\d_])(?:{any_of('wrote')})(?![^\W\d_])|(?:写道|寫道|写到|님이 작성)"
        ),
        begins=frozenset(phrases["attribution begins"]),
        days=frozenset(phrases["days"]),
        fields={word: kind for kind in kinds for word in phrases[f"field: {kind}"]},
    )


def find(lines: Sequence[Line]) -> list[Found]:
    """All marks among the unquoted lines, in order; none overlaps another."""
    found: list[Found] = []
    asked = _asks_above(lines)
    at = 0
    while at < len(lines):
        mark = _at(lines, at) if _may_mark(lines, at) else None
        if at in asked and mark is None:
            mark = Found("reply above", at, at + 1)
        if mark:
            found.append(mark)
        at = mark.end if mark else at + 1
    return found


def _may_mark(lines: Sequence[Line], at: int) -> bool:
    line = lines[at]
    if line.rest or _GATE.search(line.text):
        return True
    below = lines[at + 1].text.rstrip() if not line.blank and at + 1 < len(lines) else ""
    return below.endswith((":", "："))


def names_a_message(line: Line) -> bool:
    """Whether a line has an address, or a date with a time, as attributions do."""
    words = line.words
    return bool(_EMAIL.search(words) or (_DATE.search(words) and _TIME.search(words)))


def _asks_above(lines: Sequence[Line]) -> frozenset[int]:
    """Lines that ask for the answer above them."""
    pattern = _tables().reply_above
    if not pattern.search("\n".join(line.text for line in lines).casefold()):
        return frozenset()
    short = (i for i, line in enumerate(lines) if len(line.text) < 160)
    return frozenset(i for i in short if pattern.search(lines[i].words))


def is_forward(line: Line) -> bool:
    return _separator(line.words) == "forwarded"


def _at(lines: Sequence[Line], at: int) -> Found | None:
    line = lines[at]
    if line.rest:
        return Found("rest", at, at + 1)
    if line.blank:
        return None
    words = line.words
    if not line.quoted and (kind := _separator(words)):
        return Found(kind, at, at + 1)
    if line.quoted:
        if _GROUPWISE.fullmatch(line.text[:300]) and _DATE.search(line.words):
            return Found("original", at, at + 1)
        below_rule = at > 0 and _RULE.fullmatch(lines[at - 1].text[:200]) is not None
        end = _header_block(lines, at) if below_rule else None
        return Found("header", at, end) if end else None
    if end := _header_block(lines, at):
        return Found("header", at, end)
    if end := _attribution(lines, at):
        return Found("attribution", at, end)
    return None


def _separator(words: str) -> Kind | None:
    """`-----Original Message-----` and its like; of the forwarding kind also with a colon."""
    if len(words) > 120:
        return None
    core = words.strip(_EDGES + ":： ")
    dashed = _DASHES.search(words) is not None
    if dashed and _tables().original.fullmatch(core):
        return "original"
    if (dashed or words.endswith((":", "："))) and _tables().forwarded.match(core):
        return "forwarded"
    return None


def _header_block(lines: Sequence[Line], at: int) -> int | None:
    """The line after a quoted header section (Outlook and others), or None. It needs a field of
    origin or date at its start, and one of the other kinds below."""
    kinds: set[str] = set()
    addresses = blanks = 0
    end = None
    for index in range(at, min(at + 14, len(lines))):
        text = lines[index].text
        if not text.strip():
            blanks += 1
            if blanks > 1 or len(kinds) > 1:
                break
            continue
        field = _FIELD.match(text[:240])
        kind = _tables().fields.get(field[1].strip().casefold()) if field else None
        if kind is None:
            if not kinds or index - (end or at) >= 2:
                break
            continue  # a folded line
        if index == at and (not field or not field[2].strip(" *")):
            return None
        kinds.add(kind)
        addresses += bool(_EMAIL.search(text))
        blanks, end = 0, index + 1
    first = _FIELD.match(lines[at].text[:240])
    if first and _tables().fields.get(first[1].strip().casefold()) == "other":
        return end if len(kinds) == 3 else None
    enough = {"from", "date"} <= kinds or (len(kinds) > 1 and addresses > 0)
    if enough or ("from" in kinds and len(kinds) > 1 and _has_subject(lines[at : end or at])):
        return end
    return None


def _has_subject(lines: Sequence[Line]) -> bool:
    return len([line for line in lines if _FIELD.match(line.text[:240])]) > 2


def _attribution(lines: Sequence[Line], at: int) -> int | None:
    """The line after `On … wrote:`, which clients break into up to four lines, or None."""
    if not _may_begin(lines[at].words) and not _breaks_off(lines, at):
        return None
    joined = ""
    taken = 0
    for index in range(at, min(at + 8, len(lines))):
        line = lines[index]
        if line.rest or (line.quoted and not _ends_attribution(line)):
            break
        if line.blank:
            follows = next((x.words for x in lines[index + 1 : index + 3] if not x.blank), "")
            if not follows.startswith(("<", "wrote", "mailto:")):
                break
            continue
        joined = f"{joined} {line.words}".strip()
        taken += 1
        if len(joined) > 400 or taken > _MAX_JOINED + 1:
            break
        if _is_attribution(joined, _quote_follows(lines, index + 1)):
            return index + 1
    return None


def _breaks_off(lines: Sequence[Line], at: int) -> bool:
    """Whether a line is the first half of what stands above a quote: neither it nor the next line
    is an attribution alone, and no sentence ends between them."""
    words = lines[at].words.rstrip()
    if at + 1 >= len(lines) or len(words) > 120 or words.endswith((".", "!", "?", ",")):
        return False
    below = lines[at + 1].words.rstrip()
    return (
        below.endswith((":", "："))
        and _quote_follows(lines, at + 2)
        and not _is_attribution(below, quote_follows=True)
        and names_a_message(lines[at + 1])
    )


def _quote_follows(lines: Sequence[Line], at: int) -> bool:
    following = next((line for line in lines[at : at + 3] if not line.blank), None)
    return following is not None and following.quoted and not _ends_attribution(following)


def _ends_attribution(line: Line) -> bool:
    """`> wrote:` is the end of an address that was broken over lines, not a quote."""
    return line.words.startswith(("> wrote", ">wrote"))


def _may_begin(words: str) -> bool:
    core = words.lstrip(_EDGES)
    first = _FIRST_WORD.match(core)
    if not first:
        return False
    word = first[0]
    tables = _tables()
    return (
        word[0].isdigit()
        or word in tables.begins
        or word.rstrip(".") in tables.days
        or core.startswith(("w dniu", "il giorno", "in data", "no dia", "message from"))
        or "@" in words
        or words.rstrip(_EDGES).endswith((":", "："))
        or _DASHES.search(words) is not None
    )


def _is_attribution(joined: str, quote_follows: bool) -> bool:
    core = joined.strip(_EDGES + " ")
    ends = core.endswith((":", "：")) or joined.endswith(("---", "--"))
    email = _EMAIL.search(core) is not None
    date = _DATE.search(core) is not None
    wrote = _tables().wrote.search(core) is not None
    if wrote:
        if ends and (email or date):
            return _begins(core) or email or quote_follows
        if quote_follows and (email or date or ends):
            return len(core) < 200
        return _DASHES.match(joined) is not None and joined.endswith("--") and len(core) < 120
    return (
        email
        and date
        and (_TIME.search(core) is not None or quote_follows)
        and (core.endswith((":", "：")) or quote_follows)
    )


def _begins(core: str) -> bool:
    first = _FIRST_WORD.match(core)
    if not first:
        return False
    tables = _tables()
    word = first[0]
    return word[0].isdigit() or word in tables.begins or word.rstrip(".") in tables.days


def split_shared_line(text: str) -> str:
    """An attribution that stands at the end of the writer's line, put on a line of its own."""
    if "--- On " not in text and "---On " not in text and "-- On " not in text:
        return text
    return "\n".join(_apart(line) for line in text.split("\n"))


def _apart(line: str) -> str:
    return _SHARED_LINE.sub("\n", line, count=1) if 20 < len(line) < 400 else line
