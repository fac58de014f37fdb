"""Encoded words and raw octets in header fields."""

from __future__ import annotations

import base64

import pytest

from mailgate.message import read_head
from mailgate.message.words import decode
from tests.message.mails import mail


def b64(octets: bytes, charset: str = "utf-8") -> str:
    return f"=?{charset}?B?{base64.b64encode(octets).decode()}?="


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("plain text", "plain text"),
        ("=?utf-8?Q?Za=C5=BC=C3=B3=C5=82=C4=87?=", "Zażółć"),
        ("=?ISO-8859-2?q?=BF=F3=B3w?= i jazz", "żółw i jazz"),
        ("=?utf-8*pl?Q?=C5=BC?=", "ż"),
        ("=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"),
        ("=?utf-8?Q?a?=\r\n =?utf-8?Q?b?=".replace("\r\n", ""), "ab"),
        ("=?utf-8?Q?a?= x =?utf-8?Q?b?=", "a x b"),
        ("=?utf-8?Q?a_b=20c?=", "a b c"),
        ("Re:=?utf-8?Q?_x?=y", "Re: xy"),
        ("=?utf-8?Q?what?? really?=", "what?? really"),
        ("=?utf-8?Q?50%_=3D_half=?=", "50% = half="),
        ("=?x-unknown?Q?abc?=", "abc"),
        ("=?gb2312?B?1tDOxA==?=", "中文"),
        ("=?utf-8?X?abc?=", "=?utf-8?X?abc?="),
        ("=?utf-8?B?", "=?utf-8?B?"),
        ("= ? utf-8", "= ? utf-8"),
        ("\x1b$BF|K\\\x1b(B", "日本"),
    ],
)
def test_encoded_words_are_read_as_people_expect(written: str, read: str) -> None:
    assert decode(written) == read


def test_a_character_split_over_two_words_is_whole_again() -> None:
    octets = "ąż".encode()
    assert decode(f"{b64(octets[:1])} {b64(octets[1:])}") == "ąż"
    assert decode("=?utf-8?Q?=C4?= =?utf-8?B?hQ==?=") == "ą"


def test_base64_cut_off_anywhere_is_joined() -> None:
    text = base64.b64encode("Zażółć gęślą jaźń".encode()).decode().rstrip("=")
    assert decode(f"=?utf-8?B?{text[:5]}?= =?utf-8?B?{text[5:]}?=") == "Zażółć gęślą jaźń"


def test_lost_padding_and_foreign_characters_do_not_matter() -> None:
    assert decode("=?utf-8?B?xbzDs8W?=").startswith("żó")
    assert decode("=?utf-8?B?xbz Ds*8WC?=") == "żół"


def test_utf_7_is_refused() -> None:
    assert decode("=?utf-7?Q?+AGE-dmin?=") == "+AGE-dmin"


@pytest.mark.parametrize("charset", ["idna", "unicode-escape", "rot13", "zlib", "undefined"])
def test_codecs_that_are_no_charsets_are_refused(charset: str) -> None:
    assert decode(f"=?{charset}?Q?a\\u0041?=") == "a\\u0041"


def test_controls_and_line_ends_in_encoded_words_become_spaces() -> None:
    assert decode("=?utf-8?Q?a=0D=0AFrom:_x=00?=") == "a From: x "


def test_raw_octets_are_utf_8_or_the_charset_of_the_text() -> None:
    assert read_head(mail("Subject: Zażółć".encode())).subject == "Zażółć"
    content = mail(b"Subject: \xbf\xf3\xb3w", "Content-Type: text/plain; charset=iso-8859-2")
    assert read_head(content).subject == "żółw"


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (
            "Zapytanie o fakturę i zwrot zaległości".encode("cp1250"),
            "Zapytanie o fakturę i zwrot zaległości",
        ),
        ("Proszę o źródło".encode("iso8859-2"), "Proszę o źródło"),
        ("Café au lait, garçon, cœur".encode("cp1252"), "Café au lait, garçon, cœur"),
        ("Größe".encode("latin-1"), "Größe"),
        ("Привет, как дела".encode("koi8-r"), "Привет, как дела"),
        ("Привет, как дела".encode("cp1251"), "Привет, как дела"),
    ],
)
def test_octets_nobody_labelled_are_guessed_by_their_letters(octets: bytes, text: str) -> None:
    assert read_head(mail(b"Subject: " + octets)).subject == text
