"""From rules.yaml to a policy; a file that is not right in every part gives no policy at all."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mailgate.model.decision import Confirm, Verdict
from mailgate.model.directory import Language
from mailgate.rules.codes import LINK_NOTICES, REASONS
from mailgate.rules.grammar import Grammar
from mailgate.rules.policy import Consequence, Policy, Rule
from mailgate.yamlfile import ConfigError, Marks, Place, Problem, loads_plain, read, validate
from mailgate.yamlwords import suggest

Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
Sentence = Annotated[str, Field(min_length=1, max_length=400)]
Notice = Literal["authorization-link", "entered-by-staff", "request-received", "not-authorized"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Then(_Strict):
    verdict: Verdict
    reason: Slug | list[Slug]
    notice: Notice | Literal["none"] | None = None
    confirm: Confirm | None = None
    labels: list[Slug] = []
    words: dict[Language, Sentence] | None = None

    @property
    def reasons(self) -> tuple[str, ...]:
        return (self.reason,) if isinstance(self.reason, str) else tuple(self.reason)

    @property
    def notice_name(self) -> str | None:
        return None if self.notice == "none" else self.notice


class _Rule(_Then):
    name: Slug
    says: Sentence
    when: dict[str, Any]


class _File(_Strict):
    version: Literal[1]
    rules: list[_Rule] = Field(min_length=1)
    default: _Then


def load_policy(path: Path, desks: Sequence[str] = ()) -> Policy:
    """Read a policy, or raise `ConfigError` with every problem of the file.

    `desks` are the names that rules may use; where there are none, any name goes.
    """
    return loads_policy(read(path), str(path), desks)


def loads_policy(text: str, name: str, desks: Sequence[str] = ()) -> Policy:
    """`load_policy` for a text; `name` is what problems call it."""
    data, marks = loads_plain(text, name)
    grammar = Grammar(marks, desks)
    whens = [grammar.conditions(when, place) for place, when in _whens(data)]
    try:
        file = validate(data, marks, _File)
    except ConfigError as error:
        raise ConfigError([*grammar.problems, *error.problems]) from error
    problems = [*grammar.problems, *_disorder(file, marks)]
    if problems:
        raise ConfigError(problems)
    rules = tuple(
        Rule.of(rule.name, rule.says, when, _consequence(rule))
        for rule, when in zip(file.rules, whens, strict=True)
    )
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return Policy(rules, _consequence(file.default), sha256, _own_words(file))


def _whens(data: Any) -> list[tuple[Place, dict[str, Any]]]:
    """Every `when` that is there to be read, even in a file with other mistakes."""
    rules = data.get("rules") if isinstance(data, dict) else None
    return [
        (("rules", i, "when"), rule["when"])
        for i, rule in enumerate(rules if isinstance(rules, list) else [])
        if isinstance(rule, dict) and isinstance(rule.get("when"), dict)
    ]


def _consequence(then: _Then) -> Consequence:
    notice = then.notice_name
    confirm = then.confirm or ("adaptive" if notice in LINK_NOTICES else None)
    return Consequence(then.verdict, then.reasons, notice, confirm, tuple(then.labels))


def _places(file: _File) -> list[tuple[Place, _Then]]:
    rules = [(("rules", i), rule) for i, rule in enumerate(file.rules)]
    return [*rules, (("default",), file.default)]


def _disorder(file: _File, marks: Marks) -> list[Problem]:
    """What each part allows and the whole does not."""
    problems: list[Problem] = []
    seen: dict[str, int] = {"default": 0}
    for i, rule in enumerate(file.rules):
        place: Place = ("rules", i, "name")
        if rule.name in seen:
            first = seen[rule.name]
            where = f"line {first}" if first else "the default of this file"
            problems.append(marks.problem(place, f"the name {rule.name!r} is taken by {where}"))
        seen.setdefault(rule.name, marks.at(place)[0])
    if file.default.verdict == "authorized":
        message = "the default may not authorize: what no rule foresaw is not authorized"
        problems.append(marks.problem(("default", "verdict"), message))
    for place, then in _places(file):
        problems += [marks.problem((*place, key), says) for key, says in _contradictions(then)]
    return problems + _reason_problems(file, marks)


def _contradictions(then: _Then) -> list[tuple[str, str]]:
    """Pairs of the key at fault and a sentence."""
    notice, found = then.notice_name, []
    asks = notice in LINK_NOTICES
    if then.verdict == "pending" and not asks:
        links = " or ".join(LINK_NOTICES)
        found.append(("verdict", f"pending waits for a link, so it needs the notice {links}"))
    if then.verdict == "filed" and notice:
        found.append(("notice", "what is filed is never answered"))
    if then.verdict in ("authorized", "held") and asks:
        found.append(("notice", f"{then.verdict} leaves nothing to confirm"))
    if then.confirm and not asks:
        links = " or ".join(LINK_NOTICES)
        found.append(("confirm", f"confirm needs a notice with a link: {links}"))
    if not then.reasons:
        found.append(("reason", "at least one reason code is needed"))
    if len(set(then.reasons)) < len(then.reasons):
        found.append(("reason", "a reason code is listed twice"))
    return found


def _own_words(file: _File) -> dict[str, dict[Language, str]]:
    """Texts of the reason codes that are the administrator's own."""
    return {
        code: dict(then.words)
        for _, then in _places(file)
        if then.words
        for code in then.reasons
        if code not in REASONS
    }


def _reason_problems(file: _File, marks: Marks) -> list[Problem]:
    problems: list[Problem] = []
    worded = _own_words(file)
    first: dict[str, tuple[int, dict[Language, str]]] = {}
    for place, then in _places(file):
        own = [code for code in then.reasons if code not in REASONS]
        for code in own:
            if code not in worded:
                message = f"{code!r} is no reason code{suggest(code, REASONS)}"
                hint = "" if "?" in message else "; one of your own needs words: {pl: …, en: …}"
                problems.append(marks.problem((*place, "reason"), message + hint))
        if then.words is None:
            continue
        at = (*place, "words")
        if len(own) != 1:
            what = "more than one code" if own else "no code"
            message = f"words are for one reason code of your own; {what} here is your own"
            problems.append(marks.problem(at, message))
        elif missing := {"pl", "en"} - set(then.words):
            problems.append(marks.problem(at, f"the words in {' and '.join(missing)} are missing"))
        else:
            line, words = first.setdefault(own[0], (marks.at(at)[0], dict(then.words)))
            if words != then.words:
                message = f"{own[0]!r} has other words in line {line}; once is enough"
                problems.append(marks.problem(at, message))
    return problems
