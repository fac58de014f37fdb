"""Proofs: guarantees hold or a counterexample is shown; rules that never decide are named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailgate.model.facts import DOMAINS
from mailgate.rules.conditions import OneOf
from mailgate.rules.policy import Guarantee
from mailgate.rules.prove import Findings, TooManyCases, prove
from mailgate.yamlfile import ConfigError
from tests.rules.facts import REQUEST, facts
from tests.rules.policies import policy, rule
from tests.rules.test_policy import some_conditions, some_facts

AUTHORIZED = {"verdict": "authorized", "reason": "panel-session"}


def law(when: dict[str, Any], **never: Any) -> dict[str, Any]:
    return {"name": "the-law", "says": "It holds.", "never": {**never, "when": when}}


def refusal(rules: list[dict[str, Any]], guarantee: dict[str, Any], **more: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        policy(rules, guarantees=[guarantee], **more)
    (problem,) = caught.value.problems
    return problem.message


def test_a_policy_that_breaks_its_guarantee_is_refused_with_a_case() -> None:
    rules = [
        rule("no-strangers", {"cc": "stranger", "channel": "email"}),
        rule("panel", {"sender.proof": "panel"}, **AUTHORIZED),
    ]
    message = refusal(rules, law({"cc": {"at_least": "unshared"}}, verdict="authorized"))
    assert message.startswith("the-law is broken: panel gives authorized where ")
    assert "sender.proof is panel" in message


def test_the_counterexample_does_what_it_says() -> None:
    broken = policy(
        [
            rule("no-strangers", {"cc": "stranger", "channel": "email"}),
            rule("panel", {"sender.proof": "panel"}, **AUTHORIZED),
        ]
    )
    cc = OneOf("cc", "cc is stranger", frozenset({"stranger"}), DOMAINS["cc"])
    guarantee = Guarantee("the-law", "", frozenset({"authorized"}), frozenset(), (cc,))
    (breach,) = prove(replace(broken, guarantees=(guarantee,))).breaches
    decision = broken.decide(facts({**REQUEST, **breach.case}))
    assert (decision.rule, decision.verdict) == ("panel", "authorized")
    assert breach.case["cc"] == "stranger"


def test_an_earlier_refusal_keeps_a_guarantee() -> None:
    rules = [
        rule("no-strangers", {"cc": {"at_least": "unshared"}}),
        rule("panel", {"sender.proof": "panel"}, **AUTHORIZED),
    ]
    kept = policy(rules, guarantees=[law({"cc": ["unshared", "stranger"]}, verdict="authorized")])
    assert prove(kept).breaches == ()


def test_the_default_must_keep_the_guarantees_too() -> None:
    default = {"verdict": "unauthorized", "reason": "no-rule-matched", "notice": "not-authorized"}
    message = refusal(
        [rule("one", {"cc": "none"})], law({"sender.role": "none"}, notice="any"), default=default
    )
    assert "default gives unauthorized and sends not-authorized where" in message


def test_a_guarantee_may_name_verdicts_and_notices() -> None:
    sends = rule("one", {"cc": "none"}, verdict="unauthorized", notice="not-authorized")
    for never in ({"notice": "not-authorized"}, {"verdict": ["held", "unauthorized"]}):
        assert "one gives unauthorized" in refusal([sends], law({"cc": "none"}, **never))
    policy([sends], guarantees=[law({"cc": "none"}, notice=["request-received"])])


def test_a_guarantee_may_speak_of_what_no_rule_asks() -> None:
    rules = [rule("one", {"sender.proof": "panel"}, **AUTHORIZED)]
    when = {"freshness": "stale", "subject": {"contains": "x"}}
    message = refusal(rules, law(when, verdict="authorized"))
    assert "freshness is stale" in message
    assert "subject contains 'x' is yes" in message


def test_an_open_predicate_may_say_either() -> None:
    word = {"subject": {"contains": "hasło"}}
    guarded = [rule("word", word), rule("panel", {"sender.proof": "panel"}, **AUTHORIZED)]
    policy(guarded, guarantees=[law(word, verdict="authorized")])
    assert "panel gives" in refusal(guarded, law({"not": word}, verdict="authorized"))


A = {"subject": {"contains": "a"}}
B = {"subject": {"contains": "b"}}


@pytest.mark.parametrize(
    ("rules", "unreachable"),
    [
        ([{"cc": {"at_least": "shared"}}, {"cc": "stranger"}], ["rule-1"]),
        ([{"cc": "none"}, {"cc": ["none", "shared"]}, {"cc": {"at_least": "unshared"}}], []),
        ([{"cc": "none"}, {"cc": {"not": "none"}}, {"code": "valid"}], ["rule-2"]),
        ([{"anyof": [{"cc": "none"}, {"code": "valid"}]}, {"code": "valid"}], ["rule-1"]),
        ([{"not": {"cc": "none"}, "code": "valid"}, {"cc": "shared"}], []),
        ([{"not": {"cc": "none"}}, {"cc": "shared", "code": "valid"}], ["rule-1"]),
        ([A, A | {"cc": "none"}], ["rule-1"]),
        ([A, B], []),
        ([{"desk": "a"}, {"desk": {"not": "a"}}, {"cc": "none"}], ["rule-2"]),
        ([{"desk": "a"}, {"desk": "b"}, {"cc": "none"}], []),
    ],
)
def test_rules_that_never_decide_are_named(
    rules: list[dict[str, Any]], unreachable: list[str]
) -> None:
    compiled = policy([rule(f"rule-{i}", when) for i, when in enumerate(rules)])
    assert list(prove(compiled).unreachable) == unreachable


def test_whether_the_default_is_used_is_told() -> None:
    assert prove(policy([rule("one", {"cc": "none"})])).default_used
    both = [rule("one", {"cc": "none"}), rule("two", {"cc": {"not": "none"}})]
    assert not prove(policy(both)).default_used


def test_forty_rules_with_words_of_their_own_are_still_proved() -> None:
    rules = [
        rule(f"rule-{i}", {"subject": {"contains": f"word {i}"}, "cc": "none"}) for i in range(40)
    ]
    findings = prove(policy([*rules, rule("panel", {"sender.proof": "panel"}, **AUTHORIZED)]))
    assert findings.unreachable == ()
    assert findings.cases < 500


def test_rules_that_cannot_be_looked_at_in_time_say_so() -> None:
    compiled = policy([rule("one", {"cc": "none"}), rule("two", {"code": "valid"})])
    with pytest.raises(TooManyCases):
        prove(compiled, cases=2)


@settings(deadline=None)
@given(st.lists(some_conditions, min_size=1, max_size=4), st.lists(some_facts, max_size=5))
def test_a_rule_that_decides_some_mail_is_never_called_unreachable(
    conditions: list[dict[str, Any]], many: list[Any]
) -> None:
    compiled = policy([rule(f"rule-{i}", when) for i, when in enumerate(conditions)])
    findings: Findings = prove(compiled)
    decided = {compiled.decide(about).rule for about in many}
    assert not decided & set(findings.unreachable)
    assert findings.default_used or "default" not in decided
