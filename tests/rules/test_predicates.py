"""Open predicates: what they find, and that they cannot be made slow."""

from __future__ import annotations

from time import process_time
from typing import Any

import pytest

from mailgate.rules.predicates import BadPattern, compile_pattern
from mailgate.yamlfile import ConfigError
from tests.rules.facts import facts
from tests.rules.policies import when


def found(conditions: dict[str, Any], **open_facts: Any) -> str | None:
    """What the only condition found, or None where it does not hold."""
    (tried,) = when(conditions).decide(facts(**open_facts)).trace
    (condition,) = tried.conditions
    return condition.found if condition.holds else None


@pytest.mark.parametrize(
    ("conditions", "open_facts", "shown"),
    [
        ({"subject": {"contains": "faktur"}}, {"subject": "Re: FAKTURA"}, "'faktur'"),
        ({"subject": {"contains": ["a1", "żółw"]}}, {"subject": "ŻÓŁW"}, "'żółw'"),
        ({"subject": {"contains": "żółw"}}, {"subject": "z\u0307o\u0301łw"}, "'żółw'"),
        ({"subject": {"contains": "b"}}, {"subject": "a"}, None),
        ({"subject": {"is": "stop"}}, {"subject": " Stop "}, "' Stop '"),
        ({"subject": {"is": "stop"}}, {"subject": "stop it"}, None),
        ({"text": {"matches": r"\bNIP \d+"}}, {"text": "x\nNIP 521\n"}, "'NIP 521'"),
        ({"text": {"matches": "nip"}}, {"text": "NIP"}, None),
        ({"text": {"matches": "(?i)nip"}}, {"text": "NIP"}, "'NIP'"),
        ({"text": {"matches": "b"}}, {"text": "a\udcffb"}, "'b'"),
        ({"text": {"matches": "a*"}}, {"text": "b"}, "''"),
        ({"recipient": {"is": "a@b.pl"}}, {"recipients": ("x@b.pl", "A@B.pl")}, "'A@B.pl'"),
        ({"attachment": {"matches": r"\.exe$"}}, {"attachments": ("a.pdf", "b.exe")}, "'.exe'"),
        ({"attachment": {"contains": "."}}, {"attachments": ()}, None),
        ({"header": {"name": "x-spam", "is": "yes"}}, {"headers": (("X-Spam", "Yes"),)}, "'Yes'"),
        ({"header": {"name": "x-spam", "is": "yes"}}, {"headers": (("X-Ham", "yes"),)}, None),
        ({"size": {"over": "1 KiB"}}, {"size": 1025}, "1025 octets"),
        ({"size": {"over": "1 KiB"}}, {"size": 1024}, None),
        ({"size": {"over": 5, "under": 7}}, {"size": 6}, "6 octets"),
        ({"size": {"under": 7}}, {"size": 7}, None),
    ],
)
def test_a_predicate_shows_what_it_found(
    conditions: dict[str, Any], open_facts: dict[str, Any], shown: str | None
) -> None:
    assert found(conditions, **open_facts) == shown


def test_a_long_match_is_shown_in_short() -> None:
    shown = found({"text": {"matches": "a+"}}, text="a" * 1000)
    assert shown is not None
    assert len(shown) <= 62


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*)*x", "(a*)*b", "([a-z]+)*!"])
def test_no_pattern_is_slow_on_a_hostile_text(pattern: str) -> None:
    text = "a" * 100_000 + "\n?"
    conditions = {"text": {"matches": pattern}}
    compiled = when(conditions)
    about = facts(text=text)
    times = []
    for _ in range(3):
        start = process_time()
        compiled.decide(about)
        times.append(process_time() - start)
    assert min(times) < 0.05  # promise M8


@pytest.mark.parametrize(
    ("pattern", "where", "what"),
    [
        ("a(?=b)", 2, "look-around"),
        ("a(?!b)", 2, "look-around"),
        ("(?<=a)b", 1, "look-around"),
        ("(?<!a)b", 1, "look-around"),
        (r"(a)\1", 4, "back-reference"),
        (r"(?P<x>a)(?P=x)", 9, "back-reference"),
        (r"(?P<x>a)\k<x>", 9, "back-reference"),
        ("(?>a)", 1, "atomic"),
        ("a++", 2, "atomic"),
        ("a**", 2, "bad repetition"),
        ("[z-a]", 2, "character class range"),
        ("x)", 1, "unexpected )"),
        ("(a{1000}){1000}", 3, "repetition size"),
        ("a\\", 2, "trailing"),
    ],
)
def test_a_pattern_that_is_not_linear_is_refused_with_its_position(
    pattern: str, where: int, what: str
) -> None:
    with pytest.raises(BadPattern, match=f"^at character {where} of the pattern: ") as caught:
        compile_pattern(pattern)
    assert what in str(caught.value)


def test_every_bad_pattern_of_a_list_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        when({"subject": {"matches": ["(", "ok", "(?=a)"]}})
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"subject": "faktura"}, "expected a mapping with contains, is, matches"),
        ({"subject": {"contain": "x"}}, "did you mean 'contains'"),
        ({"subject": {"contains": [5]}}, "expected text that is not empty"),
        ({"subject": {"contains": []}}, "expected text that is not empty"),
        ({"size": {"over": 10, "under": 11}}, "no size lies between"),
        ({"size": {"over": "ten"}}, "a size is a number with"),
        ({"size": {}}, "expected a mapping with over, under"),
        ({"header": {"name": "X Spam", "is": "a"}}, "needs the name of a header field"),
        ({"header": {"name": "X-Spam"}}, "expected one of contains, is, matches"),
        ({"cc": []}, "an empty list"),
        ({"cc": ["none", "none"]}, "listed twice"),
        ({"cc": {}}, "expected not, at_least, at_most, found nothing"),
        ({"cc": {"at_least": ["none", "shared"]}}, "at_least takes one value"),
        ({"cc": {"not": ["none", "shared", "unshared", "stranger"]}}, "this never holds"),
        ({"cc": True}, "expected text, found true"),
        ({"desk": {"at_least": "a"}}, "desk has no order"),
        ({"anyof": []}, "anyof takes a list of mappings"),
        ({"allof": ["cc"]}, "expected a mapping of conditions, found the text 'cc'"),
        ({"not": "cc"}, "expected a mapping of conditions, found the text 'cc'"),
    ],
)
def test_a_condition_that_means_nothing_is_refused(
    conditions: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        when(conditions)
