"""Our own Message-IDs: they say whom a mail went to and which ticket it was about, and prove it."""

from __future__ import annotations

import re

from mailgate.tokens.keys import Keys

_PURPOSE = "message-id"
_ID = re.compile(r"t([0-9]{1,18})\.c([0-9]{1,18})\.([0-9a-z]{1,40})\.([0-9a-f]{20})@([0-9a-z.\-]+)")


def make(keys: Keys, ticket: int | None, contact_id: int | None, unique: str, host: str) -> str:
    """An id (RFC 5322 §3.6.4) without its angle brackets, all lower-case; `unique` is ours."""
    unique, host = unique.lower(), host.lower()
    subject = (str(ticket or 0), str(contact_id or 0), unique, host)
    made = f"t{subject[0]}.c{subject[1]}.{unique}.{_form(keys.mac(_PURPOSE, *subject))}@{host}"
    if _ID.fullmatch(made) is None:
        raise ValueError(f"no Message-ID can be made of {unique!r} and {host!r}")
    return made


def read(keys: Keys, message_id: str) -> tuple[int, int] | None:
    """Ticket and contact (0 for none) of an id that we made; None for any other."""
    parts = _parts(message_id)
    if parts is None or signer(keys, message_id) is None:
        return None
    return int(parts[0]), int(parts[1])


def signer(keys: Keys, message_id: str) -> Keys | None:
    """The keys as they stood when the id was made, or None where it is not ours.

    A notice is rendered anew for each attempt; with these keys it comes out the same although a
    newer key was added in between (promise R15).
    """
    parts = _parts(message_id)
    if parts is None:
        return None
    ticket, contact, unique, mac, host = parts
    return keys.signer(mac, _form, _PURPOSE, ticket, contact, unique, host)


def mine(message_id: str, host: str) -> bool:
    """Whether an id has our shape and our host: enough to refuse to answer it, whoever wrote it."""
    parts = _parts(message_id)
    return parts is not None and parts[4] == host.lower()


def _parts(message_id: str) -> tuple[str, str, str, str, str] | None:
    if not message_id.isascii():
        return None
    match = _ID.fullmatch(message_id.strip().removeprefix("<").removesuffix(">").lower())
    return None if match is None else (match[1], match[2], match[3], match[4], match[5])


def _form(mac: bytes) -> str:
    return mac.hex()[:20]
