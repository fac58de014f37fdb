"""Passwords and codes of staff: what counts, what does not, and how long the answer takes."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from statistics import median

import pytest
from argon2 import PasswordHasher

from mailgate.clock import random
from mailgate.tokens import totp
from mailgate.tokens.password import Passwords, new_password

NOW = datetime(2026, 11, 16, 10, 21, 5, tzinfo=UTC)
#: RFC 6238 appendix B: the shared secret of its test vectors, "12345678901234567890" in base 32.
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords(random, PasswordHasher(time_cost=2, memory_cost=8192, parallelism=1))


def test_a_password_matches_its_own_hash_and_no_other(passwords: Passwords) -> None:
    known = passwords.hash("zażółć gęślą jaźń")
    assert known.startswith("$argon2id$")
    assert passwords.matches("zażółć gęślą jaźń", known)
    assert not passwords.matches("zażółć gęślą jaźn", known)
    assert not passwords.matches("", known)


def test_a_letter_typed_as_two_characters_is_the_same_letter(passwords: Passwords) -> None:
    assert passwords.matches("o\u0301smy kot", passwords.hash("\u00f3smy kot"))


def test_nobody_has_a_password_and_a_broken_hash_matches_none(passwords: Passwords) -> None:
    assert not passwords.matches("anything", None)
    assert not passwords.matches("anything", "not a hash")


def test_two_hashes_of_one_password_differ(passwords: Passwords) -> None:
    assert passwords.hash("the same") != passwords.hash("the same")


def test_an_unknown_user_takes_as_long_as_a_wrong_password(passwords: Passwords) -> None:
    known = passwords.hash("right")

    def seconds(hash_: str | None) -> float:
        start = time.perf_counter()
        passwords.matches("wrong", hash_)
        return time.perf_counter() - start

    pairs = [(seconds(known), seconds(None)) for _ in range(41)]
    ratio = median(nobody for _, nobody in pairs) / median(wrong for wrong, _ in pairs)
    assert 0.75 < ratio < 1.33, ratio


def test_a_new_password_is_long_and_can_be_read_aloud() -> None:
    made = {new_password(random) for _ in range(100)}
    assert len(made) == 100
    assert all(len(p) == 24 and p.replace("-", "").isalnum() for p in made)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_the_rfc(seconds: int, expected: str) -> None:
    assert totp.code(SECRET, datetime.fromtimestamp(seconds, UTC)) == expected


def test_a_code_counts_one_step_early_or_late_and_names_its_step() -> None:
    typed = totp.code(SECRET, NOW)
    step = int(NOW.timestamp()) // 30
    for late in (-30, 0, 30):
        assert totp.matching_step(SECRET, typed, NOW + timedelta(seconds=late)) == step
    for late in (-90, 90):
        assert totp.matching_step(SECRET, typed, NOW + timedelta(seconds=late)) is None


@pytest.mark.parametrize(
    "typed", ["", "12345", "1234567", "abcdef", "１２３４５６", "123456" * 100]
)
def test_what_is_no_code_is_of_no_step(typed: str) -> None:
    assert totp.matching_step(SECRET, typed, NOW) is None


def test_a_code_may_be_typed_in_two_groups() -> None:
    typed = totp.code(SECRET, NOW)
    assert totp.matching_step(SECRET, f"{typed[:3]} {typed[3:]}", NOW) is not None


def test_an_authenticator_can_read_the_address_of_a_secret() -> None:
    secret = totp.new_secret(random)
    made = totp.uri(secret, "kasia", "Pomoc Demo")
    assert made.startswith("otpauth://totp/Pomoc%20Demo:kasia?")
    assert f"secret={secret}" in made
