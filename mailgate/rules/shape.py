"""The shape of rules.yaml, and what each part of it allows but the whole does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mailgate.model.decision import Confirm, TokenStep, Verdict
from mailgate.model.directory import LANGUAGES, Language
from mailgate.rules.codes import (
    ACKNOWLEDGEMENTS,
    LINK_NOTICES,
    NOTICES,
    REASONS,
    TOKEN_QUESTIONS,
    TOKEN_STEPS,
)
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
    token: str | None = None
    acknowledge: str | None = None
    labels: list[Slug] = []
    words: dict[Language, Sentence] | None = None

    @property
    def reasons(self) -> tuple[str, ...]:
        return (self.reason,) if isinstance(self.reason, str) else tuple(self.reason)

    @property
    def notice_name(self) -> str | None:
        return None if self.notice == "none" else self.notice

    @property
    def token_step(self) -> TokenStep | None:
        return next((step for step in TOKEN_STEPS if step == self.token), None)

    @property
    def acknowledgement(self) -> str | None:
        return None if self.acknowledge == "none" else self.acknowledge

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
    acknowledge: str | list[str] = []
    token: str | list[str] = []
    when: dict[str, Any]

    @property
    def verdicts(self) -> frozenset[str]:
        return frozenset([self.verdict] if isinstance(self.verdict, str) else self.verdict)

    @property
    def notices(self) -> list[str]:
        return _listed(self.notice, NOTICES)

    @property
    def acknowledgements(self) -> list[str]:
        return _listed(self.acknowledge, ACKNOWLEDGEMENTS)

    @property
    def tokens(self) -> list[str]:
        return _listed(self.token, TOKEN_STEPS)


def _listed(said: str | list[str], known: Sequence[str]) -> list[str]:
    listed = [said] if isinstance(said, str) else said
    return list(known) if listed == ["any"] else listed


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
        said = [*_contradictions(then), *_of_the_token_desk(then)]
        faults += [((*place, key), says) for key, says in said]
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
    elif then.verdict == "pending" and not asks and then.token is None:
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


def _of_the_token_desk(then: Then) -> Iterator[tuple[str, str]]:
    """What `token` and `acknowledge` may stand with."""
    step, told = then.token, then.acknowledgement
    asks = step in TOKEN_QUESTIONS
    if step is not None and step not in TOKEN_STEPS:
        yield "token", choice(step, TOKEN_STEPS)
    elif told is not None and told not in ACKNOWLEDGEMENTS:
        yield "acknowledge", choice(told, [*ACKNOWLEDGEMENTS, "none"])
    elif asks and then.verdict != "pending":
        yield "token", f"{step} mails a link and waits for it, so the verdict is pending"
    elif step is not None and not asks and then.verdict != "unauthorized":
        yield "token", f"{step} gives nobody any authority, so the verdict is unauthorized"
    elif step is not None and then.notice_name is not None:
        yield "notice", f"token: {step} says itself what is sent"
    elif told is not None and then.verdict == "filed":
        yield "acknowledge", "what is filed is never answered"
    elif not _names(then, "token.request"):
        for key in (key for key, value in (("token", step), ("acknowledge", told)) if value):
            yield key, f"{key} answers the token desk: the rule needs a condition on token.request"


def _names(then: Then, fact: str) -> bool:
    """Whether the conditions of a rule ask for this fact somewhere."""
    waiting: list[Any] = [then.when] if isinstance(then, RuleEntry) else []
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if fact in node:
                return True
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return False


def _guarantee(place: Place, never: Never) -> Iterator[Fault]:
    listed = {
        "notice": (never.notices, NOTICES),
        "acknowledge": (never.acknowledgements, ACKNOWLEDGEMENTS),
        "token": (never.tokens, TOKEN_STEPS),
    }
    if not never.verdicts and not any(named for named, _ in listed.values()):
        yield place, "never needs a verdict, a notice, an acknowledge or a token"
    for key, (named, known) in listed.items():
        for name in named:
            if name not in known:
                yield (*place, key), choice(name, [*known, "any"])


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
