"""What must hold for every content whatever: no exception, in time, no identity from nowhere."""

from __future__ import annotations

import json
import time

from mailgate.lab.inspect import as_json
from mailgate.message import read, read_head
from mailgate.message.authenticity import authenticate

#: Seconds of processor time for one message of a few kilobytes.
LONGEST = 2.0


def examine(content: bytes, authors: frozenset[str]) -> None:
    """Raise `AssertionError` with what does not hold; any other exception is a finding too."""
    started = time.process_time()
    message = read(content)
    head = read_head(content)
    spent = time.process_time() - started
    assert spent < LONGEST, f"{spent:.1f} s"
    assert message.head.author in {None, head.author}, "the body gave an identity"
    assert head.author is None or head.author in authors, f"identity {head.author}"
    assert head.author is not None or head.defects, "no identity and no reason"
    authenticate(head, ["mx.firma.example"], [])
    json.dumps(as_json("x.eml", message), ensure_ascii=False).encode("utf-8")
