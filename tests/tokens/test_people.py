"""What opens a session, signs in a contact or confirms an address: made from keys, or of chance."""

from __future__ import annotations

import pytest

from mailgate.tokens import access, change, link, session
from mailgate.tokens.keys import Keys

KEYS = Keys((b"k" * 32,))
OTHER = Keys((b"o" * 32,))
NONCE = "0" * 32


def test_tokens_of_different_purposes_have_nothing_in_common() -> None:
    made = {
        link.token(KEYS, NONCE),
        session.sign_in_token(KEYS, NONCE),
        change.token(KEYS, NONCE, "new"),
        change.token(KEYS, NONCE, "old"),
        access.token(KEYS, NONCE),
    }
    assert len(made) == 5
    assert len({token.removeprefix("mgt-")[:20] for token in made}) == 5


def test_a_token_is_the_same_each_time_and_another_with_another_key() -> None:
    for make in (session.sign_in_token, access.token):
        assert make(KEYS, NONCE) == make(KEYS, NONCE) != make(OTHER, NONCE)


def test_an_access_token_has_its_mark_and_130_bits() -> None:
    token = access.token(KEYS, NONCE)
    mark, letters = token[:4], token[4:]
    assert mark == "mgt-"
    assert len(letters) * 5 == 130
    assert access.normalised(token) == token


def test_a_token_of_the_api_is_of_chance_alone() -> None:
    assert access.api_token(lambda n: b"\0" * n) == "mga-" + "a" * 26


@pytest.mark.parametrize(
    "typed",
    ["  {} \n", "MGT-{upper}", "{wrapped}", "\u00a0{}\u00a0"],
    ids=["blanks", "capitals", "wrapped", "nbsp"],
)
def test_a_token_is_taken_as_people_paste_it(typed: str) -> None:
    token = access.token(KEYS, NONCE)
    pasted = typed.format(token, upper=token[4:].upper(), wrapped=f"{token[:10]}\r\n{token[10:]}")
    assert access.normalised(pasted) == token


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "mgt-",
        "mgt-" + "1" * 26,
        "mga-" + "a" * 26,
        "mgt-" + "a" * 27,
        "x" * 100_000,
        "mgt-" + "ａ" * 26,
    ],
)
def test_what_is_no_token_is_none(typed: str) -> None:
    assert access.normalised(typed) is None


def test_cookies_and_csrf_tokens_are_of_chance_and_long_enough() -> None:
    given: list[int] = []

    def random(count: int) -> bytes:
        given.append(count)
        return bytes(count)

    assert len(session.session_token(random)) == 64
    assert len(session.csrf_token(random)) == 32
    assert given == [32, 16]


def test_the_code_of_a_change_is_six_digits_and_of_no_other_nonce() -> None:
    code = change.code(KEYS, NONCE)
    assert len(code) == 6
    assert code.isdigit()
    assert change.code_matches(KEYS, NONCE, f" {code[:3]} {code[3:]} ")
    assert not change.code_matches(KEYS, "1" * 32, code)
    assert not change.code_matches(OTHER, NONCE, code)
    assert not change.code_matches(KEYS, NONCE, "")
    assert code != link.code(KEYS, NONCE)


def test_a_key_that_was_replaced_still_verifies_codes() -> None:
    rotated = Keys((b"n" * 32, *KEYS.secrets))
    assert change.code_matches(rotated, NONCE, change.code(KEYS, NONCE))
