"""Own verification of mail put together of settings, resolver and judgement, where it is on."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from mailgate import clock
from mailgate.gather.question import Verify
from mailgate.settings import Settings

if TYPE_CHECKING:
    from mailgate.message.authenticity import Authentication
    from mailgate.model.envelope import Envelope

#: How long the DNS may take for one message, in seconds; less where a worker has less time.
PATIENCE = 4.0


def verifier(settings: Settings) -> Verify | None:
    """None where `authentication.verify` is off: only where it is on are its libraries loaded."""
    trusted = settings.authentication
    if not trusted.verify:
        return None
    from mailgate.message.verification import verify
    from mailgate.resolver import resolver

    questions = resolver(min(PATIENCE, settings.worker.item_seconds / 2), clock.monotonic)
    # Peers that are named are servers of ours; only where everybody may come do strangers.
    relays = [p for p in settings.intake.peers if ipaddress.ip_network(p).prefixlen]

    def check(content: bytes, envelope: Envelope) -> Authentication:
        return verify(content, envelope, questions(), sealers=trusted.arc_sealers, relays=relays)

    return check
