"""The nearest miss names the one thing that would have to be otherwise."""

from __future__ import annotations

from mailgate.model.facts import Facts
from mailgate.rules.load import load_policy
from mailgate.rules.nearest import nearest
from tests.world import ROOT

POLICY = load_policy(ROOT / "config" / "rules.yaml", ("support",))
REQUEST = {
    "channel": "email", "desk": "support", "sender.account": "known", "sender.role": "technical",
    "sender.share": "no", "sender.proof": "dmarc", "code": "absent", "code.holder": "other",
    "ticket": "none", "ticket.standing": "none", "cc": "none", "automatic": "no",
    "parsed": "clean", "freshness": "fresh", "staff": "none",
    "token.request": "none", "token.state": "unknown", "restricted": "no",
}  # fmt: skip


def test_a_contact_without_a_share_would_get_a_link_with_it() -> None:
    misses = {miss.fact: miss for miss in nearest(POLICY, Facts(REQUEST))}
    assert (misses["sender.share"].value, misses["sender.share"].verdict) == ("yes", "pending")
    assert (misses["sender.role"].value, misses["sender.role"].verdict) == ("main", "pending")
    assert "cc" not in misses, "nothing about CC would help"


def test_a_pending_request_would_be_authorized_once_confirmed() -> None:
    best = nearest(POLICY, Facts({**REQUEST, "sender.share": "yes"}))[0]
    assert (best.fact, best.value, best.verdict) == ("sender.proof", "confirmed", "authorized")


def test_nothing_is_better_than_authorized() -> None:
    confirmed = {**REQUEST, "sender.share": "yes", "sender.proof": "confirmed"}
    assert nearest(POLICY, Facts(confirmed)) == ()
