"""The ticket token of a subject, `[TAG#number:code]`: it names a ticket and proves nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mailgate.model.ticket import Ticket, TicketToken
from mailgate.tokens.keys import Keys

DIGITS = 20
"""Hex digits of a code: 80 bits (A1)."""

Kind = Literal["absent", "valid", "wrong", "unknown", "retired", "conflicting"]

_PURPOSE = "ticket code"
# Only [0-9]: \d would take digits of every script (promise M12). 18 digits fit every database.
_TOKEN = re.compile(r"([^#:]{1,64})#([0-9]{1,18})(?::(.*))?")
_BRACKETS = re.compile(r"\[([^\[\]]{3,256})\]")
_CODE = re.compile(r"[0-9A-Fa-f]{20}")
_FOLDING = re.compile(r"[ \t\r\n]+")  # what folding may leave behind (RFC 5322 §2.2.3)


@dataclass(frozen=True, slots=True)
class Judged:
    """What the tokens of one message amount to, and why.

    `number` is the ticket they name, also where they do not link to it (its claim). A token whose
    code is missing or damaged counts as absent (A2).
    """

    kind: Kind
    why: str
    number: int | None = None


def code(keys: Keys, desk: str, number: int, epoch: int) -> str:
    """The code a ticket has in this epoch, by the newest key; nothing of it is stored."""
    return _form(keys.mac(_PURPOSE, desk, str(number), str(epoch)))


def render(tag: str, number: int, code: str) -> str:
    return f"[{tag}#{number}:{code}]"


def find(text: str, field: str = "subject") -> list[TicketToken]:
    """Every token, of whatever tag, in a decoded and unfolded field body, in order."""
    return [
        token
        for match in _BRACKETS.finditer(text)
        if (token := _token(match[1], field)) is not None
    ]


def judge(
    tokens: Sequence[TicketToken],
    *,
    tags: Mapping[str, str],
    ticket: Callable[[int], Ticket | None],
    keys: Keys,
) -> Judged:
    """Say what the tokens of one message prove; at most one ticket is looked up.

    `tags` gives the desk of each tag, old tags included; other tags are foreign and ignored.
    """
    desks = {_plain(tag): desk for tag, desk in tags.items()}
    ours = {
        (desks[tag], token.number, token.code)
        for token in tokens
        if (tag := _plain(token.tag)) in desks
    }
    if not ours:
        return Judged("absent", "no token of ours")
    if len(ours) > 1:
        numbers = {number for _, number, _ in ours}
        return Judged(
            "conflicting",
            f"{len(ours)} different tokens",
            numbers.pop() if len(numbers) == 1 else None,
        )
    desk, number, given = ours.pop()
    if given is None:
        return Judged("absent", f"the code of ticket {number} is missing or damaged", number)
    found = ticket(number)
    if found is None or found.desk != desk:
        return Judged("unknown", f"the desk {desk} has no ticket {number}", number)
    return _compare(keys, found, given)


def _compare(keys: Keys, ticket: Ticket, given: str) -> Judged:
    number = ticket.number
    for epoch in range(ticket.epoch, -1, -1):
        if keys.matches(given, _form, _PURPOSE, ticket.desk, str(number), str(epoch)):
            if epoch == ticket.epoch:
                return Judged("valid", f"the code of ticket {number}", number)
            return Judged("retired", f"a code that ticket {number} no longer has", number)
    return Judged("wrong", f"not the code of ticket {number}", number)


def _token(inside: str, field: str) -> TicketToken | None:
    tag_part, hash_sign, rest = inside.partition("#")
    squeezed = _FOLDING.sub(" ", tag_part).strip() + hash_sign + _FOLDING.sub("", rest)
    match = _TOKEN.fullmatch(squeezed)
    if match is None:
        return None
    whole = match[3] is not None and _CODE.fullmatch(match[3]) is not None
    return TicketToken(match[1], int(match[2]), match[3].lower() if whole else None, field)


def _form(mac: bytes) -> str:
    return mac.hex()[:DIGITS]


def _plain(tag: str) -> str:
    """Tags compare without case in ASCII only: lower() maps a Kelvin sign to a plain k."""
    joined = tag.replace(" ", "")
    return joined.lower() if joined.isascii() else joined
