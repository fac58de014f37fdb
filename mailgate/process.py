"""The spine: read, gather, decide, apply. Every message goes this way, whatever door it came by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from mailgate.clock import Random
from mailgate.gather import gather
from mailgate.gather.question import Verify
from mailgate.message import read
from mailgate.model.item import Item
from mailgate.model.outcome import Outcome
from mailgate.model.ports import Lookup, WorkQueue
from mailgate.outbound.compose import compose
from mailgate.rules.policy import Policy
from mailgate.settings import Settings
from mailgate.tokens.keys import Keys


@dataclass(frozen=True)
class Bench:
    """What lies on the table while a message is processed; the same for thousands of them."""

    settings: Settings
    keys: Keys
    policy: Policy
    random: Random
    verify: Verify | None = None
    """Own verification of mail, where it is switched on."""


def judge(item: Item, lookup: Lookup, bench: Bench) -> Outcome:
    """Read, gather, decide: nothing is written, so a replay judges by this very function."""
    message = read(item.content)
    facts, case = gather(item, message, lookup, bench.settings, bench.keys, bench.verify)
    decision = bench.policy.decide(facts)
    # Automatic mail makes no ticket, and what is held waits in the queue for a person.
    opens_ticket = decision.verdict not in ("filed", "held") and case.ticket is None
    return Outcome(item, message, facts, case, decision, opens_ticket)


def settle(outcome: Outcome, queue: WorkQueue, bench: Bench, now: datetime) -> None:
    """Apply an outcome: ticket, history, outbox and queue state in one commit."""
    answer = partial(
        compose,
        outcome,
        settings=bench.settings,
        keys=bench.keys,
        now=now,
        random=bench.random,
        own_words=bench.policy.words,
    )
    queue.apply(outcome, answer, now)
