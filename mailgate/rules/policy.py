"""A policy decides: facts in, decision out, and nothing else happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import itemgetter

from mailgate.model.decision import Confirm, Decision, TokenStep, Tried, Verdict
from mailgate.model.directory import Language
from mailgate.model.facts import DOMAINS, Facts
from mailgate.rules.conditions import Ask, Node, OneOf, compile_node, holds


@dataclass(frozen=True, slots=True)
class Consequence:
    """What follows where a rule matches, or where none does."""

    verdict: Verdict
    reasons: tuple[str, ...]
    notice: str | None = None
    confirm: Confirm | None = None
    labels: tuple[str, ...] = ()
    token: TokenStep | None = None
    acknowledge: str | None = None


#: Where a mail proves less, its author may be anybody, and what we told them would be backscatter:
#: no rule can acknowledge it (promise A5).
PROVED = OneOf(
    "sender.proof",
    "sender.proof is at least dmarc",
    frozenset({"dmarc", "confirmed", "panel"}),
    DOMAINS["sender.proof"],
)


@dataclass(frozen=True, slots=True)
class Rule:
    """A name, a sentence, conditions that must all hold, and what follows."""

    name: str
    says: str
    when: tuple[Node, ...]
    then: Consequence
    attempt: Callable[[Facts], Tried]

    @classmethod
    def of(cls, name: str, says: str, when: tuple[Node, ...], then: Consequence) -> Rule:
        return cls(name, says, when, then, _attempt(name, when))

    @property
    def asked(self) -> str:
        """All of its conditions in words."""
        return " and ".join(node.asked for node in self.when)

    def matches(self, ask: Ask) -> bool:
        """Whether it matches, without a trace and without asking more than needed."""
        return all(holds(node, ask) for node in self.when)


def _attempt(name: str, when: tuple[Node, ...]) -> Callable[[Facts], Tried]:
    """A closure that tries a rule, answering every condition of it."""
    checks = tuple(compile_node(node) for node in when)

    def attempt(facts: Facts) -> Tried:
        conditions = tuple([check(facts) for check in checks])
        return Tried(name, all(c.holds for c in conditions), conditions)

    questions = [q for node in when for q in node.questions]
    if not all(isinstance(q, OneOf) and q.domain for q in questions):
        return attempt
    # The answers to finite facts are finite, so each is made once and kept: this is what makes a
    # full trace as cheap as a bare verdict.
    key = itemgetter(*sorted({q.name for q in questions}))
    known: dict[object, Tried] = {}

    def remembered(facts: Facts) -> Tried:
        values = key(facts.values)
        if (tried := known.get(values)) is None:
            tried = known[values] = attempt(facts)
        return tried

    return remembered


@dataclass(frozen=True, slots=True)
class Guarantee:
    """A law: under these conditions no rule gives or does any of these."""

    name: str
    says: str
    verdicts: frozenset[str]
    notices: frozenset[str]
    when: tuple[Node, ...]
    acknowledgements: frozenset[str] = frozenset()
    tokens: frozenset[str] = frozenset()

    def breach(self, then: Consequence) -> tuple[Node, ...] | None:
        """The conditions under which these consequences break it; None where they never do."""
        if (
            then.verdict in self.verdicts
            or then.notice in self.notices
            or then.token in self.tokens
        ):
            return self.when
        return (*self.when, PROVED) if then.acknowledge in self.acknowledgements else None


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules in their order, the default, and the digest of the file they were read from.

    `words` has the texts of the administrator's own reason codes.
    """

    rules: tuple[Rule, ...]
    default: Consequence
    sha256: str
    words: Mapping[str, Mapping[Language, str]]
    guarantees: tuple[Guarantee, ...] = ()

    def decide(self, facts: Facts) -> Decision:
        """The first rule that matches decides. Every condition of a tried rule is answered.

        Whatever goes wrong is raised: the caller holds the message for a person, and nothing is
        authorized by accident.
        """
        trace = []
        for rule in self.rules:
            tried = rule.attempt(facts)
            trace.append(tried)
            if tried.matched:
                return self._decision(rule.name, rule.then, trace, facts)
        return self._decision("default", self.default, trace, facts)

    def _decision(self, name: str, then: Consequence, trace: list[Tried], facts: Facts) -> Decision:
        proved = then.acknowledge is not None and holds(PROVED, lambda q: facts[q.name])
        return Decision(
            verdict=then.verdict,
            rule=name,
            reasons=then.reasons,
            trace=tuple(trace),
            notice=then.notice,
            confirm=then.confirm,
            labels=then.labels,
            token=then.token,
            acknowledge=then.acknowledge if proved else None,
            policy_sha256=self.sha256,
        )
