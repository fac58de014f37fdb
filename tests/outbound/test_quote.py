"""Quoting strangers: short, on one line, and nothing to click on (promise L8)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.outbound.quote import LONGEST, one_line, quoted, quoted_address
from mailgate.tokens import ticket


@pytest.mark.parametrize(
    ("subject", "shown"),
    [
        ("Zmiana serwerów DNS", "Zmiana serwerów DNS"),
        ("Re: faktura 12.5 zł z 12:30, nr 3.", "Re: faktura 12.5 zł z 12:30, nr 3."),
        ("see https://evil.example/x?y", "see https: //evil. example/x?y"),
        ("www.evil.example", "www. evil. example"),
        ("evil\u3002example", "evil. example"),
        ("jan@evil.example", "jan@evil. example"),
        ("mailto:jan javascript:x", "mailto: jan javascript: x"),
        ("a\r\nBcc: b\tc\0d", "a Bcc: b c d"),
        ("a\u202ebc\u2066d\u200be\u2028f", "a bc d e f"),
        ("\ud800x\udcff", "x"),
        ("[IQ.pl#1:00112233445566778899]", "(IQ. pl#1:00112233445566778899)"),
        ("", ""),
    ],
)
def test_a_subject_is_shown_but_does_nothing(subject: str, shown: str) -> None:
    assert quoted(subject) == shown


@given(st.text(max_size=2000), st.integers(10, LONGEST))
def test_a_quotation_is_one_short_line_without_a_token_of_ours(text: str, longest: int) -> None:
    shown = quoted(text, longest)
    assert len(shown) <= longest
    assert shown == one_line(shown)
    assert "://" not in shown
    assert not ticket.find(shown)
    shown.encode()  # no half of a surrogate pair


def test_a_long_subject_ends_in_an_ellipsis() -> None:
    assert quoted("ą" * 201) == "ą" * 199 + "…"
    assert quoted("ą" * 200) == "ą" * 200


def test_a_plain_address_stays_and_an_odd_one_is_quoted() -> None:
    assert quoted_address("Jan+x@mail.piekarnia.example") == "Jan+x@mail.piekarnia.example"
    assert quoted_address('"http://evil.example"@a.example') == '"http: //evil. example"@a. example'
