"""A stored mail judged as if it came in now: the envelope is guessed, the rest is production."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from mailgate.lab.inspect import as_json
from mailgate.message import read_head
from mailgate.model.envelope import Envelope
from mailgate.model.item import Item
from mailgate.model.message import Head
from mailgate.model.notice import Notice
from mailgate.model.outcome import Outcome
from mailgate.model.ports import Lookup
from mailgate.outbound.compose import compose
from mailgate.process import Bench, judge
from mailgate.rules.nearest import Miss, nearest
from mailgate.settings import Settings

_ADDRESS = re.compile(r"[^\s<>,;:\"()]+@[^\s<>,;:\"()]+")
#: What MTAs write at delivery about the recipient of the envelope.
_DELIVERED = ("delivered-to", "x-original-to", "envelope-to")


@dataclass(frozen=True, slots=True)
class Judged:
    """One stored message with its outcome and the mails that would go out."""

    file: str
    outcome: Outcome
    notices: tuple[Notice, ...]
    misses: tuple[Miss, ...]
    """What would have given a better verdict."""


def judge_stored(file: str, content: bytes, lookup: Lookup, bench: Bench, now: datetime) -> Judged:
    """Judge by the function that production uses; nothing is stored and nothing is sent."""
    item = item_of(content, bench.settings, now)
    outcome = judge(item, lookup, bench)
    composed = compose(
        outcome,
        outcome.case.ticket,
        settings=bench.settings,
        keys=bench.keys,
        now=now,
        random=bench.random,
        own_words=bench.policy.words,
    )
    return Judged(file, outcome, composed.mails, nearest(bench.policy, outcome.facts))


def item_of(content: bytes, settings: Settings, now: datetime) -> Item:
    """The item that this mail would have been, with the envelope that its fields tell of."""
    head = read_head(content)
    recipients = _recipients(head, settings)
    digest = hashlib.sha256(content).hexdigest()
    envelope = Envelope(_reverse_path(head), recipients, _received_at(head, now), protocol="file")
    desk = settings.desk_of(recipients[0]) or next(iter(settings.desks))
    # An id of a shape that no queue gives: what was stored about other messages is not about it.
    return Item(f"file-{digest[:12]}", desk, "email", envelope, content, digest, 1, 0)


def _reverse_path(head: Head) -> str:
    """Return-Path holds it (RFC 5321 §4.4); where it is missing, the author's address does."""
    fields = head.all("Return-Path")
    if not fields:
        return head.author or "unknown@invalid"
    found = _ADDRESS.search(fields[0])
    return found[0] if found else ""


def _recipients(head: Head, settings: Settings) -> tuple[str, ...]:
    told = [a for name in _DELIVERED for body in head.all(name) for a in _ADDRESS.findall(body)]
    shown = [m.address for m in (*head.to, *head.cc)]
    ours = [a for a in (*told, *shown) if settings.desk_of(a)]
    return tuple(dict.fromkeys(ours)) or (next(iter(settings.desks.values())).address,)


def _received_at(head: Head, now: datetime) -> datetime:
    """When our side got it: the time of the topmost Received (RFC 5321 §4.4), else Date, else now.

    Without it every mail of an archive would be stale.
    """
    for body in head.all("Received")[:1]:
        try:
            at = parsedate_to_datetime(body.rpartition(";")[2].strip())
        except (ValueError, IndexError, TypeError):
            continue  # a Received of somebody's own making
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    if head.date is None:
        return now
    return (head.date if head.date.tzinfo else head.date.replace(tzinfo=UTC)).astimezone(UTC)


def verdict_json(judged: Judged) -> dict[str, Any]:
    """The contract's object: what `inspect` says of the message, and what the rules say of it."""
    outcome = judged.outcome
    decision, ticket = outcome.decision, outcome.case.ticket
    return {
        **as_json(judged.file, outcome.message),
        "verdict": decision.verdict,
        "rule": decision.rule,
        "reasons": list(decision.reasons),
        "facts": dict(outcome.facts.values),
        "trace": [
            {"rule": t.rule, "matched": t.matched, "failed": [_words(c) for c in t.failed]}
            for t in decision.trace
        ],
        "nearest_miss": [asdict(miss) for miss in judged.misses],
        "ticket": {"number": ticket.number, "state": ticket.state} if ticket else None,
        "notices": [{"template": n.template, "to": n.to} for n in judged.notices],
    }


def _words(condition: Any) -> str:
    return f"{condition.asked}, but it is {condition.found}"
