"""Proof over the fact space: which rule decides, for every combination of facts there can be.

Facts are finite, so every case can be looked at. An open predicate counts as one more fact with
the values "yes" and "no", each thought possible whatever the others say: what is proved holds, and
a counterexample may ask for a subject that nobody can write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mailgate.rules.conditions import Node, OneOf, Question, holds
from mailgate.rules.policy import PROVED, Consequence, Guarantee, Policy, Rule

Case = Mapping[str, str]
"""Values of the facts that were asked for; the others may be anything."""

#: So many cases are looked at; the shipped policy has some thousands.
CASES = 400_000


@dataclass(frozen=True, slots=True)
class Breach:
    """A counterexample: in this case this rule does what the guarantee says it never does."""

    guarantee: Guarantee
    rule: str
    then: Consequence
    case: Case

    def __str__(self) -> str:
        facts = ", ".join(f"{name} is {value}" for name, value in sorted(self.case.items()))
        does = f"gives {self.then.verdict}"
        does += f" and sends {self.then.notice}" if self.then.notice else ""
        does += f" and acknowledges ({self.then.acknowledge})" if self.then.acknowledge else ""
        does += f" with token: {self.then.token}" if self.then.token else ""
        return f"{self.guarantee.name} is broken: {self.rule} {does} where {facts or 'always'}"


class TooManyCases(Exception):
    """The rules ask for more combinations than can be looked at in a reasonable time."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a look at every case has found."""

    cases: int
    breaches: tuple[Breach, ...]
    unreachable: tuple[str, ...]
    """Names of rules that never decide, because earlier ones take all of their cases."""
    default_used: bool


def prove(policy: Policy, cases: int = CASES) -> Findings:
    """Look at every case, and hold the policy's guarantees against it. Raises `TooManyCases`."""
    rules = [_finite_first(rule) for rule in policy.rules]
    laws = [PROVED, *(node for law in policy.guarantees for node in law.when)]
    domains = _domains([*(node for _, when in rules for node in when), *laws])
    breaches: dict[str, Breach] = {}
    reached: set[str] = set()
    count = 0
    for count, (case, index) in enumerate(_outcomes([when for _, when in rules], domains), 1):
        if count > cases:
            raise TooManyCases(f"more than {cases} combinations of facts")
        name, then = "default", policy.default
        if index < len(rules):
            name, then = rules[index][0].name, rules[index][0].then
        reached.add(name)
        for law in policy.guarantees:
            if law.name not in breaches and (nodes := law.breach(then)) is not None:
                found = next(_satisfying(nodes, case, domains), None)
                if found is not None:
                    breaches[law.name] = Breach(law, name, then, found)
    unreachable = tuple(rule.name for rule in policy.rules if rule.name not in reached)
    return Findings(count, tuple(breaches.values()), unreachable, "default" in reached)


def _finite_first(rule: Rule) -> tuple[Rule, tuple[Node, ...]]:
    """Open predicates last: asked first, each would double the cases of all that follows."""
    return rule, tuple(sorted(rule.when, key=lambda n: not all(map(_is_finite, n.questions))))


def _is_finite(question: Question) -> bool:
    return isinstance(question, OneOf)


def _domains(nodes: Sequence[Node]) -> dict[str, tuple[str, ...]]:
    """Values to try for each question. Values that no condition tells apart are tried as one."""
    questions: dict[str, list[Question]] = {}
    for node in nodes:
        for question in node.questions:
            questions.setdefault(question.name, []).append(question)
    domains = {}
    for name, asked in questions.items():
        values = asked[0].domain or (*sorted({v for q in asked for v in q.allowed}), "(another)")
        alike: dict[tuple[bool, ...], str] = {}
        for value in values:
            alike.setdefault(tuple(value in q.allowed for q in asked), value)
        domains[name] = tuple(alike.values())
    return domains


class _Needed(Exception):
    """A condition cannot be judged before this question has an answer."""

    def __init__(self, name: str) -> None:
        self.name = name


def _all_hold(nodes: Sequence[Node], case: Case) -> bool:
    """Raises `_Needed` where the case does not say enough."""

    def ask(question: Question) -> str:
        try:
            return case[question.name]
        except KeyError:
            raise _Needed(question.name) from None

    return all(holds(node, ask) for node in nodes)


def _outcomes(
    rules: Sequence[Sequence[Node]], domains: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[Case, int]]:
    """Every case with the position of the rule that decides it (one past the last: default)."""
    waiting: list[tuple[dict[str, str], int]] = [({}, 0)]
    while waiting:
        case, index = waiting.pop()
        try:
            while index < len(rules) and not _all_hold(rules[index], case):
                index += 1
        except _Needed as needed:
            waiting += [({**case, needed.name: value}, index) for value in domains[needed.name]]
        else:
            yield case, index


def _satisfying(
    nodes: Sequence[Node], case: Case, domains: Mapping[str, tuple[str, ...]]
) -> Iterator[Case]:
    """Completions of a case under which all of these conditions hold."""
    waiting = [dict(case)]
    while waiting:
        one = waiting.pop()
        try:
            if _all_hold(nodes, one):
                yield one
        except _Needed as needed:
            waiting += [{**one, needed.name: value} for value in domains[needed.name]]
