"""When two addresses are one: never more often than mail servers would say so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.model.addresses import address_key, normalise, parse_address, same_address


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("anna@x.example", "Anna@X.Example"),
        ("jan@łódź.example", "jan@xn--d-uga0v4h.example"),
        ("jan@ŁÓDŹ.example", "jan@łódź.example"),
        ("jan@Łódź.example", "JAN@XN--D-UGA0V4H.EXAMPLE"),
        ("zo\u0301ł@x.example", "zół@x.example"),
        (" anna@x.example ", "anna@x.example"),
    ],
)
def test_these_are_one(one: str, other: str) -> None:
    assert same_address(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("anna@x.example", "anna@y.example"),
        ("anna+a@x.example", "anna@x.example"),
        ("an.na@x.example", "anna@x.example"),
        ("anna@ⓔxample.pl", "anna@example.pl"),
        ("anna@ｅxample.pl", "anna@example.pl"),
        ("anna@x。example", "anna@x.example"),
        ("straße@x.example", "strasse@x.example"),
        ("anna@straße.example", "anna@strasse.example"),
        ("anna@x.example", "x.example"),
        ("a@b@x.example", "b@x.example"),
        ("аnna@x.example", "anna@x.example"),
    ],
)
def test_these_are_two(one: str, other: str) -> None:
    assert not same_address(one, other)


def test_the_local_part_is_kept_as_written() -> None:
    assert normalise("Anna.Nowak@Łódź.Example") == "Anna.Nowak@xn--d-uga0v4h.example"


@given(st.text(max_size=400))
def test_no_text_breaks_the_comparison(text: str) -> None:
    key = address_key(text)
    assert address_key(key) == key
    assert same_address(text, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "anna",
        "@x.example",
        "anna@",
        "anna@localhost",
        "anna@[127.0.0.1]",
        '"anna nowak"@x.example',
        "anna nowak@x.example",
        ".anna@x.example",
        "an..na@x.example",
        "anna@x..example",
        "anna@-x.example",
        "anna@x.example, jan@x.example",
        "Anna <anna@x.example>",
        "anna\r\nBcc: eve@x.example@x.example",
        "a" * 65 + "@x.example",
        "anna@" + "x" * 64 + ".example",
        "anna@" + "x." * 130 + "example",
    ],
)
def test_what_may_not_be_registered_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is|has"):
        parse_address(text)


@pytest.mark.parametrize("text", ["anna@x.example", "o'neil+a@x.example", "zoł@łódź.example"])
def test_what_may_be_registered_is(text: str) -> None:
    assert parse_address(text) == normalise(text)
