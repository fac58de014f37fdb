"""Deciding: the compiled conditions agree with a plain reading, and the trace says all."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailgate.model.facts import DOMAINS, ORDERED, Facts
from mailgate.rules.load import load_policy
from mailgate.yamlfile import ConfigError
from tests.rules.facts import REQUEST, VALUES, facts
from tests.rules.policies import DEFAULT, policy, rule, when

# --- a plain reading of the grammar, as slow and as simple as can be ------------------------------


def reads(conditions: dict[str, Any], about: Facts) -> bool:
    return all(reads_one(key, value, about) for key, value in conditions.items())


def reads_one(key: str, value: Any, about: Facts) -> bool:
    if key == "allof":
        return all(reads(one, about) for one in value)
    if key == "anyof":
        return any(reads(one, about) for one in value)
    if key == "not":
        return not reads(value, about)
    if key == "subject":
        words = value["contains"] if isinstance(value["contains"], list) else [value["contains"]]
        return any(word.lower() in about.subject.lower() for word in words)
    if key == "size":
        return bool(value.get("over", -1) < about.size < value.get("under", 1 << 60))
    found = about.values[key]
    if isinstance(value, str):
        return found == value
    if isinstance(value, list):
        return found in value
    return all(compares(how, operand, found, list(DOMAINS[key])) for how, operand in value.items())


def compares(how: str, operand: Any, found: str, order: list[str]) -> bool:
    if how == "not":
        return found not in ([operand] if isinstance(operand, str) else operand)
    distance = order.index(found) - order.index(operand)
    return distance >= 0 if how == "at_least" else distance <= 0


def one_fact(name: str) -> st.SearchStrategy[dict[str, Any]]:
    value = st.sampled_from(VALUES[name])
    some = st.lists(value, min_size=1, max_size=max(1, len(VALUES[name]) - 1), unique=True)
    forms: list[st.SearchStrategy[Any]] = [value, some, st.fixed_dictionaries({"not": some})]
    if name in ORDERED:
        forms += [st.fixed_dictionaries({how: value}) for how in ("at_least", "at_most")]
    return st.fixed_dictionaries({name: st.one_of(forms)})


words = st.sampled_from(["faktura", "ŻÓŁW", "ok"])
sizes = st.integers(1, 40)
some_words = words | st.lists(words, min_size=1, max_size=3)
leaves = st.one_of(
    *map(one_fact, VALUES),
    some_words.map(lambda found: {"subject": {"contains": found}}),
    sizes.map(lambda size: {"size": {"over": size}}),
)
some_conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda several: {"allof": several}),
        st.lists(inner, min_size=1, max_size=3).map(lambda several: {"anyof": several}),
        inner.map(lambda one: {"not": one}),
        st.tuples(inner, inner).map(lambda two: two[0] | two[1]),
    ),
    max_leaves=6,
)
some_facts = st.builds(
    Facts,
    st.fixed_dictionaries({name: st.sampled_from(values) for name, values in VALUES.items()}),
    subject=st.sampled_from(["", "Faktura za maj", "żółw", "OK: faktura"]),
    size=st.integers(0, 50),
)


@settings(deadline=None)
@given(
    st.lists(some_conditions, min_size=1, max_size=5), st.lists(some_facts, min_size=1, max_size=5)
)
def test_compiled_conditions_agree_with_a_plain_reading(
    conditions: list[dict[str, Any]], many: list[Facts]
) -> None:
    compiled = policy([rule(f"rule-{i}", one) for i, one in enumerate(conditions)])
    for about in many:
        answers = [reads(one, about) for one in conditions]
        decision = compiled.decide(about)
        tried = [attempt.matched for attempt in decision.trace]
        assert tried == answers[: answers.index(True) + 1 if any(answers) else len(answers)]
        expected = f"rule-{answers.index(True)}" if any(answers) else "default"
        assert decision.rule == expected


# --- what a decision says -------------------------------------------------------------------------


def test_the_first_rule_that_matches_decides() -> None:
    compiled = policy([rule("first", {"cc": "none"}), rule("second", {"cc": "none"})])
    assert compiled.decide(facts()).rule == "first"


def test_the_trace_has_every_condition_of_every_rule_up_to_the_match() -> None:
    compiled = policy(
        [
            rule("bounces", {"automatic": "bounce", "subject": {"contains": "undelivered"}}),
            rule("dmarc", {"sender.proof": {"at_least": "dmarc"}, "size": {"over": 10}}),
            rule("never-tried", {"cc": "none"}),
        ]
    )
    decision = compiled.decide(facts(subject="Zwrot: UNDELIVERED", size=20))
    assert [(t.rule, t.matched) for t in decision.trace] == [("bounces", False), ("dmarc", True)]
    assert [(c.asked, c.found, c.holds) for t in decision.trace for c in t.conditions] == [
        ("automatic is bounce", "no", False),
        ("subject contains 'undelivered'", "'undelivered'", True),
        ("sender.proof is at least dmarc", "dmarc", True),
        ("size is over 10 octets", "20 octets", True),
    ]


def test_where_no_rule_matches_the_default_decides() -> None:
    default = {"verdict": "unauthorized", "reason": ["no-rule-matched"], "notice": "not-authorized"}
    decision = policy([rule("never", {"cc": "stranger"})], default).decide(facts())
    found = (decision.rule, decision.verdict, decision.reasons, decision.notice)
    assert found == ("default", "unauthorized", ("no-rule-matched",), "not-authorized")


def test_a_decision_carries_all_that_its_rule_asks_for() -> None:
    then = {
        "verdict": "pending",
        "reason": ["stale-message", "service-shared"],
        "notice": "authorization-link",
        "confirm": "panel",
        "labels": ["vip", "slow"],
    }
    decision = policy([rule("one", {"cc": "none"}, **then)]).decide(facts())
    assert decision.reasons == ("stale-message", "service-shared")
    assert (decision.verdict, decision.notice) == ("pending", "authorization-link")
    assert (decision.confirm, decision.labels) == ("panel", ("vip", "slow"))


def test_a_link_is_confirmed_adaptively_unless_told_otherwise() -> None:
    then = {"verdict": "pending", "notice": "authorization-link"}
    assert policy([rule("one", {"cc": "none"}, **then)]).decide(facts()).confirm == "adaptive"


def test_a_decision_names_the_policy_by_the_digest_of_its_file(tmp_path: Path) -> None:
    file = {"version": 1, "rules": [rule("a", {"cc": "none"}, says="Żółw.")], "default": DEFAULT}
    text = json.dumps(file, ensure_ascii=False)
    (tmp_path / "rules.yaml").write_text(text, "utf-8")
    compiled = load_policy(tmp_path / "rules.yaml")
    assert compiled.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert compiled.decide(facts()).policy_sha256 == compiled.sha256


def test_deciding_twice_gives_the_same_and_changes_nothing() -> None:
    compiled = policy([rule("one", {"cc": {"not": "none"}, "code": ["valid", "wrong"]})])
    about = facts()
    assert compiled.decide(about) == compiled.decide(about)
    assert compiled.decide(facts(REQUEST | {"cc": "shared", "code": "valid"})).rule == "one"
    assert compiled.decide(about).rule == "default"


def test_words_of_an_own_reason_code_come_with_the_policy() -> None:
    said = {"pl": "Ważny klient.", "en": "An important customer."}
    own = rule("vip", {"cc": "none"}, reason=["automatic-mail", "vip"], words=said)
    assert policy([own]).words == {"vip": said}


def test_a_rule_that_is_broken_raises_and_does_not_decide() -> None:
    with pytest.raises(KeyError):
        when({"not": {"code": "valid"}}).decide(facts(REQUEST | {"code": "forged"}))


# --- desks ----------------------------------------------------------------------------------------


def test_a_desk_may_be_named_or_negated() -> None:
    named = when({"desk": ["support"]}, desks=["support", "billing"])
    negated = when({"desk": {"not": "support"}}, desks=["support", "billing"])
    for desk, is_named in [("support", True), ("billing", False), ("removed-long-ago", False)]:
        about = facts(REQUEST | {"desk": desk})
        assert (named.decide(about).rule == "the-rule") == is_named
        assert (negated.decide(about).rule == "the-rule") != is_named


def test_without_a_list_of_desks_any_name_goes() -> None:
    assert (
        when({"desk": "anything"}).decide(facts(REQUEST | {"desk": "anything"})).rule == "the-rule"
    )


def test_a_desk_that_is_not_configured_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="did you mean 'support'"):
        when({"desk": {"not": "suport"}}, desks=["support"])
