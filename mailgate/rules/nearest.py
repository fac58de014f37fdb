"""The nearest miss: which one fact, if it were otherwise, would have given a better verdict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from mailgate.model.decision import Verdict
from mailgate.model.facts import DOMAINS, Facts
from mailgate.rules.policy import Policy

#: From worst to best, for the one who asks. What is filed is no request at all.
_RANKS: tuple[Verdict, ...] = ("filed", "held", "unauthorized", "pending", "authorized")
#: Nobody can change through which door and to which desk a message came, and at the token desk
#: nothing is a better verdict than another.
_FIXED = frozenset({"channel", "desk", "token.request", "token.state"})


@dataclass(frozen=True, slots=True)
class Miss:
    """With `fact` at `value` instead of `found`, `rule` would have decided `verdict`."""

    fact: str
    found: str
    value: str
    verdict: Verdict
    rule: str


def nearest(policy: Policy, facts: Facts) -> tuple[Miss, ...]:
    """Every single change that helps, the best verdict first; one for each fact, its first."""
    rank = _RANKS.index(policy.decide(facts).verdict)
    misses: dict[str, Miss] = {}
    for miss in _changes(policy, facts):
        best = misses.get(miss.fact)
        if _RANKS.index(miss.verdict) > (_RANKS.index(best.verdict) if best else rank):
            misses[miss.fact] = miss
    return tuple(sorted(misses.values(), key=lambda m: -_RANKS.index(m.verdict)))


def _changes(policy: Policy, facts: Facts) -> Iterator[Miss]:
    for fact, domain in DOMAINS.items():
        if fact in _FIXED:
            continue
        for value in domain:
            # Staff can vouch for any message: that says nothing of this one.
            if value != facts[fact] and (fact, value) != ("staff", "vouches"):
                changed = replace(facts, values={**facts.values, fact: value})
                decision = policy.decide(changed)
                yield Miss(fact, facts[fact], value, decision.verdict, decision.rule)
