"""The facts a decision rests on: few, mostly finite, each with the place it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

#: Every finite fact and its values. Where `ORDERED` names the fact, the values go from least to
#: most, and a rule may ask for `at_least` or `at_most`.
DOMAINS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "channel": ("email", "panel", "console", "api", "form"),
        "desk": (),  # filled by the configuration: the names of its desks
        "sender.account": ("none", "ambiguous", "known"),
        "sender.role": ("none", "additional", "technical", "main"),
        "sender.share": ("no", "not-applicable", "yes"),
        "sender.proof": ("denied", "none", "aligned", "dmarc", "confirmed", "panel"),
        "code": ("absent", "valid", "wrong", "unknown", "retired", "conflicting"),
        "code.holder": ("self", "forwarded", "other"),
        "ticket": ("none", "open", "closed", "foreign"),
        "ticket.standing": ("none", "unauthorized", "pending", "authorized"),
        "cc": ("none", "shared", "unshared", "stranger"),
        "automatic": ("no", "auto-reply", "out-of-office", "bounce", "list", "loop"),
        "parsed": ("clean", "defects", "limits"),
        "freshness": ("fresh", "stale", "replayed"),
        "staff": ("none", "refuses", "vouches"),
        "token.request": (
            "none",
            "incomplete",
            "unclear",
            "complete",
            "confirmed",
            "refused",
            "answered",
        ),
        "token.state": ("unknown", "never", "expired", "revoked", "bounced", "unverified", "valid"),
        "restricted": ("no", "yes"),
    }
)
ORDERED = frozenset({"sender.role", "sender.proof", "ticket.standing", "cc"})


@dataclass(frozen=True, slots=True)
class Facts:
    """Frozen input of a decision.

    `values` holds exactly the names of `DOMAINS`. The open facts are what rules may search with
    linear-time patterns. `sources` says for each name where its value comes from, in a sentence.
    """

    values: Mapping[str, str]
    subject: str = ""
    text: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    recipients: tuple[str, ...] = ()
    attachments: tuple[str, ...] = ()
    size: int = 0
    sources: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        return self.values[name]
