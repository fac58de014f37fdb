"""Link tokens and codes, Message-IDs and return addresses: made, read, and not to be forged."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.tokens import link, message_id, verp
from mailgate.tokens.keys import Keys

KEYS = Keys((b"k" * 32,))
ROTATED = Keys((b"n" * 32, b"k" * 32))
FOREIGN = Keys((b"f" * 32,))
HOST = "mailgate.desk.example"
BOUNCES = "zwroty@desk.example"
NOTICE = "01KKNTQ2CN00000002"

numbers = st.integers(0, 10**15)
ids = st.from_regex(r"[0-9A-Z]{1,32}", fullmatch=True)


# --- link -----------------------------------------------------------------------------------------


def test_a_nonce_is_128_bits_of_chance() -> None:
    asked: list[int] = []

    def random(count: int) -> bytes:
        asked.append(count)
        return bytes(range(count))

    assert link.new_nonce(random) == bytes(range(16)).hex()
    assert asked == [16]


def test_a_token_is_long_survives_a_mail_and_comes_from_key_and_nonce_alone() -> None:
    token = link.token(KEYS, "a" * 32)
    assert re.fullmatch(r"[a-z2-7]{32}", token)  # 160 bits (promise L4)
    assert token == link.token(KEYS, "a" * 32)
    assert token not in {link.token(KEYS, "b" * 32), link.token(FOREIGN, "a" * 32)}
    assert token != link.sha256(token)


def test_any_text_can_be_looked_up() -> None:
    assert len(link.sha256("\udcff ąę \0")) == 64


@given(st.binary(min_size=16, max_size=16))
def test_the_code_is_six_digits_that_match_themselves(nonce: bytes) -> None:
    code = link.code(KEYS, nonce.hex())
    assert re.fullmatch(r"[0-9]{6}", code)
    assert link.code_matches(KEYS, nonce.hex(), code)
    assert link.code_matches(ROTATED, nonce.hex(), f" {code[:3]}-{code[3:]} ")
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    assert not link.code_matches(KEYS, nonce.hex(), wrong)


@pytest.mark.parametrize("typed", ["", "0", "abcdef", "\udcff", "１２３４５６", "0" * 10_000])
def test_what_is_no_code_matches_nothing(typed: str) -> None:
    assert not link.code_matches(KEYS, "a" * 32, typed)


# --- Message-ID -----------------------------------------------------------------------------------


@given(numbers, numbers, ids)
def test_a_message_id_says_ticket_and_contact_also_after_a_rotation(
    ticket: int, contact: int, unique: str
) -> None:
    made = message_id.make(KEYS, ticket, contact, unique, HOST)
    for keys in (KEYS, ROTATED):
        assert message_id.read(keys, made) == (ticket, contact)
        assert message_id.read(keys, f" <{made.upper()}> ") == (ticket, contact)
    assert message_id.read(FOREIGN, made) is None
    assert message_id.mine(made, HOST.upper())
    assert not message_id.mine(made, "other.example")


def test_a_message_id_without_ticket_and_contact_says_so() -> None:
    made = message_id.make(KEYS, None, None, "A", HOST)
    assert message_id.read(KEYS, made) == (0, 0)


def test_a_message_id_cannot_be_changed_into_another() -> None:
    made = message_id.make(KEYS, 17, 7, "ABC", HOST)
    for forged in (
        made.replace("t17.", "t18."),
        made.replace("t17.", "t017."),
        made.replace(".c7.", ".c8."),
        made.replace(".abc.", ".abd."),
        made.replace(HOST, f"x.{HOST}"),
    ):
        assert forged != made
        assert message_id.read(KEYS, forged) is None


@given(st.text(max_size=60))
def test_a_foreign_message_id_is_not_ours(text: str) -> None:
    assert message_id.read(KEYS, text) is None
    assert not message_id.mine(text, HOST)


@pytest.mark.parametrize(("unique", "host"), [("", HOST), ("a b", HOST), ("a", "x y"), ("a", "")])
def test_a_message_id_is_not_made_of_what_would_break_a_header(unique: str, host: str) -> None:
    with pytest.raises(ValueError, match="no Message-ID"):
        message_id.make(KEYS, 1, 1, unique, host)


def test_the_key_that_made_a_message_id_becomes_the_newest() -> None:
    signer = message_id.signer(ROTATED, message_id.make(KEYS, 1, 1, "A", HOST))
    assert signer is not None
    assert signer.secrets[0] == KEYS.secrets[0]


# --- return address -------------------------------------------------------------------------------


@given(ids)
def test_a_return_address_names_its_notice_whatever_case_it_comes_back_in(notice: str) -> None:
    made = verp.make(KEYS, BOUNCES, notice)
    for form in (made, made.lower(), made.upper()):
        assert verp.read(ROTATED, BOUNCES, form) == notice
    assert verp.read(FOREIGN, BOUNCES, made) is None


def test_a_return_address_fits_into_a_mailbox_name() -> None:
    local, _, domain = verp.make(KEYS, BOUNCES, NOTICE).partition("@")
    assert len(local) <= 64  # RFC 5321 §4.5.3.1.1
    assert domain == "desk.example"


def test_a_return_address_cannot_be_made_up() -> None:
    made = verp.make(KEYS, BOUNCES, NOTICE)
    for forged in (
        BOUNCES,
        made.replace("02.", "03."),
        made.replace("zwroty+", "zwroty"),
        made.replace("desk.example", "evil.example"),
        made.replace("zwroty", "wroty"),
        made.replace("@", "@@"),
        made[:-1],
        "",
        "@",
        f"\u0130{made}",
    ):
        assert verp.read(KEYS, BOUNCES, forged) is None


@pytest.mark.parametrize("notice", ["", "lower", "A B", "A.B", "A@B", "A" * 33])
def test_only_ids_of_notices_go_into_a_return_address(notice: str) -> None:
    with pytest.raises(ValueError, match="not the id"):
        verp.make(KEYS, BOUNCES, notice)
