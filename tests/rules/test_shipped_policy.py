"""The policy that ships: the rows of the domain, and its laws over every combination of facts."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

import pytest

from mailgate.model.decision import Decision
from mailgate.model.directory import LANGUAGES
from mailgate.model.facts import DOMAINS, Facts
from mailgate.rules.codes import NOTICES, REASONS
from mailgate.rules.load import load_policy
from mailgate.rules.policy import Policy
from mailgate.rules.prove import prove
from mailgate.yamlfile import loads_plain, read
from tests.rules.facts import REPLY, REQUEST, VALUES, Partial, every_case, facts

ROOT = Path(__file__).parents[2]
FILE = ROOT / "config" / "rules.yaml"
ROWS = loads_plain(read(Path(__file__).with_name("rows.yaml")), "rows.yaml")[0]

Case = tuple[Partial, Decision]
Law = Callable[[Partial], bool]


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(FILE, ("support", "billing"))


@pytest.fixture(scope="module")
def cases(policy: Policy) -> list[Case]:
    """Every combination of facts, judged by the very function that judges mail."""
    return list(every_case(lambda values: policy.decide(Facts(values))))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["row"])
def test_a_row_of_the_domain_is_decided_as_it_says(policy: Policy, row: dict[str, Any]) -> None:
    base = {"request": REQUEST, "reply": REPLY}[row["mail"]]
    decision = policy.decide(facts(base | row.get("but", {})))
    assert [decision.verdict, *decision.reasons] == row["gives"]
    sends = [said for said in (decision.notice, decision.confirm) if said]
    assert sends == row.get("sends", [])
    assert [decision.token, decision.acknowledge] == row.get("desk", [None, None])


def test_every_row_that_rules_decide_is_there() -> None:
    wanted = {*(f"A{n}" for n in range(2, 11)), *(f"B{n}" for n in range(4, 11))}
    assert wanted <= {row["row"].split()[0] for row in ROWS}


@pytest.mark.parametrize("automatic", [v for v in DOMAINS["automatic"] if v != "no"])
def test_automatic_mail_is_filed_and_not_answered(policy: Policy, automatic: str) -> None:
    decision = policy.decide(facts(REPLY | {"automatic": automatic}))
    assert (decision.verdict, decision.reasons, decision.notice) == (
        "filed",
        ("automatic-mail",),
        None,
    )


def test_a_leaked_code_is_flagged_for_staff(policy: Policy) -> None:
    assert policy.decide(
        facts(REPLY | {"sender.role": "none", "sender.account": "none"})
    ).labels == ("code-leaked",)


def test_the_cases_cover_every_combination_of_facts(cases: list[Case]) -> None:
    covered = sum(prod(len(VALUES[n]) for n in VALUES if n not in case) for case, _ in cases)
    assert covered == prod(map(len, VALUES.values()))


#: What nothing lifts: neither a confirmation nor the word of staff.
ABSOLUTE: dict[str, Law] = {
    "A7 no role in the account": lambda v: v["sender.role"] == "none",
    "A7 a ticket of another account": lambda v: v["ticket"] == "foreign",
    "A7 an account that is not known": lambda v: v["sender.account"] != "known",
    "A9 entered by staff and not confirmed": lambda v: (
        v["channel"] == "console" and v["sender.proof"] in ("denied", "none", "aligned", "dmarc")
    ),
    "L14 disowned by its contact": lambda v: v["sender.proof"] == "denied",
    "M5 not read to the end": lambda v: v["parsed"] == "limits",
    "M12 two codes": lambda v: v["code"] == "conflicting",
    "automatic mail": lambda v: v["automatic"] != "no",
    "refused by staff": lambda v: v["staff"] == "refuses",
    "B4 what is asked of the token desk": lambda v: v["token.request"] != "none",
    "B10 the open form": lambda v: v["channel"] == "form",
    "A12 whose data is only stored": lambda v: v["restricted"] == "yes",
}
#: What only the word of staff for this very message lifts.
UNLESS_STAFF_VOUCH: dict[str, Law] = {
    "A2 a bad code": lambda v: v["code"] in ("wrong", "unknown", "retired", "conflicting"),
    "A2 a reply by mail without its code": lambda v: (
        v["channel"] == "email" and v["ticket"] in ("open", "closed") and v["code"] == "absent"
    ),
    "A4 a new request by mail that nobody confirmed": lambda v: (
        v["channel"] == "email"
        and v["ticket"] == "none"
        and v["sender.proof"] not in ("confirmed", "panel")
    ),
    "A8 a technical or additional contact without a share": lambda v: (
        v["sender.role"] in ("technical", "additional") and v["sender.share"] != "yes"
    ),
    "A10 somebody without a share reads along": lambda v: v["cc"] in ("unshared", "stranger"),
    "L11 a code that was not given to its sender, by mail": lambda v: (
        v["channel"] == "email"
        and v["code.holder"] == "other"
        and v["sender.proof"] not in ("confirmed", "panel")
    ),
    "M2 mail that proves nothing": lambda v: v["sender.proof"] == "none",
    "M1 defects and nobody confirmed": lambda v: (
        v["parsed"] != "clean" and v["sender.proof"] not in ("confirmed", "panel")
    ),
    "M15 stale or replayed and nobody confirmed": lambda v: (
        v["freshness"] != "fresh" and v["sender.proof"] not in ("confirmed", "panel")
    ),
}


def unless_vouched(law: Law) -> Law:
    return lambda v: law(v) and v["staff"] != "vouches"


NEVER_AUTHORIZED: dict[str, Law] = {
    **ABSOLUTE,
    **{name: unless_vouched(law) for name, law in UNLESS_STAFF_VOUCH.items()},
}
NEVER_ANSWERED: dict[str, Law] = {
    "automatic mail": lambda v: v["automatic"] != "no",
    "a stranger": lambda v: v["sender.role"] == "none",
    "somebody who said that they did not write": lambda v: v["sender.proof"] == "denied",
    "somebody whose data is only stored": lambda v: v["restricted"] == "yes",
}
NEVER_ACKNOWLEDGED: dict[str, Law] = {
    "mail that does not prove its domain": lambda v: (
        v["sender.proof"] in ("denied", "none", "aligned")
    ),
    "automatic mail": lambda v: v["automatic"] != "no",
    "somebody whose data is only stored": lambda v: v["restricted"] == "yes",
    "what is not asked of the token desk": lambda v: v["token.request"] == "none",
}
NEVER_A_TOKEN: dict[str, Law] = {
    "without a complete request, or a second time": lambda v: (
        v["token.request"] in ("none", "incomplete", "unclear", "answered")
    ),
    "for somebody whose data is only stored": lambda v: v["restricted"] == "yes",
    "in the place of one that was mailed, and nobody said yes": lambda v: (
        v["token.state"] not in ("never", "expired") and v["token.request"] != "confirmed"
    ),
}


def counterexample(cases: list[Case], law: Law) -> Partial | None:
    """Facts under which the law's condition holds in one of these cases."""
    broken = (c for case, _ in cases for c, bad in every_case(law, case) if bad)
    return next(broken, None)


@pytest.mark.parametrize("law", NEVER_AUTHORIZED)
def test_never_authorized(cases: list[Case], law: str) -> None:
    authorized = [case for case in cases if case[1].verdict == "authorized"]
    assert authorized
    assert counterexample(authorized, NEVER_AUTHORIZED[law]) is None


@pytest.mark.parametrize("law", NEVER_ANSWERED)
def test_never_answered(cases: list[Case], law: str) -> None:
    answered = [case for case in cases if case[1].notice is not None]
    assert answered
    assert counterexample(answered, NEVER_ANSWERED[law]) is None


@pytest.mark.parametrize("law", NEVER_ACKNOWLEDGED)
def test_never_acknowledged(cases: list[Case], law: str) -> None:
    told = [case for case in cases if case[1].acknowledge is not None]
    assert told
    assert counterexample(told, NEVER_ACKNOWLEDGED[law]) is None


@pytest.mark.parametrize("law", NEVER_A_TOKEN)
def test_never_a_token(cases: list[Case], law: str) -> None:
    issued = [case for case in cases if case[1].token == "issue"]
    assert issued
    assert counterexample(issued, NEVER_A_TOKEN[law]) is None


def test_what_the_author_is_told_follows_from_text_and_proof_alone(cases: list[Case]) -> None:
    """Row B10: where the text is complete, no fact about the directory decides who is answered."""
    told: dict[tuple[str, ...], set[str | None]] = {}
    for case, decision in cases:
        asked = case.get("token.request", "none")
        if asked in ("incomplete", "unclear", "complete"):
            for proof in VALUES["sender.proof"] if "sender.proof" not in case else [None]:
                key = (asked, proof or case["sender.proof"])
                told.setdefault(key, set()).add(decision.acknowledge)
    assert told
    assert {key: said for key, said in told.items() if len(said) != 1} == {}


def test_a_law_that_the_policy_breaks_would_be_found(cases: list[Case]) -> None:
    authorized = [case for case in cases if case[1].verdict == "authorized"]
    assert counterexample(authorized, lambda v: v["cc"] == "shared") is not None


def test_whatever_asks_for_a_link_says_how_to_confirm_it(cases: list[Case]) -> None:
    for _, decision in cases:
        assert (decision.confirm is not None) == (
            decision.notice in ("authorization-link", "entered-by-staff")
        )


def test_the_default_is_never_needed_and_every_rule_is(policy: Policy, cases: list[Case]) -> None:
    assert {decision.rule for _, decision in cases} == {rule.name for rule in policy.rules}


def test_the_proof_agrees_with_the_walk_over_every_case(policy: Policy) -> None:
    findings = prove(policy)
    assert (findings.breaches, findings.unreachable, findings.default_used) == ((), (), False)


def test_reasons_and_notices_are_of_the_closed_lists(policy: Policy) -> None:
    outcomes = [rule.then for rule in policy.rules] + [policy.default]
    assert {r for then in outcomes for r in then.reasons} <= set(REASONS)
    assert {then.notice for then in outcomes} <= {*NOTICES, None}


def test_a_fact_with_a_value_that_nobody_foresaw_is_an_error_and_no_verdict(
    policy: Policy,
) -> None:
    with pytest.raises(KeyError):
        policy.decide(facts(REQUEST | {"automatic": "perhaps"}))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_code_has_words_in_every_language(language: str) -> None:
    words = ROOT / "mailgate" / "words" / f"{language}.yaml"
    assert set(loads_plain(read(words), words.name)[0]["reason"]) == set(REASONS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("notice", NOTICES)
def test_every_notice_has_a_template_in_every_language(notice: str, language: str) -> None:
    templates = ROOT / "mailgate" / "outbound" / "templates"
    assert (templates / f"{notice}.{language}.txt").exists()
