"""What a setting may be: sizes, times, addresses, windows, in the words of mailgate.yaml."""

from __future__ import annotations

import re
from datetime import UTC, timedelta, tzinfo
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field

from mailgate.model.retention import Window

_SIZE = re.compile(r"(\d+)\s*(B|KiB|MiB|GiB)?")
_TIME = re.compile(r"(\d+)\s*(s|min|h|d)")
_WINDOW = re.compile(r"(\d+)\s*(d|months?|years?)")
#: What is kept for less goes while an answer to it is still waited for; 0 d would keep nothing.
_SHORTEST = timedelta(days=7)
_SIZE_UNITS = {None: 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_TIME_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


def _octets(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    match = _SIZE.fullmatch(value.strip())
    if match is None:
        raise ValueError("a size is a number with B, KiB, MiB or GiB, such as 25 MiB")
    return int(match[1]) * _SIZE_UNITS[match[2]]


def _duration(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    match = _TIME.fullmatch(str(value).strip())
    if match is None:
        raise ValueError("a time is a number with s, min, h or d, such as 24 h")
    return timedelta(seconds=int(match[1]) * _TIME_UNITS[match[2]])


def _listen(value: str) -> str:
    if value.startswith("unix:/"):
        return value
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise ValueError("an address is HOST:PORT or unix:/PATH")
    return value


def zone(name: str) -> tzinfo:
    """The zone of that name; UTC is there even where the machine has no zone files."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"no time zone of this machine is called {name!r}") from None


def _window(value: Any) -> Any:
    if isinstance(value, Window):
        return value
    match = _WINDOW.fullmatch(str(value).strip())
    if match is None:
        raise ValueError("a window is a number with d, months or years, such as 3 months")
    count, unit = int(match[1]), match[2]
    months = count * (12 if unit.startswith("year") else 1)
    window = Window(days=count) if unit == "d" else Window(months=months)
    if window.shortest < _SHORTEST:
        raise ValueError("a window is at least 7 d: links and mails of ours wait for some days")
    return window


Octets = Annotated[int, BeforeValidator(_octets), Field(gt=0)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
"""A fixed stretch of time."""
Span = Annotated[Window, BeforeValidator(_window)]
"""A stretch of the calendar, in days or in months."""
Listen = Annotated[str, AfterValidator(_listen)]
Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.\-]{0,252}$")]
Address = Annotated[str, Field(pattern=r"^[^@\s<>]+@[^@\s<>]+$")]
