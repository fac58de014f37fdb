"""The shape of rules.yaml, and what each part of it allows but the whole does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mailgate.model.decision import Confirm, Verdict
from mailgate.model.directory import LANGUAGES, Language
from mailgate.rules.codes import LINK_NOTICES, NOTICES, REASONS
from mailgate.yamlfile import Marks, Place, Problem
from mailgate.yamlwords import choice, suggest

Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
Sentence = Annotated[str, Field(min_length=1, max_length=400)]
Fault = tuple[Place, str]
"""Where something is wrong, and a sentence."""

_LINKS = " or ".join(LINK_NOTICES)


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Then(Strict):
    """What follows: the part that rules and the default have in common."""

    verdict: Verdict
    reason: Slug | list[Slug]
    notice: str | None = None
    confirm: Confirm | None = None
    labels: list[Slug] = []
    words: dict[Language, Sentence] | None = None

    @property
    def reasons(self) -> tuple[str, ...]:
        return (self.reason,) if isinstance(self.reason, str) else tuple(self.reason)

    @property
    def notice_name(self) -> str | None:
        return None if self.notice == "none" else self.notice

    @property
    def own_reasons(self) -> list[str]:
        """Codes that are the administrator's own."""
        return [code for code in self.reasons if code not in REASONS]


class RuleEntry(Then):
    name: Slug
    says: Sentence
    when: dict[str, Any]


class Never(Strict):
    verdict: Verdict | list[Verdict] = []
    notice: str | list[str] = []
    when: dict[str, Any]

    @property
    def verdicts(self) -> frozenset[str]:
        return frozenset([self.verdict] if isinstance(self.verdict, str) else self.verdict)

    @property
    def notices(self) -> list[str]:
        listed = [self.notice] if isinstance(self.notice, str) else self.notice
        return list(NOTICES) if listed == ["any"] else listed


class GuaranteeEntry(Strict):
    name: Slug
    says: Sentence
    never: Never


class File(Strict):
    version: Literal[1]
    rules: list[RuleEntry] = Field(min_length=1)
    default: Then
    guarantees: list[GuaranteeEntry] = []

    def consequences(self) -> Iterator[tuple[Place, Then]]:
        for i, rule in enumerate(self.rules):
            yield ("rules", i), rule
        yield ("default",), self.default

    def own_words(self) -> dict[str, dict[Language, str]]:
        """Texts of the administrator's own reason codes."""
        return {
            code: dict(then.words)
            for _, then in self.consequences()
            if then.words
            for code in then.own_reasons
        }


def disorder(file: File, marks: Marks) -> list[Problem]:
    """Everything that is wrong although each part has the right shape."""
    faults = [
        *_taken_names("rules", [rule.name for rule in file.rules], marks),
        *_taken_names("guarantees", [law.name for law in file.guarantees], marks),
        *_words(file, marks),
    ]
    if file.default.verdict == "authorized":
        message = "the default may not authorize: what no rule foresaw is not authorized"
        faults.append((("default", "verdict"), message))
    for place, then in file.consequences():
        faults += [((*place, key), says) for key, says in _contradictions(then)]
    for i, law in enumerate(file.guarantees):
        faults += _guarantee(("guarantees", i, "never"), law.never)
    return [marks.problem(place, message) for place, message in faults]


def _taken_names(section: str, names: Sequence[str], marks: Marks) -> Iterator[Fault]:
    seen: dict[str, int] = {}
    for i, name in enumerate(names):
        place: Place = (section, i, "name")
        if name in seen:
            yield place, f"the name {name!r} is taken in line {seen[name]}"
        elif name == "default":
            yield place, "the name 'default' is taken by what happens where no rule matches"
        seen.setdefault(name, marks.at(place)[0])


def _contradictions(then: Then) -> Iterator[tuple[str, str]]:
    """Pairs of the key at fault and a sentence."""
    notice = then.notice_name
    asks = notice in LINK_NOTICES
    if notice is not None and notice not in NOTICES:
        yield "notice", choice(notice, [*NOTICES, "none"])
    elif then.verdict == "pending" and not asks:
        yield "verdict", f"pending waits for a link, so it needs the notice {_LINKS}"
    elif then.verdict == "filed" and notice:
        yield "notice", "what is filed is never answered"
    elif then.verdict in ("authorized", "held") and asks:
        yield "notice", f"{then.verdict} leaves nothing to confirm"
    elif then.confirm and not asks:
        yield "confirm", f"confirm needs a notice with a link: {_LINKS}"
    if not then.reasons:
        yield "reason", "at least one reason code is needed"
    elif len(set(then.reasons)) < len(then.reasons):
        yield "reason", "a reason code is listed twice"


def _guarantee(place: Place, never: Never) -> Iterator[Fault]:
    if not never.verdicts and not never.notices:
        yield place, "never needs a verdict or a notice"
    for notice in never.notices:
        if notice not in NOTICES:
            yield (*place, "notice"), choice(notice, [*NOTICES, "any"])


def _words(file: File, marks: Marks) -> Iterator[Fault]:
    """An own reason code has its words once, in every language."""
    worded = file.own_words()
    first: dict[str, Place] = {}
    for place, then in file.consequences():
        at = (*place, "words")
        for code in then.own_reasons:
            if code not in worded:
                hint = suggest(code, REASONS) or "; one of your own needs words: {pl: …, en: …}"
                yield (*place, "reason"), f"{code!r} is no reason code{hint}"
        if then.words is None:
            continue
        own = then.own_reasons
        if len(own) != 1:
            what = "more than one of them is" if own else "none of them is"
            codes = ", ".join(then.reasons)
            yield at, f"words are for one reason code of your own; {what} here: {codes}"
        elif missing := [language for language in LANGUAGES if language not in then.words]:
            yield at, f"the words in {' and '.join(missing)} are missing"
        elif own[0] in first:
            yield at, f"{own[0]!r} has its words in line {marks.at(first[own[0]])[0]} already"
        first.setdefault(own[0] if own else "", at)
