"""What must hold for every content whatever: no exception, in time, no identity from nowhere."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from mailgate.lab.inspect import as_json
from mailgate.message import head as heads
from mailgate.message import read, read_head
from mailgate.message.authenticity import authenticate
from mailgate.message.verification import verify
from mailgate.model.envelope import Envelope
from tests.fuzz.seeds import DOMAIN, collapsed
from tests.message.signing import SELECTOR, Zones

_AT = datetime(2026, 11, 16, tzinfo=UTC)
#: A stranger's server, which the author's domain does not let send.
_ENVELOPE = Envelope(
    f"jan@{DOMAIN}", ("pomoc@firma.example",), _AT, "198.51.100.7", "mx.obcy.example"
)
_ZONES = (
    Zones(DOMAIN, "obcy.example")
    .txt(f"_dmarc.{DOMAIN}", "v=DMARC1; p=reject")
    .txt(DOMAIN, "v=spf1 include:%{h}.example exists:%{l}.x.example mx ptr -all")
)

#: Seconds of processor time for one message of a few kilobytes.
LONGEST = 2.0


def examine(
    content: bytes, authors: frozenset[str], vouched: frozenset[bytes] = frozenset()
) -> None:
    """Raise `AssertionError` with what does not hold; any other exception is a finding too.

    `vouched` are the bodies that the author's domain signed, collapsed: no other is ever proved.
    """
    started = time.process_time()
    message = read(content)
    head = read_head(content)
    spent = time.process_time() - started
    assert spent < LONGEST, f"{spent:.1f} s"
    assert message.head.author in {None, head.author}, "the body gave an identity"
    assert head.author is None or head.author in authors, f"identity {head.author}"
    assert head.author is not None or head.defects, "no identity and no reason"
    authenticate(head, ["mx.firma.example"], [])
    started = time.process_time()
    found = verify(content, _ENVELOPE, _resolve, sealers=["obcy.example"])
    assert time.process_time() - started < LONGEST, "verifying takes too long"
    assert "cannot be verified" not in found.why, found.why
    if found.proof != "none":
        reading = heads.read(content)
        assert collapsed(reading.content[reading.body :]) in vouched, f"proved: {found.why}"
    json.dumps(as_json("x.eml", message), ensure_ascii=False).encode("utf-8")


def _resolve(name: str, kind: str) -> Sequence[str]:
    """The zone of the author's domain, and for all other keys something that is none."""
    known = _ZONES.records.get((name.lower(), kind))
    if known is None and f"{SELECTOR}._domainkey" in name and kind == "TXT":
        return ("v=DKIM1; k=ed25519; p=AAAA",)
    return known or ()
