"""Strict YAML: what values mean, what is refused, and where a problem is said to be."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from mailgate.yamlfile import ConfigError, Unreadable, load, loads, loads_plain, read


class Cup(BaseModel):
    model_config = ConfigDict(extra="forbid")
    volume: int
    handles: Literal["none", "one", "two"] = "one"


class Shelf(BaseModel):
    model_config = ConfigDict(extra="forbid")
    cups: dict[str, Cup] = {}
    board: str | list[str] | None = None
    path: Path = Path()
    contents: Cup | list[Cup] = []
    warm: bool = False
    pair: tuple[int, int] = (0, 0)


def refusal(text: str, model: type[BaseModel] = Shelf) -> str:
    with pytest.raises(ConfigError) as caught:
        loads(text, "f", model)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("Yes", "Yes"),
        ("on", "on"),
        ("off", "off"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("2026-11-21", "2026-11-21"),
        ("12:30:45", "12:30:45"),
        ("1_000", "1_000"),
        ("0o17", 15),
        ("0x1F", 31),
        ("-7", -7),
        ("0", 0),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("1e999", "1e999"),
        (".inf", ".inf"),
        ("1.2.3", "1.2.3"),
        ('"5"', "5"),
        ("!!str 5", "5"),
        ("<<", "<<"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_a_plain_scalar_means_what_the_core_schema_of_yaml_1_2_says(
    text: str, value: object
) -> None:
    data, _ = loads_plain(f"- {text}", "f")
    assert data == [value]
    assert type(data[0]) is type(value)


def test_an_alias_is_the_value_of_its_anchor() -> None:
    data, marks = loads_plain("a: &x {b: [1]}\nc: *x\n", "f")
    assert data == {"a": {"b": [1]}, "c": {"b": [1]}}
    assert marks.at(("c", "b", 0)) == (1, 12)


def test_every_value_and_key_has_its_place() -> None:
    _, marks = loads_plain("a:\n  - b: żółw\n    c: [1, 2]\n", "f")
    assert marks.at(("a", 0, "c", 1)) == (3, 12)
    assert marks.keys["a", 0, "c"] == (3, 5)
    assert marks.at(("a", 0, "missing", "deeper")) == (2, 5)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_bytes(b"\xef\xbb\xbfvolume: 1\n")
    assert read(tmp_path / "f.yaml") == "volume: 1\n"
    assert load(tmp_path / "f.yaml", Cup) == Cup(volume=1)


def test_lists_become_tuples_and_text_becomes_paths() -> None:
    assert loads("pair: [1, 2]\npath: /a/b\n", "f", Shelf).pair == (1, 2)
    assert loads("path: /a/b\n", "f", Shelf).path == Path("/a/b")


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    text = "cups:\n  a: {volume: x, handels: one}\n  b: {handles: tow}\nwarm: yes\n"
    assert refusal(text).splitlines() == [
        "f:2:15: expected a whole number, found the text 'x'",
        "f:2:18: unknown key 'handels'; did you mean 'handles'?",
        "f:3:6: the key 'volume' is missing",
        "f:3:16: 'tow' is not one of none, one, two; did you mean 'two'?",
        "f:4:7: expected true or false, found the text 'yes'; "
        "in YAML 1.2 only true and false are booleans",
    ]


def test_an_unknown_key_that_looks_like_none_gets_the_list_of_known_ones() -> None:
    assert refusal("volume: 1\nqqq: 2\n", Cup) == (
        "f:2:1: unknown key 'qqq'; known are handles, volume"
    )


def test_members_of_a_union_complain_in_one_sentence() -> None:
    assert refusal("board: 5") == (
        'f:1:8: expected text or a list, found the number 5; put it into quotes: "5"'
    )


def test_of_a_union_the_member_that_was_meant_complains() -> None:
    assert refusal("contents: [{volume: 1}, {volume: big}]") == (
        "f:1:34: expected a whole number, found the text 'big'"
    )
    assert refusal("contents: {volum: 1}").splitlines() == [
        "f:1:11: the key 'volume' is missing",
        "f:1:12: unknown key 'volum'; did you mean 'volume'?",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1: a", 'f:1:1: a key is text; write "1"'),
        ("? [a]\n: b", 'f:1:3: a key is text; write "…"'),
        ("a: &x [*x]", "f:1:8: the alias *x stands for itself"),
        ("a: !!binary aGk=", "f:1:4: the tag !!binary is not understood"),
        ("a: !local {}", "f:1:4: the tag !local is not understood"),
        ('a: "\\0"', "f:1:4: text may not hold U+0000 or half a surrogate pair"),
        ("a: b: c", "f:1:5: mapping values are not allowed here"),
        ("a: +010", 'a number with a leading zero is ambiguous: "+010" is text, 10 is a number'),
    ],
)
def test_what_yaml_allows_and_people_do_not_mean_is_refused(text: str, problem: str) -> None:
    assert refusal(text).endswith(problem)


@pytest.mark.parametrize("depth", [41, 100_000])
def test_deep_nesting_is_refused_at_once(depth: int) -> None:
    assert "nested more than 40 levels deep" in refusal("[" * depth)


def test_aliases_may_not_expand_to_much_text() -> None:
    long = "x" * 60_000
    assert "aliases expand to too much" in refusal(f"a: &a {long}\nb: [{'*a, ' * 20}]")


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    for path, reason in [
        (tmp_path / "missing", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (tmp_path / "a\0b", "null byte"),
    ]:
        with pytest.raises(Unreadable, match=reason):
            read(path)


def test_a_file_over_the_bound_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "big").write_text("a: " + "x" * 100)
    with pytest.raises(Unreadable, match="is larger than 50 octets"):
        read(tmp_path / "big", limit=50)


def test_problems_are_worded_the_same_without_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = ["a: [1", "a:\n\tb: 1", "a: 'x", "a: @x", "- a\nb: 1"]
    fast = [refusal(text) for text in broken]
    monkeypatch.delattr(yaml, "CSafeLoader")
    assert [refusal(text) for text in broken] == fast


def test_a_time_written_as_text_reaches_the_model() -> None:
    class Timer(BaseModel):
        after: timedelta

    assert loads("after: PT5M", "f", Timer).after == timedelta(minutes=5)


# What PyYAML takes for the end of a line, and what may not stand in YAML, is left out.
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]))
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | words,
    lambda inner: st.lists(inner) | st.dictionaries(words, inner),
    max_leaves=12,
)


@settings(deadline=None)
@given(plain)
def test_json_is_yaml_and_means_the_same(value: object) -> None:
    assert loads_plain(json.dumps(value, ensure_ascii=False), "f")[0] == value


@settings(deadline=None)
@given(st.text() | st.text("{}[]:,-&*!|>%@ \n\t'\"#ab01?"))
def test_any_text_gives_data_or_problems_with_a_place(text: str) -> None:
    problems = []
    try:
        loads_plain(text, "f")
    except ConfigError as error:
        problems = list(error.problems)
    assert all(p.line >= 1 and p.column >= 1 for p in problems)
