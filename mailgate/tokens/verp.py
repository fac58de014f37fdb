"""The return address of each notice: a delivery report to it names the notice and proves it."""

from __future__ import annotations

import re

from mailgate.tokens.keys import Keys

_PURPOSE = "verp"
_ID = re.compile(r"[0-9A-Z]{1,32}")
_DETAIL = re.compile(r"([0-9A-Z]{1,32})\.([0-9a-f]{20})", re.IGNORECASE | re.ASCII)


def make(keys: Keys, bounce_address: str, notice_id: str) -> str:
    """`local+id.mac@domain`; the id is all capitals, so that a relay may fold its case."""
    if _ID.fullmatch(notice_id) is None:
        raise ValueError(f"not the id of a notice: {notice_id!r}")
    local, _, domain = bounce_address.rpartition("@")
    return f"{local}+{notice_id}.{_form(keys.mac(_PURPOSE, notice_id))}@{domain}"


def read(keys: Keys, bounce_address: str, recipient: str) -> str | None:
    """The id of the notice that was sent with this return address; None where it is not ours."""
    if not recipient.isascii():  # lower() changes the length of some other letters
        return None
    local, _, domain = bounce_address.lower().rpartition("@")
    given_local, _, given_domain = recipient.rpartition("@")
    if given_domain.lower() != domain or not given_local.lower().startswith(f"{local}+"):
        return None
    match = _DETAIL.fullmatch(given_local[len(local) + 1 :])
    if match is None:
        return None
    notice_id = match[1].upper()
    return notice_id if keys.matches(match[2].lower(), _form, _PURPOSE, notice_id) else None


def _form(mac: bytes) -> str:
    return mac.hex()[:20]
