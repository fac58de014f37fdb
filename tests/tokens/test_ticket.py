"""Ticket tokens: what counts as one in a subject, and what one proves."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.model.ticket import Ticket, TicketToken
from mailgate.tokens import ticket as tokens
from mailgate.tokens.keys import Keys
from tests.outbound.samples import TICKET

KEYS = Keys((b"k" * 32,))
CODE = "1be837cbaa33d1c9254c"
TAGS = {"IQ.pl": "support", "IQ": "support", "BOK": "billing"}


def rows(number: int) -> Ticket | None:
    """Two tickets: 23328 of support, whose code was changed twice, and 5 of billing."""
    known = {
        23328: replace(TICKET, epoch=2),
        5: replace(TICKET, number=5, desk="billing"),
    }
    return known.get(number)


def token(number: int = 23328, epoch: int = 2, desk: str = "support", tag: str = "IQ.pl") -> str:
    return tokens.render(tag, number, tokens.code(KEYS, desk, number, epoch))


def judged(subject: str, keys: Keys = KEYS) -> tuple[str, int | None]:
    found = tokens.judge(tokens.find(subject), tags=TAGS, ticket=rows, keys=keys)
    assert found.why
    return found.kind, found.number


# --- finding --------------------------------------------------------------------------------------


def test_a_token_looks_like_the_one_of_the_specification() -> None:
    assert tokens.render("IQ.pl", 23328, CODE) == f"[IQ.pl#23328:{CODE}]"
    assert tokens.find(f"Re: [IQ.pl#23328:{CODE}] DNS") == [
        TicketToken("IQ.pl", 23328, CODE, "subject")
    ]


@pytest.mark.parametrize(
    ("subject", "code"),
    [
        (f"[IQ.pl#23328:{CODE.upper()}]", CODE),
        (f"[IQ.pl#23328: {CODE}]", CODE),
        (f"[ IQ.pl #23328:{CODE} ]", CODE),
        (f"[IQ.pl#23328:{CODE[:9]} {CODE[9:]}]", CODE),
        (f"[IQ.pl#23328:{CODE[:9]}\r\n\t{CODE[9:]}]", CODE),
        (f"[IQ.pl#233\r\n 28:{CODE}]", CODE),
        ("[IQ.pl#23328]", None),
        ("[IQ.pl#23328:]", None),
        (f"[IQ.pl#23328:{CODE[:-1]}]", None),
        (f"[IQ.pl#23328:{CODE}0]", None),
        (f"[IQ.pl#23328:{CODE[:-1]}g]", None),
        (f"[IQ.pl#23328:{CODE[:-1]}\uff10]", None),
        (f"[IQ.pl#23328:{CODE}:{CODE}]", None),
        (f"[IQ.pl#23328:{CODE[:9]}\u00a0{CODE[9:]}]", None),
        (f"[IQ.pl#23328:{CODE[:9]}\u200b{CODE[9:]}]", None),
    ],
)
def test_folding_does_no_harm_and_any_other_damage_leaves_no_code(
    subject: str, code: str | None
) -> None:
    assert tokens.find(subject) == [TicketToken("IQ.pl", 23328, code, "subject")]


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "no token",
        f"IQ.pl#23328:{CODE}",
        f"[IQ.pl:23328#{CODE}]",
        f"[#23328:{CODE}]",
        f"[IQ.pl#:{CODE}]",
        f"[IQ.pl#\u0662\u0663:{CODE}]",
        f"[IQ.pl#-5:{CODE}]",
        f"[IQ.pl#{'9' * 19}:{CODE}]",
        f"[IQ.pl#23328;{CODE}]",
        f"[IQ.pl#23328:{CODE}",
        "[C# x #3]",
        "[" * 5000,
        "[a#" * 3000,
    ],
)
def test_what_is_not_quite_a_token_is_none(subject: str) -> None:
    assert tokens.find(subject) == []


def test_tokens_of_any_desk_are_found_in_their_order() -> None:
    found = tokens.find(f"[12345#1][Feature  request #2] x [BOK#3:{CODE}] [[a#4]]", "body")
    assert [(t.tag, t.number, t.code, t.field) for t in found] == [
        ("12345", 1, None, "body"),
        ("Feature request", 2, None, "body"),
        ("BOK", 3, CODE, "body"),
        ("a", 4, None, "body"),
    ]


@given(st.text(alphabet=st.sampled_from("[]#: \r\n\t0123456789abcdefIQ.pl٣０"), max_size=200))
def test_finding_never_fails_and_gives_ascii_only(subject: str) -> None:
    for found in tokens.find(subject):
        assert found.number >= 0
        assert found.code is None or (found.code.isascii() and len(found.code) == tokens.DIGITS)


@given(
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9.\-]{0,31}", fullmatch=True),
    st.integers(1, 10**15),
    st.binary(min_size=10, max_size=10),
    st.text(alphabet=st.characters(exclude_characters="[]"), max_size=30),
)
def test_what_is_rendered_is_found_again(tag: str, number: int, mac: bytes, around: str) -> None:
    subject = around + tokens.render(tag, number, mac.hex()) + around
    assert tokens.find(subject) == [TicketToken(tag, number, mac.hex(), "subject")]


# --- judging --------------------------------------------------------------------------------------


def test_the_current_code_is_valid_under_every_tag_of_the_desk_and_without_case() -> None:
    assert judged(token()) == ("valid", 23328)
    assert judged(token(tag="IQ")) == ("valid", 23328)
    assert judged(token().upper()) == ("valid", 23328)


def test_a_code_of_an_older_key_is_valid() -> None:
    assert judged(token(), Keys((b"n" * 32, *KEYS.secrets))) == ("valid", 23328)


def test_an_older_code_of_the_ticket_is_retired_and_a_future_one_is_wrong() -> None:
    assert judged(token(epoch=1)) == ("retired", 23328)
    assert judged(token(epoch=0)) == ("retired", 23328)
    assert judged(token(epoch=3)) == ("wrong", 23328)


def test_a_code_proves_one_ticket_of_one_desk_only() -> None:
    billing = token(5, 0, "billing", "BOK")
    assert judged(billing) == ("valid", 5)
    assert judged(billing.replace("#5:", "#23328:")) == ("unknown", 23328)
    assert judged(billing.replace("BOK", "IQ.pl")) == ("unknown", 5)
    assert judged(token(5, 0, "support", "BOK")) == ("wrong", 5)


def test_a_number_nobody_has_is_unknown() -> None:
    assert judged(f"[IQ.pl#99:{CODE}]") == ("unknown", 99)


@pytest.mark.parametrize("subject", ["[IQ.pl#23328]", "[IQ.pl#23328:1be8]", "[iq.PL#23328:]"])
def test_a_token_without_its_code_says_which_ticket_is_meant_and_links_nothing(
    subject: str,
) -> None:
    assert judged(subject) == ("absent", 23328)


def test_foreign_tags_do_not_count() -> None:
    assert judged(f"[Other#1:{CODE}]") == ("absent", None)
    assert judged(f"[Other#1:{CODE}] {token()}") == ("valid", 23328)
    kelvin = token(5, 0, "billing", "BO\u212a")  # a Kelvin sign, which lower() makes a k
    assert judged(kelvin) == ("absent", None)


def test_two_different_tokens_of_ours_link_nothing() -> None:
    assert judged(f"{token()} {token()}") == ("valid", 23328)
    assert judged(f"{token()} {token(tag='IQ')}") == ("valid", 23328)
    assert judged(f"{token()} {token(5, 0, 'billing', 'BOK')}") == ("conflicting", None)
    assert judged(f"{token()} {token(epoch=1)}") == ("conflicting", 23328)
    assert judged(f"{token()} [IQ.pl#23328]") == ("conflicting", 23328)


def test_no_ticket_is_looked_up_where_there_is_nothing_to_compare() -> None:
    def never(number: int) -> Ticket | None:
        raise AssertionError(number)

    for subject in ("", f"[Other#1:{CODE}]", "[IQ.pl#7]", f"{token()} {token(epoch=0)}"):
        tokens.judge(tokens.find(subject), tags=TAGS, ticket=never, keys=KEYS)


@given(st.binary(min_size=10, max_size=10))
def test_a_guessed_code_is_wrong(guess: bytes) -> None:
    assert judged(tokens.render("IQ.pl", 23328, guess.hex()))[0] == "wrong"
