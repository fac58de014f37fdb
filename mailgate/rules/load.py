"""From rules.yaml to a policy; a file that is not right in every part gives no policy at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mailgate.rules.codes import LINK_NOTICES
from mailgate.rules.conditions import Node
from mailgate.rules.grammar import Grammar
from mailgate.rules.policy import Consequence, Guarantee, Policy, Rule
from mailgate.rules.prove import TooManyCases, prove
from mailgate.rules.shape import File, Then, disorder
from mailgate.yamlfile import ConfigError, Marks, Place, Problem, loads_plain, read, validate


def load_policy(path: Path, desks: Sequence[str] = ()) -> Policy:
    """Read a policy, or raise `ConfigError` with every problem of the file.

    `desks` are the names that rules may use; where there are none, any name goes. A policy that
    breaks one of its own guarantees is not loaded.
    """
    return loads_policy(read(path), str(path), desks)


def loads_policy(text: str, name: str, desks: Sequence[str] = ()) -> Policy:
    """`load_policy` for a text; `name` is what problems call it."""
    data, marks = loads_plain(text, name)
    grammar = Grammar(marks, desks)
    whens = {place: grammar.conditions(when, place) for place, when in _whens(data)}
    try:
        file = validate(data, marks, File)
    except ConfigError as error:
        raise ConfigError([*grammar.problems, *error.problems]) from error
    problems = [*grammar.problems, *disorder(file, marks)]
    if problems:
        raise ConfigError(problems)
    policy = _policy(file, whens, hashlib.sha256(text.encode()).hexdigest())
    if broken := _broken(policy, marks):
        raise ConfigError(broken)
    return policy


def _whens(data: Any) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Every `when` that is there to be read, even in a file with other mistakes."""
    for section, inside in (("rules", ("when",)), ("guarantees", ("never", "when"))):
        listed = data.get(section) if isinstance(data, dict) else None
        for i, entry in enumerate(listed if isinstance(listed, list) else []):
            when = entry
            for key in inside:
                when = when.get(key) if isinstance(when, dict) else None
            if isinstance(when, dict):
                yield (section, i, *inside), when


def _policy(file: File, whens: Mapping[Place, tuple[Node, ...]], sha256: str) -> Policy:
    rules = tuple(
        Rule.of(rule.name, rule.says, whens["rules", i, "when"], _consequence(rule))
        for i, rule in enumerate(file.rules)
    )
    guarantees = tuple(
        Guarantee(
            law.name,
            law.says,
            law.never.verdicts,
            frozenset(law.never.notices),
            whens["guarantees", i, "never", "when"],
            frozenset(law.never.acknowledgements),
            frozenset(law.never.tokens),
        )
        for i, law in enumerate(file.guarantees)
    )
    return Policy(rules, _consequence(file.default), sha256, file.own_words(), guarantees)


def _broken(policy: Policy, marks: Marks) -> list[Problem]:
    """The guarantees that the rules break, each with a case in which they do."""
    places: dict[str, Place] = {
        law.name: ("guarantees", i) for i, law in enumerate(policy.guarantees)
    }
    if not places:
        return []
    try:
        breaches = prove(policy).breaches
    except TooManyCases as error:
        message = f"the guarantees cannot be proved: the rules ask for {error}"
        return [marks.problem(("guarantees",), message, key=True)]
    return [marks.problem(places[b.guarantee.name], str(b)) for b in breaches]


def _consequence(then: Then) -> Consequence:
    notice = then.notice_name
    confirm = then.confirm or ("adaptive" if notice in LINK_NOTICES else None)
    return Consequence(
        then.verdict,
        then.reasons,
        notice,
        confirm,
        tuple(then.labels),
        then.token_step,
        then.acknowledgement,
    )
