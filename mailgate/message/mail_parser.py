"""The door to mail-parser: its dates, its trace fields, and its second opinion on addresses."""

from __future__ import annotations

import email.utils
import inspect
import re
from datetime import datetime, timedelta, timezone

from mailparser.addresses import parse_address_header
from mailparser.dates import parse_mail_date
from mailparser.exceptions import MailParserReceivedParsingError
from mailparser.received import split_received

_OFFSET = re.compile(r"\s([+-])(\d\d)([0-5]\d)\b")
_STRICT = "strict" in inspect.signature(email.utils.getaddresses).parameters


def date(body: str) -> datetime | None:
    """A date-time (RFC 5322 §3.3, §4.3) with the offset it was written in, or None."""
    value: datetime | None = parse_mail_date(body).value
    written = _OFFSET.findall(body)
    if value is None or not written:
        return value
    sign, hours, minutes = written[-1]
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    if offset >= timedelta(days=1):
        return value
    try:
        return value.astimezone(timezone(-offset if sign == "-" else offset))
    except OverflowError:  # the last hours of the year 9999
        return value


def addresses(body: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The addresses mail-parser finds in an address list, and its reasons to doubt them."""
    found, doubts = parse_address_header(body, _getaddresses)
    return tuple(a for _, a in found if a), tuple(d["reason"] for d in doubts)


def received_by(body: str) -> str | None:
    """The host that wrote a Received field (RFC 5321 §4.4), None where the field is unclear."""
    try:
        clauses, _ = split_received(body)
    except MailParserReceivedParsingError:
        return None
    hosts = [value for keyword, value in clauses if keyword == "by"]
    if len(hosts) != 1 or not hosts[0]:
        return None
    return str(hosts[0].split()[0].lower())


def stdlib_addresses(body: str) -> tuple[str, ...]:
    """The addresses the standard library finds; strict where this Python has it."""
    return tuple(address for _, address in _getaddresses([body]))


def _getaddresses(bodies: list[str]) -> list[tuple[str, str]]:
    if _STRICT:
        return email.utils.getaddresses(bodies, strict=True)  # type: ignore[call-arg, unused-ignore]  # since 3.11.10
    return email.utils.getaddresses(bodies)
