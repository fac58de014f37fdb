"""The author: the one address that may count as identity, or none and the reason (promise M1)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mailgate.message import mail_parser
from mailgate.model.addresses import parse_address
from mailgate.model.message import Field

#: The strict grammar: RFC 5322 §3.4.1 without its obsolete forms, groups, routes, comments inside
#: an address, quoted local parts and domain literals. What is outside it has no identity.
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-]"
_DOMAIN = r"[^\x00-\x2c\x2f\x3a-\x40\x5b-\x60\x7b-\x7f\s]++"
_ADDRESS = rf"{_ATEXT}++(?:\.{_ATEXT}++)*+@{_DOMAIN}"
_ATOM_WORD = r"(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-]|[^\x00-\x7f])++"
_QUOTED = r'"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[\x20-\x7e])*+"'
_PHRASE = rf"(?:(?:{_ATOM_WORD}|{_QUOTED})[ \t]*+)*+"
_COMMENT = r"(?:[ \t]*\([^()\\<>@\x00-\x08\x0a-\x1f\x7f]*\))?"
_MAILBOX = re.compile(rf"(?:{_PHRASE}<(?P<angle>{_ADDRESS})>|(?P<bare>{_ADDRESS}){_COMMENT})[ \t]*")
_MAX_BODY = 2000

NO_FROM = "no-from"
SEVERAL_FROM = "several-from-fields"


def author(fields: Sequence[Field], defects: Sequence[str]) -> tuple[str | None, str | None]:
    """The identity, or None and the defect that forbids one.

    `defects` are those of the whole header section: where another reader could have cut it into
    other fields, the one From field we see proves nothing.
    """
    found = [f for f in fields if f.name.lower() == "from"]
    if not found:
        return None, NO_FROM
    if len(found) > 1:
        return None, SEVERAL_FROM
    if defects:
        return None, f"no-identity: {defects[0]}"
    return _of_field(found[0].body)


def _of_field(raw: str) -> tuple[str | None, str | None]:
    body = _utf_8(raw) if len(raw) <= _MAX_BODY else None
    if body is None:
        return None, "no-identity: From is too long or not UTF-8"
    match = _MAILBOX.fullmatch(body)
    if match is None:
        return None, "no-identity: From is not one plain mailbox"
    address = match["angle"] or match["bare"]
    if mail_parser.addresses(body) != mail_parser.Opinion((address,), (address,), ()):
        return None, "no-identity: readers disagree on From"
    try:
        return parse_address(address), None  # the domain as A-label (RFC 5890 §2.3.2.1)
    except ValueError:
        return None, "no-identity: From has no proper address"


def _utf_8(body: str) -> str | None:
    """The body with raw octets as the text they are to every reader (RFC 6532 §3.2), or None."""
    try:
        return body if body.isascii() else body.encode("utf-8", "surrogateescape").decode("utf-8")
    except UnicodeDecodeError:
        return None
