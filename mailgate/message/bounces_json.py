"""Delivery reports that a sending service writes as JSON: Amazon SES, directly or through SNS."""

from __future__ import annotations

import json
from typing import Any

from mailgate.model.message import Bounce, BouncedRecipient

_MAX_TEXT = 256 << 10
_ACTIONS = {"Bounce": "failed", "Complaint": "abuse", "Delivery": "delivered"}
_LISTS = ("bouncedRecipients", "complainedRecipients", "recipients")


def read(text: str) -> Bounce | None:
    """The report at the start of a text, or None where it begins with none."""
    notice = _object(text)
    if notice is not None and isinstance(notice.get("Message"), str):
        notice = _object(notice["Message"])
    if notice is None:
        return None
    kind = notice.get("notificationType", notice.get("eventType"))
    if not isinstance(kind, str) or kind not in _ACTIONS:
        return None
    detail, mail = notice.get(kind.lower()), notice.get("mail")
    if not isinstance(detail, dict):
        return None
    listed: list[Any] = next(
        (detail[name] for name in _LISTS if isinstance(detail.get(name), list)), []
    )
    found = tuple(_recipient(one, kind, detail) for one in listed[:200])
    original = mail.get("messageId") if isinstance(mail, dict) else None
    return Bounce(found, original if isinstance(original, str) else None)


def _object(text: str) -> dict[str, Any] | None:
    """The JSON object at the start; a mail system may have folded it and signed below it."""
    text = text[:_MAX_TEXT].lstrip()
    if not text.startswith("{"):
        return None
    for candidate in (text, text.replace("\n ", " ").replace("\n", "")):
        try:
            found, _end = json.JSONDecoder(strict=False).raw_decode(candidate)
        except (ValueError, RecursionError):
            continue
        return found if isinstance(found, dict) else None
    return None


def _recipient(one: Any, kind: str, detail: dict[str, Any]) -> BouncedRecipient:
    """A recipient is an object, or in a delivery just an address."""
    if isinstance(one, str):
        one = {"emailAddress": one}
    if not isinstance(one, dict):
        one = {}
    passing = detail.get("bounceType") == "Transient"
    said = str(one.get("diagnosticCode") or detail.get("smtpResponse") or "")
    return BouncedRecipient(
        address=str(one.get("emailAddress") or "")[:320],
        action=str(one.get("action") or _ACTIONS[kind])[:40].lower(),
        status=str(one.get("status") or ("4.0.0" if passing else "")),
        diagnostic=" ".join(said.split())[:500],
    )
