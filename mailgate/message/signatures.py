"""The fields of DKIM and ARC as data (RFC 6376 §3.5, RFC 8617 §4.1); nothing is verified here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from mailgate.message import authres, transfer
from mailgate.model.message import Head

#: What is longer, or names more fields, is no signature: checking one takes the square of both.
MAX_FIELD = 4096
MAX_NAMES = 100
#: More forwarders than this are not followed.
MAX_SEALS = 5

_WHITE = re.compile(r"[ \t\r\n]+")
_INSTANCE = re.compile(r"[ \t]*i[ \t]*=[ \t]*([1-9][0-9]?)[ \t]*;")
_RESULTS, _SIGNATURE, _SEAL = (
    "arc-authentication-results",
    "arc-message-signature",
    "arc-seal",
)


def tags(body: str) -> Mapping[str, str]:
    """A tag-list (RFC 6376 §3.2) without its white space; empty where it is none."""
    found: dict[str, str] = {}
    if len(body) > MAX_FIELD:
        return found
    for piece in _WHITE.sub("", body).removesuffix(";").split(";"):
        name, equals, value = piece.partition("=")
        if not equals or not name or name in found:
            return {}
        found[name] = value
    return found


def covers(signature: Mapping[str, str]) -> bool:
    """Whether it covers From (RFC 6376 §5.4) and the whole body: with `l=` anybody adds to it
    (§8.2)."""
    names = signature.get("h", "").lower().split(":")
    return "from" in names and len(names) <= MAX_NAMES and "l" not in signature


def digests(head: Head) -> tuple[str, ...]:
    """What tells each DKIM signature of a message from all others, however it is written.

    A signature covers the content, so the same one on another message is that message again.
    """
    found = (tags(body).get("b", "") for body in head.all("dkim-signature"))
    octets = {transfer.base64(b.encode("ascii", "ignore")) for b in found}
    return tuple(sorted(hashlib.sha256(o).hexdigest() for o in octets if o))


@dataclass(frozen=True, slots=True)
class Chain:
    """An ARC chain as it says of itself: who sealed it, and what the first sealer had found."""

    sealers: frozenset[str]
    found: authres.Results


def chain(head: Head) -> Chain | None:
    """The chain of a message, None where it has none or a broken one (RFC 8617 §5.2)."""
    sets = _sets(head)
    if not sets or sorted(sets) != list(range(1, len(sets) + 1)) or len(sets) > MAX_SEALS:
        return None
    sealers: set[str] = set()
    for number, fields in sets.items():
        if len(fields) != 3:
            return None
        signature, seal = tags(fields[_SIGNATURE]), tags(fields[_SEAL])
        if seal.get("cv") != ("none" if number == 1 else "pass"):
            return None
        if not covers(signature):
            return None
        sealers |= {signature.get("d", "").lower(), seal.get("d", "").lower()}
    first = sets[1][_RESULTS]
    try:
        return Chain(frozenset(sealers), authres.parse(_INSTANCE.sub("", first, count=1)))
    except authres.BadGrammarError:
        return None


def _sets(head: Head) -> dict[int, dict[str, str]]:
    """The fields of each ARC set by its instance; nothing where any is doubled or unnumbered."""
    sets: dict[int, dict[str, str]] = {}
    for field in head.fields:
        name = field.name.lower()
        if name not in (_RESULTS, _SIGNATURE, _SEAL):
            continue
        if name == _RESULTS:
            instance = match[1] if (match := _INSTANCE.match(field.body)) else ""
        else:
            instance = tags(field.body).get("i", "")
        if not re.fullmatch(r"[1-9][0-9]?", instance) or len(field.body) > MAX_FIELD:
            return {}
        mine = sets.setdefault(int(instance), {})
        if name in mine:
            return {}
        mine[name] = field.body
    return sets
