"""Policies for tests, from plain data: JSON is YAML."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mailgate.rules.load import loads_policy
from mailgate.rules.policy import Policy

DEFAULT = {"verdict": "held", "reason": "no-rule-matched"}


def rule(name: str, when: Mapping[str, Any], **then: Any) -> dict[str, Any]:
    """A rule that files, unless told otherwise."""
    return {
        "name": name,
        "says": f"This is {name}.",
        "when": dict(when),
        "verdict": "filed",
        "reason": "automatic-mail",
        **then,
    }


def policy(
    rules: Sequence[Mapping[str, Any]],
    default: Mapping[str, Any] = DEFAULT,
    guarantees: Sequence[Mapping[str, Any]] = (),
    desks: Sequence[str] = (),
) -> Policy:
    file = {"version": 1, "rules": list(rules), "default": default, "guarantees": list(guarantees)}
    return loads_policy(json.dumps(file, ensure_ascii=False), "rules.yaml", desks)


def when(conditions: Mapping[str, Any], **kwargs: Any) -> Policy:
    """A policy of one rule with these conditions."""
    return policy([rule("the-rule", conditions)], **kwargs)
