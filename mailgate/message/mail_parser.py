"""The door to mail-parser: its dates, its trace fields, and its second opinion on addresses."""

from __future__ import annotations

import email.utils
import inspect
import re
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Opinion:
    """The addresses of an address list as mail-parser and as the standard library read it.

    `doubts` are mail-parser's reasons not to trust the list.
    """

    mail_parser: tuple[str, ...]
    standard_library: tuple[str, ...]
    doubts: tuple[str, ...]


def addresses(body: str) -> Opinion:
    """Two readers that know nothing of ours (promise M1)."""
    heard: dict[str, list[tuple[str, str]]] = {}

    def standard_library(bodies: list[str]) -> list[tuple[str, str]]:
        """mail-parser asks it member by member; what it said of the whole list is kept."""
        found = heard[bodies[0]] = _getaddresses(bodies)
        return found

    found, doubts = parse_address_header(body, standard_library)
    whole = heard[body] if body in heard else _getaddresses([body])
    return Opinion(
        tuple(address for _, address in found if address),
        tuple(address for _, address in whole),
        tuple(doubt["reason"] for doubt in doubts),
    )


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


def _getaddresses(bodies: list[str]) -> list[tuple[str, str]]:
    if _STRICT:
        return email.utils.getaddresses(bodies, strict=True)  # type: ignore[call-arg, unused-ignore]  # since 3.11.10
    return email.utils.getaddresses(bodies)
