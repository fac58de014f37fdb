"""Octets to text by an allow-list of charsets; no other name picks a codec (promise M7)."""

from __future__ import annotations

import codecs
import functools
import re

#: Text codecs of Python that mail may ask for. No utf-7, idna, unicode-escape, rot13, zlib….
_CODEC_NAMES = """
    ascii utf-8 utf-16 utf-16-le utf-16-be utf-32 utf-32-le utf-32-be
    iso8859-1 iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6 iso8859-7 iso8859-8 iso8859-9
    iso8859-10 iso8859-11 iso8859-13 iso8859-14 iso8859-15 iso8859-16
    cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258
    cp437 cp720 cp737 cp775 cp850 cp852 cp855 cp857 cp858 cp860 cp861 cp862 cp863 cp864 cp865 cp866
    cp869 cp874 cp1125 koi8-r koi8-u koi8-t kz1048 ptcp154 tis-620 hp-roman8
    mac-roman mac-cyrillic mac-greek mac-latin2 mac-iceland mac-turkish
    big5 big5hkscs cp950 gb2312 gbk gb18030 hz euc_jp euc_jis_2004 shift_jis shift_jisx0213 cp932
    iso2022_jp iso2022_jp_1 iso2022_jp_2 iso2022_jp_3 iso2022_jp_2004 iso2022_jp_ext
    euc_kr cp949 johab iso2022_kr
"""
_CODECS = frozenset(_CODEC_NAMES.split())
#: Names that mail uses and Python does not know, or knows too narrowly: real mail of the charset
#: on the left holds characters that only the superset on the right has (as browsers read it).
_ALIASES = {
    "ascii": "utf-8",
    "us-ascii": "utf-8",
    "ansi_x3.4-1968": "utf-8",
    "unicode-1-1-utf-8": "utf-8",
    "utf8mb4": "utf-8",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "windows-874": "cp874",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "iso-8859-6-i": "iso8859-6",
    "iso-8859-6-e": "iso8859-6",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "gb2312-80": "gb18030",
    "big5": "big5hkscs",
    "x-big5": "big5hkscs",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
    "euc_kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "x-windows-949": "cp949",
    "iso2022_jp": "iso2022_jp_ext",
    "cp-850": "cp850",
    "x-mac-roman": "mac-roman",
    "macintosh": "mac-roman",
    "x-mac-cyrillic": "mac-cyrillic",
    "koi8-ru": "koi8-u",
    "koi8": "koi8-r",
    "windows-31j": "cp932",
    "cswindows31j": "cp932",
    "x-ms-cp932": "cp932",
    "x-euc-jp": "euc_jp",
    "cp51932": "euc_jp",
    "iso-2022-jp-ms": "iso2022_jp_ext",
    "cp50220": "iso2022_jp_ext",
    "cp50221": "iso2022_jp_ext",
    "gb_2312-80": "gb18030",
    "x-euc-cn": "gb18030",
    "cn-gb": "gb18030",
    "cn-big5": "big5hkscs",
    "x-x-big5": "big5hkscs",
    "ks_c_5601-1989": "cp949",
    "latin-9": "iso8859-15",
    "visual": "iso8859-8",
    "logical": "iso8859-8",
    "dos-874": "cp874",
    "x-mac-ce": "mac-latin2",
    "x-mac-centraleurroman": "mac-latin2",
    "unicode": "utf-16",
    "ucs-2": "utf-16",
    "iso-10646-ucs-2": "utf-16",
}
_LATIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_POLISH = {
    name: frozenset("ąćęłńóśźżĄĆĘŁŃÓŚŹŻ„”–…".encode(name, "ignore"))
    for name in ("cp1250", "iso8859-2")
}
#: ł, ą, ź, and ś before a letter, each of which Western text has for signs; not œ of "cœur".
_POLISH_SIGN = re.compile(rb"[\xb3\xb9\x9f\xb1\xb6\xbc](?=[a-z\x80-\xff])|\x9c(?=[a-hj-tv-z])")
#: `utf-8content-type`, `iso-8859-1 (western)`: the label and what ran into it.
_BEGINS_KNOWN = re.compile(r"utf-?8|iso-8859-\d{1,2}|windows-\d{4}|koi8-[ru]|us-ascii|gb2312|big5")
_JIS_DOUBLE = re.compile(rb"\x1b\$[@B](?=[!-~])")
_JIS_RUN = re.compile(rb"\x1b\$[@B]([^\x1b]*)|\x1b\([A-Z]")
_CP_NAME = re.compile(r"(?:x-)?(?:cp|windows|win|ibm|dos)[-_ ]?(\d{3,4})")
_ISO_NAME = re.compile(r"(?:x-)?iso[-_ ]?8859[-_ ]?(\d{1,2})")


@functools.lru_cache(maxsize=256)
def codec(charset: str) -> str | None:
    """The allowed Python codec for a charset label, or None."""
    name = charset.strip(" \t\"'").lower()
    if name in ("utf-8", "utf8", "us-ascii", ""):
        return "utf-8" if name else None
    name = _ALIASES.get(name, name)
    if match := _CP_NAME.fullmatch(name):
        name = f"cp{match[1]}"
    elif match := _ISO_NAME.fullmatch(name):
        name = f"iso8859-{match[1]}"
    found = _python_codec(name)
    if found is None and (match := _BEGINS_KNOWN.match(name)):
        found = _python_codec(match[0])
    return _ALIASES.get(found, found) if found else None


def _python_codec(name: str) -> str | None:
    if not name.isascii():
        return None
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        return None
    return found if found in _CODECS else None


def decode(octets: bytes, charset: str = "") -> str:
    """Text of octets under a label that may be missing, unknown or wrong; never raises."""
    if octets.isascii() and b"\x1b" not in octets and (not charset or codec(charset) == "utf-8"):
        return octets.decode("ascii")
    name = codec(charset)
    if name is None:
        return guess(octets)
    if name == "utf-8":
        return _utf_8(octets)
    if name in ("cp1252", "cp1250", "cp1254", "iso8859-2", "iso8859-15") and _is_utf_8(octets):
        return octets.decode("utf-8")  # no sentence of these charsets is valid UTF-8 by chance
    try:
        return octets.decode(name)
    except UnicodeError:
        if name == "cp1252":
            return _western(octets)
        if name.startswith("iso2022_jp"):
            return _iso_2022_jp(octets)
        return octets.decode(name, "replace")


def guess(octets: bytes) -> str:
    """Text of octets that nobody labelled: by their escapes, as UTF-8 where it is valid, else by
    their letters."""
    if octets.isascii() and _JIS_DOUBLE.search(octets):
        return decode(octets, "iso-2022-jp")
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return _by_letters(octets)


def _by_letters(octets: bytes) -> str:
    """Cyrillic where capital and small letters of its code pages prevail, Polish where every
    octet is a letter of it, else Western."""
    high = [o for o in octets[:2000] if o > 0x7F]
    latin = sum(1 for o in octets[:2000] if o in _LATIN)
    upper_half = sum(1 for o in high if o >= 0xC0)
    if len(high) >= 3 and len(high) > latin and upper_half >= 0.9 * len(high):
        small_koi8 = sum(1 for o in high if 0xC0 <= o < 0xE0)
        return octets.decode("koi8-r" if small_koi8 * 2 > upper_half else "cp1251", "replace")
    if _POLISH_SIGN.search(octets):
        for name, letters in _POLISH.items():
            if letters.issuperset(high):
                return octets.decode(name, "replace")
    return _western(octets)


def _is_utf_8(octets: bytes) -> bool:
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not octets.isascii()


def _utf_8(octets: bytes) -> str:
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        text = octets.decode("utf-8", "replace")
    valid = sum(1 for c in text if c > "\x7f" and c != "\ufffd")
    return text if valid >= text.count("\ufffd") else _by_letters(octets)


def _iso_2022_jp(octets: bytes) -> str:
    """ISO-2022-JP with the vendor characters (①, ㈱) that only Windows' Shift_JIS has."""
    out = bytearray()  # not a list of runs, which takes twenty times the memory
    at = 0
    for run in _JIS_RUN.finditer(octets):
        out += octets[at : run.start()]
        if run[1]:
            out += _shift_jis(run[1])
        at = run.end()
    out += octets[at:]
    return out.decode("cp932", "replace")


def _shift_jis(jis: bytes) -> bytes:
    """Pairs of JIS X 0208 octets as Shift_JIS."""
    made = bytearray()
    for row, cell in zip(jis[::2], jis[1::2], strict=False):
        lead = (row + 1) // 2 + (0x70 if row < 0x5F else 0xB0)
        odd = 0x1F if cell < 0x60 else 0x20
        trail = cell + (odd if row % 2 else 0x7E)
        made += bytes((lead & 0xFF, trail & 0xFF))
    return bytes(made)


def _western(octets: bytes) -> str:
    """Windows-1252, and the C1 control where that code page has a hole."""
    try:
        return octets.decode("cp1252")
    except UnicodeDecodeError:
        return octets.decode("latin-1")
