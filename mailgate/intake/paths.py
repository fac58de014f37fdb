"""The arguments of MAIL and RCPT: the usual address at once, every other by aiosmtpd's parser."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from mailgate.intake.replies import (
    ADDRESS_NEEDS_SMTPUTF8,
    BAD_ADDRESS,
    BAD_PARAMETER,
    BAD_SYNTAX,
    UNKNOWN_PARAMETER,
)
from mailgate.model.envelope import Reply

Parser = Callable[[str], tuple[str | None, str | None]]
"""aiosmtpd's `_getaddr`: the address and what follows it, or two times None."""

# atext and dots (RFC 5321 §4.1.2); two dots in a row are let through, since real mailboxes have
# them and refusing their mail would lose it. A reverse-path may lack a domain for the same reason.
_USUAL = re.compile(
    rb"(?:FROM|TO):[ ]?<([A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-]+(?:@[A-Za-z0-9.\-]+)?|)>(?: +(.*))?",
    re.IGNORECASE,
)
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9\-]*)(?:=([^=\s]+))?")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_DIGITS = re.compile(r"[0-9]{1,20}")


@dataclass(frozen=True, slots=True)
class Path:
    """An address with the parameters that followed it, their names in upper case."""

    address: str
    parameters: dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Sender:
    """What MAIL said: the reverse-path, the size it announced (RFC 1870), and SMTPUTF8."""

    address: str
    size: int
    smtp_utf8: bool


def read_path(keyword: str, argument: bytes, parser: Parser) -> Path | Reply:
    """Read `FROM:<address> parameters` or `TO:<address> parameters` (RFC 5321 §4.1.2)."""
    usual = _USUAL.fullmatch(argument)
    if usual is not None and argument[: len(keyword)].upper() == keyword.encode():
        return _with_parameters(
            usual[1].decode("ascii"), (usual[2] or b"").decode("utf-8", "replace")
        )
    try:
        text = argument.decode("utf-8")
    except UnicodeDecodeError:
        return BAD_ADDRESS
    if _CONTROLS.search(text) or text[: len(keyword) + 1].upper() != f"{keyword}:":
        return BAD_SYNTAX
    text = text[len(keyword) + 1 :].strip()
    if text.startswith("<@"):
        # A source route asks us to relay; servers may ignore or refuse it (RFC 5321 appendix C).
        return BAD_ADDRESS
    if text.startswith("<") and ">" not in text:
        return BAD_ADDRESS
    try:
        address, rest = parser(text)
    except (AttributeError, IndexError, RecursionError, ValueError):
        return BAD_ADDRESS  # the standard library's parser stumbles over some malformed addresses
    if not address or rest is None or _CONTROLS.search(address):
        return BAD_ADDRESS
    if rest and not text.removesuffix(rest)[-1:].isspace():
        return BAD_SYNTAX
    return _with_parameters(address, rest)


def read_sender(path: Path) -> Sender | Reply:
    """Judge the parameters of MAIL that we offer: SIZE, BODY and SMTPUTF8."""
    given = dict(path.parameters)
    size = given.pop("SIZE", "0")
    body = given.pop("BODY", "7BIT")
    smtp_utf8 = "SMTPUTF8" in given
    if given.pop("SMTPUTF8", None) is not None:
        return BAD_PARAMETER
    if size is None or not _DIGITS.fullmatch(size):
        return BAD_PARAMETER
    if body is None or body.upper() not in {"7BIT", "8BITMIME"}:
        return BAD_PARAMETER
    if given:
        return UNKNOWN_PARAMETER
    if not path.address.isascii() and not smtp_utf8:
        return ADDRESS_NEEDS_SMTPUTF8
    return Sender(path.address, int(size), smtp_utf8)


def _with_parameters(address: str, text: str) -> Path | Reply:
    parameters: dict[str, str | None] = {}
    for word in text.split():
        match = _PARAMETER.fullmatch(word)
        if match is None or match[1].upper() in parameters:
            return BAD_SYNTAX
        parameters[match[1].upper()] = match[2]
    return Path(address, parameters)
