"""What a policy says of a message: verdict, rule, reasons, trace, and the effects asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["authorized", "pending", "unauthorized", "filed", "held"]
Confirm = Literal["adaptive", "click", "code", "panel"]
TokenStep = Literal["issue", "verify", "manager", "refuse"]

VERDICTS: tuple[Verdict, ...] = ("authorized", "pending", "unauthorized", "filed", "held")


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a rule, as asked and as answered."""

    asked: str
    found: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """One rule that was tried, with the answer of every one of its conditions."""

    rule: str
    matched: bool
    conditions: tuple[Condition, ...]

    @property
    def failed(self) -> tuple[Condition, ...]:
        return tuple(c for c in self.conditions if not c.holds)


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome. `rule` is "default" where none matched; `reasons` are stable codes.

    `notice` is the template to send to the registered address, `confirm` how a link in it is to be
    confirmed; both None where nothing is asked.
    """

    verdict: Verdict
    rule: str
    reasons: tuple[str, ...]
    trace: tuple[Tried, ...]
    notice: str | None = None
    confirm: Confirm | None = None
    labels: tuple[str, ...] = ()
    token: TokenStep | None = None
    """What is done about an access token: mail a new one, ask its owner, ask the manager, or tell
    its owner that the manager said no."""
    acknowledge: str | None = None
    """The template of what the author is told, registered or not, the same for both (B10)."""
    policy_sha256: str = ""
