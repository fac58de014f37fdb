"""Facts for tests, and a walk over every combination of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from mailgate.model.facts import DOMAINS, Facts

T = TypeVar("T")

#: Every finite fact with its values; two desks stand for any number of them.
VALUES: Mapping[str, tuple[str, ...]] = {**DOMAINS, "desk": ("support", "billing")}

#: A new request by mail from the main contact, with nothing wrong about it.
REQUEST = {
    "channel": "email",
    "desk": "support",
    "sender.account": "known",
    "sender.role": "main",
    "sender.share": "not-applicable",
    "sender.proof": "dmarc",
    "code": "absent",
    "code.holder": "other",
    "ticket": "none",
    "ticket.standing": "none",
    "cc": "none",
    "automatic": "no",
    "parsed": "clean",
    "freshness": "fresh",
    "staff": "none",
    "token.request": "none",
    "token.state": "unknown",
    "restricted": "no",
}
#: A reply by mail of the main contact to an authorized ticket, with its code.
REPLY = {
    **REQUEST,
    "ticket": "open",
    "ticket.standing": "authorized",
    "code": "valid",
    "code.holder": "self",
}


def facts(values: Mapping[str, str] = REQUEST, **open_facts: Any) -> Facts:
    """Facts with these finite values, and open facts (subject, text, …) as keywords."""
    return Facts(values, **open_facts)


class NeedsFact(Exception):
    """Somebody asked for a fact that is not settled yet."""


class Partial(dict[str, str]):
    """Values of some facts; asking for another raises `NeedsFact`."""

    def __missing__(self, name: str) -> str:
        raise NeedsFact(name)


def every_case(
    judge: Callable[[Partial], T], start: Mapping[str, str] | None = None
) -> Iterator[tuple[Partial, T]]:
    """The judgement of every combination of facts there can be.

    A fact is settled only when the judge looks at it, and then to each of its values; so one case
    stands for all combinations of the facts it leaves open, and no combination is left out.
    """
    waiting = [Partial(start or {})]
    while waiting:
        case = waiting.pop()
        try:
            yield case, judge(case)
        except NeedsFact as needed:
            name = needed.args[0]
            waiting += [Partial({**case, name: value}) for value in VALUES[name]]
