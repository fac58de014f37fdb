"""Date fields as real mail has them: by mail-parser where they follow RFC 5322, else by shape."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from mailgate.message import mail_parser

_LONGEST = 200
_MONTH_NAMES = """
    1 jan janv januar stycznia sty ene gen enero gennaio januari янв led
    2 feb févr fév fevr februar lutego lut febbraio febrero fevereiro fev фев úno
    3 mar mär mrz märz mars marca marzo março maart мар bře
    4 apr avr avril kwi kwietnia abr abril aprile апр dub
    5 may mai maj maja mayo mag maggio mei maio май мая kvě
    6 jun juin juni cze czerwca junio giugno giu junho июн čvn
    7 jul juil juillet juli lip lipca julio luglio lug julho июл čvc
    8 aug août aou sie sierpnia ago agosto augustus авг srp
    9 sep sept wrz września set settembre septiembre setembro сен zář
    10 oct okt paź października październik ott ottobre octubre out outubro окт říj
    11 nov lis listopada novembre noviembre novembro ноя
    12 dec déc dez gru grudnia dic dicembre diciembre dezembro дек pro
"""
_MONTHS = {
    name: int(line.split()[0])
    for line in _MONTH_NAMES.strip().splitlines()
    for name in line.split()[1:]
}
_WORD = r"([^\W\d_]{3,12})"
_SHAPES = (
    ("dmy", rf"(?<!\d)(\d{{1,2}})[.,]?[\s-]{{0,5}}{_WORD}[.,]?[\s-]{{0,5}}(\d{{4}}|\d\d)(?!\d)"),
    ("mdy", rf"{_WORD}\.?\s{{1,5}}(\d{{1,2}}),?\s.{{0,20}}?(?<!\d)(\d{{4}})(?!\d)"),
    ("ymd", r"(?<!\d)(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?!\d)"),
)
_DAYS = tuple((order, re.compile(shape)) for order, shape in _SHAPES)
_TIME = re.compile(
    r"(?<![\d+-])(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?(?:\.\d+)?(?:\s{0,3}([AaPp])\.?[Mm]\b)?"
)
_ZONE = re.compile(r"([+-])(\d{2}):?(\d{2})\b")
#: What RFC 5322 §4.3 names, and what its mail has besides.
_NAMED_ZONES = {
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
    "CET": 1, "MEZ": 1, "CEST": 2, "MESZ": 2, "MSK": 3, "JST": 9,
}  # fmt: skip
_NAME = re.compile(r"\b[A-Z]{3,4}\b")


def read(body: str) -> datetime | None:
    """The point in time with the offset it was written in; UTC where no zone stands."""
    if not body or len(body) > _LONGEST:
        return None
    date = mail_parser.date(body)
    if date is not None and body.rpartition(" ")[2] not in _NAMED_ZONES:
        return date
    return _by_shape(body)


def _by_shape(body: str) -> datetime | None:
    """What anyone sees in `Di., 15 Feb. 2022 06:52:44 +0100 (MEZ)` or `2022-02-15 06:52`."""
    day = next((d for order, shape in _DAYS if (d := _day(shape, order, body))), None)
    if day is None:
        return None
    time = _TIME.search(body)
    hour, minute, second = (int(time[n] or 0) for n in (1, 2, 3)) if time else (0, 0, 0)
    if time and time[4]:
        hour = hour % 12 + (12 if time[4] in "Pp" else 0)
    offset = _offset(body[time.end() :]) if time else timedelta(0)
    try:
        return datetime(*day, hour, minute, min(second, 59), tzinfo=_zone(offset))
    except (ValueError, OverflowError):
        return None


def _day(shape: re.Pattern[str], order: str, body: str) -> tuple[int, int, int] | None:
    for match in shape.finditer(body):
        found = dict(zip(order, match.groups(), strict=True))
        month = _MONTHS.get(found["m"].lower()) or _MONTHS.get(found["m"].lower()[:3])
        if order == "ymd":
            month = int(found["m"])
        if month:
            year = int(found["y"])
            if len(found["y"]) == 2:  # RFC 5322 §4.3
                year += 2000 if year < 50 else 1900
            return year, month, int(found["d"])
    return None


def _offset(rest: str) -> timedelta:
    if found := _ZONE.search(rest):
        offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
        return -offset if found[1] == "-" else offset
    hours = next((_NAMED_ZONES[n] for n in _NAME.findall(rest) if n in _NAMED_ZONES), 0)
    return timedelta(hours=hours)


def _zone(offset: timedelta) -> timezone:
    return timezone(offset) if abs(offset) < timedelta(days=1) else UTC
