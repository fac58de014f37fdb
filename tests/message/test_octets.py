"""Charsets, transfer encodings, parameters and dates: from octets to values."""

from __future__ import annotations

import base64
import codecs
import encodings
from datetime import UTC, datetime, timedelta

import pytest

from mailgate.message import charsets, dates, params, transfer


@pytest.mark.parametrize(
    ("label", "octets", "text"),
    [
        ("utf-8", b"\xc5\xbc", "ż"),
        ("UTF8", b"\xc5\xbc", "ż"),
        ('"iso-8859-2"', b"\xbf", "ż"),
        ("windows-1250", b"\xbf\x9c", "żś"),
        ("cp-1250", b"\xbf", "ż"),
        ("iso-8859-1", b"\x93\xe9\x94", "“é”"),
        ("us-ascii", b"za\xc5\xbc", "zaż"),
        ("us-ascii", b"caf\xe9", "café"),
        ("gb2312", "镕".encode("gbk"), "镕"),
        ("ks_c_5601-1987", "똠".encode("cp949"), "똠"),
        ("shift_jis", "①".encode("cp932"), "①"),
        ("iso-2022-jp", b"\x1b$B-!\x1b(B x", "① x"),
        ("iso-8859-1", "Zażółć".encode(), "Zażółć"),
        ("utf-8", b"Fr\xf6sche", "Frösche"),
        ("utf-8", "gęślą jaźń".encode("cp1250"), "gęślą jaźń"),
        ("us-ascii", "Привет, как дела".encode("cp1251"), "Привет, как дела"),
        ("utf-8", "ąęść".encode() + b"\xff", "ąęść\ufffd"),
        ("unknown-8bit", b"caf\xe9", "café"),
        ("", b"\x81\x8d", "\x81\x8d"),
        ("utf-16", "ż".encode("utf-16"), "ż"),
        ("iso-8859-8-i", b"\xf9", "ש"),
        ("", b"\x1b$B$3$s\x1b(B x", "こん x"),
        ("", b"in colour: \x1b[1m\x1b$5", "in colour: \x1b[1m\x1b$5"),
        ("windows-31j", "①".encode("cp932"), "①"),
        ("iso-2022-jp-ms", b"\x1b$B-!\x1b(B", "①"),
        ("cn-big5", "你".encode("big5"), "你"),
        ("x-mac-ce", "ż".encode("mac-latin2"), "ż"),
        ("unicode", "ż".encode("utf-16"), "ż"),
    ],
)
def test_text_is_read_by_its_label_or_better(label: str, octets: bytes, text: str) -> None:
    assert charsets.decode(octets, label) == text


def test_no_codec_of_python_is_used_that_is_no_charset() -> None:
    names = {
        codecs.lookup(n).name for n in set(encodings.aliases.aliases.values()) - {"mbcs", "oem"}
    }
    for name in sorted(names):
        if charsets.codec(name):
            assert isinstance(b"a".decode(charsets.codec(name) or "", "replace"), str)
    refused = "utf-7 idna punycode unicode_escape raw_unicode_escape undefined rot13 hex zlib bz2"
    for bad in (*refused.split(), "base64", "quopri", "uu", "\0utf-8", "ż"):
        assert charsets.codec(bad) is None


def test_any_octets_under_any_label_give_text() -> None:
    every = bytes(range(256)) * 2
    for label in (*charsets._CODECS, *charsets._ALIASES, "utf-7", "x", ""):
        charsets.decode(every, label).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize(
    ("encoded", "octets"),
    [
        (b"YWJj", b"abc"),
        (b"YW\r\nJj\r\n", b"abc"),
        (b"YWJjZA", b"abcd"),
        (b"YWJjZA=", b"abcd"),
        (b"Y!W*J j", b"abc"),
        (b"YWJjZ", b"abc"),
        (b"YQ==YWJj", b"a"),
        (b"", b""),
        (b"====", b""),
    ],
)
def test_base64_is_decoded_as_clients_do(encoded: bytes, octets: bytes) -> None:
    assert transfer.base64(encoded) == octets


@pytest.mark.parametrize(
    ("encoded", "octets"),
    [
        (b"a=3Db", b"a=b"),
        (b"a=\r\nb", b"ab"),
        (b"a=  \r\nb", b"ab"),
        (b"a=ZZ", b"a=ZZ"),
        (b"a=c5=bc", b"a\xc5\xbc"),
        (b"end=", b"end"),
    ],
)
def test_quoted_printable_is_decoded_as_clients_do(encoded: bytes, octets: bytes) -> None:
    assert transfer.quoted_printable(encoded) == octets


def test_uuencoded_octets_are_decoded() -> None:
    assert transfer.decode(b"begin 644 a\r\n#86)C\r\n`\r\nend\r\n", "x-uuencode") == b"abc"
    assert transfer.uu(b"begin 644 a\n#86)C trailing\n`\nend\n") == b"abc"
    assert transfer.uu(b"no such thing") == b"no such thing"
    assert transfer.uu(b"begin-base64 644 a\n" + base64.b64encode(b"abc") + b"\n====\n") == b"abc"


@pytest.mark.parametrize(
    ("body", "value", "parameters"),
    [
        ("text/plain", "text/plain", {}),
        ("Text/PLAIN; Charset=utf-8", "text/plain", {"charset": "utf-8"}),
        ('a/b; name="x; y.pdf"', "a/b", {"name": "x; y.pdf"}),
        ("a/b; name=x y.pdf; c=d", "a/b", {"name": "x y.pdf", "c": "d"}),
        ('a/b; name="a \\"b\\".pdf"', "a/b", {"name": 'a "b".pdf'}),
        ('a/b; name="C:\\dir\\x.pdf"', "a/b", {"name": "C:\\dir\\x.pdf"}),
        ('a/b; name="=?utf-8?Q?=C5=BC.pdf?="', "a/b", {"name": "ż.pdf"}),
        ("attachment; filename*=utf-8''%C5%BC.pdf", "attachment", {"filename": "ż.pdf"}),
        ("a; f*=iso-8859-2'pl'%BF.pdf; f=z.pdf", "a", {"f": "ż.pdf"}),
        ("a; f=report (1).pdf; c=d", "a", {"f": "report (1).pdf", "c": "d"}),
        ("a; f*0*=utf-8''%C5; f*1*=%BC; f*2=.pdf", "a", {"f": "ż.pdf"}),
        ("a; f*1=b; f*0=a", "a", {"f": "ab"}),
        ("a; f*0=a; f*1=b; f*10=d; f*2=c", "a", {"f": "abcd"}),
        ("text/plain; charset=utf-8 (a comment)", "text/plain", {"charset": "utf-8"}),
        ("text/plain (a; b=c); charset=utf-8", "text/plain", {"charset": "utf-8"}),
        ("attachment; filename=file(1).pdf", "attachment", {"filename": "file(1).pdf"}),
        ('attachment; filename="unclosed.pdf', "attachment", {"filename": "unclosed.pdf"}),
        ("text/plain charset=utf-8", "text/plain", {"charset": "utf-8"}),
        ("text/plain;; charset = utf-8 ;", "text/plain", {"charset": "utf-8"}),
        ("text/plain; nonsense; charset=utf-8", "text/plain", {"charset": "utf-8"}),
        ("text/plain; charset=a; charset=b", "text/plain", {"charset": "a"}),
        ("filename=a.pdf", "", {"filename": "a.pdf"}),
        ("a; f='x y.pdf'", "a", {"f": "x y.pdf"}),
        ("a; f=Tom's.pdf", "a", {"f": "Tom's.pdf"}),
        ("a; f*0*=; f=b.pdf", "a", {"f": "b.pdf"}),
        ('attachment filename="a b.pdf"', "attachment", {"filename": "a b.pdf"}),
        (
            'multipart/mixed; boundary="=?utf-8?Q?b?= "',
            "multipart/mixed",
            {"boundary": "=?utf-8?Q?b?="},
        ),
        ("", "", {}),
    ],
)
def test_parameters_are_read_however_written(
    body: str, value: str, parameters: dict[str, str]
) -> None:
    assert params.parse(body) == (value, parameters)


@pytest.mark.parametrize(
    ("body", "moment"),
    [
        ("Mon, 16 Nov 2026 10:00:00 +0100", "2026-11-16T10:00:00+01:00"),
        ("16 Nov 26 10:00 GMT", "2026-11-16T10:00:00+00:00"),
        ("Mon, 16 Nov 2026 10:00:00 +0100 (CET)", "2026-11-16T10:00:00+01:00"),
        ("Mon, 16 Nov 2026 10:00:00 +0545", "2026-11-16T10:00:00+05:45"),
        ("Mon, 16 Nov 2026 10:00:00 CEST", "2026-11-16T10:00:00+02:00"),
        ("Mon Nov 16 10:00:00 2026", "2026-11-16T10:00:00+00:00"),
        ("2026-11-16 10:00:00 +01:00", "2026-11-16T10:00:00+01:00"),
        ("pon., 16 lis 2026 10:00:00 +0100", "2026-11-16T10:00:00+01:00"),
        ("Mo., 16 März 2026 10:00:00 +0100", "2026-03-16T10:00:00+01:00"),
        ("Monday, November 16, 2026 3:04 PM", "2026-11-16T15:04:00+00:00"),
        ("16 Nov 2026", "2026-11-16T00:00:00+00:00"),
    ],
)
def test_dates_are_read_with_their_offset(body: str, moment: str) -> None:
    found = dates.read(body)
    assert found is not None
    assert found.isoformat() == moment


@pytest.mark.parametrize(
    "body",
    ["", "never", "99 Foo 2026", "Mon, 31 Feb 2026 10:00:00 +0100", "1" * 300, "0 Jan 0000 0:0"],
)
def test_what_is_no_date_is_none(body: str) -> None:
    assert dates.read(body) is None


def test_an_offset_of_days_does_not_raise() -> None:
    found = dates.read("16 Nov 2026 10:00:00 +9959")
    assert found is None or abs(found - datetime(2026, 11, 16, 10, tzinfo=UTC)) < timedelta(days=6)
