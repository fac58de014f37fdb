"""flufl.bounce as a second reader of notifications that our own tables do not know."""

from __future__ import annotations

import email
import logging
import re

import flufl.bounce

#: Its patterns search every line for dozens of beginnings, some in quadratic time.
_MAX_CONTENT = 64 << 10
_ADDRESS = re.compile(r"[^\s<>()\[\]{},;:\"\\]{1,128}@[A-Za-z0-9.\-]{1,255}")
_MAX_LINE, _MAX_LINES = 200, 1500


def recipients(content: bytes) -> tuple[str, ...]:
    """The addresses it finds, temporary and permanent failures alike; () where it fails."""
    # It logs every detector and each of their faults; that a mail is odd is no event of ours.
    logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL + 1)
    lines = content[:_MAX_CONTENT].split(b"\n")
    message = email.message_from_bytes(b"\n".join(line[:_MAX_LINE] for line in lines[:_MAX_LINES]))
    try:
        temporary, permanent = flufl.bounce.all_failures(message)
    except Exception:  # noqa: BLE001  # any detector may raise on any mail; then our tables decide
        return ()
    found = (address.decode("ascii", "replace") for address in (*permanent, *temporary))
    return tuple(sorted(a for a in found if _ADDRESS.fullmatch(a)))
