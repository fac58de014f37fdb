"""Conditions: what a rule asks, as a small tree to be put in words, compiled, and explored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from mailgate.model.decision import Condition
from mailgate.model.facts import Facts

Check = Callable[[Facts], Condition]
Ask = Callable[["Question"], str]
"""Gives the value of a question: of a fact, or "yes" and "no" for an open predicate."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """A finite fact has one of the allowed values; an empty domain means: any text."""

    fact: str
    asked: str
    allowed: frozenset[str]
    domain: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.fact

    @property
    def questions(self) -> tuple[Question, ...]:
        return (self,)


@dataclass(frozen=True, slots=True)
class Open:
    """An open predicate. `find` gives what it found, to be shown, or None."""

    asked: str
    find: Callable[[Facts], str | None]

    @property
    def name(self) -> str:
        return self.asked

    @property
    def allowed(self) -> frozenset[str]:
        return frozenset({"yes"})

    @property
    def domain(self) -> tuple[str, ...]:
        return ("yes", "no")

    @property
    def questions(self) -> tuple[Question, ...]:
        return (self,)


@dataclass(frozen=True, slots=True)
class Group:
    """`allof`, `anyof`, or `not` (which negates all of its parts together)."""

    kind: Literal["allof", "anyof", "not"]
    parts: tuple[Node, ...]

    @property
    def asked(self) -> str:
        joined = (" or " if self.kind == "anyof" else " and ").join(p.asked for p in self.parts)
        return f"not ({joined})" if self.kind == "not" else f"({joined})"

    @property
    def questions(self) -> tuple[Question, ...]:
        """Everything that is asked somewhere in it."""
        return tuple(question for part in self.parts for question in part.questions)


Question = OneOf | Open
Node = OneOf | Open | Group


def holds(node: Node, ask: Ask) -> bool:
    """Whether a condition holds, asking for no more values than needed."""
    if not isinstance(node, Group):
        return ask(node) in node.allowed
    if node.kind == "anyof":
        return any(holds(part, ask) for part in node.parts)
    return all(holds(part, ask) for part in node.parts) != (node.kind == "not")


def compile_node(node: Node) -> Check:
    """A closure that answers the condition for the trace."""
    if isinstance(node, OneOf):
        return _compile_fact(node)
    if isinstance(node, Open):
        return _compile_open(node)
    checks = tuple(compile_node(part) for part in node.parts)
    asked, kind = node.asked, node.kind

    def check(facts: Facts) -> Condition:
        answers = [one(facts) for one in checks]
        truths = (a.holds for a in answers)
        truth = any(truths) if kind == "anyof" else all(truths) != (kind == "not")
        return Condition(asked, "; ".join(a.found for a in answers), truth)

    return check


def _compile_fact(node: OneOf) -> Check:
    name, asked, allowed = node.fact, node.asked, node.allowed
    if not node.domain:
        return lambda facts: Condition(asked, facts[name], facts[name] in allowed)
    # Every answer there can be is made once. A value outside the domain is a KeyError: a fact that
    # nobody foresaw must not pass for an answer of "no", which a `not` would turn into a "yes".
    answers = {value: Condition(asked, value, value in allowed) for value in node.domain}
    return lambda facts: answers[facts.values[name]]


def _compile_open(node: Open) -> Check:
    find, asked = node.find, node.asked

    def check(facts: Facts) -> Condition:
        found = find(facts)
        return Condition(asked, "no match" if found is None else found, found is not None)

    return check
