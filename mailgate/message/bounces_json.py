"""Delivery reports that a sending service writes as JSON: Amazon SES, directly or through SNS."""

from __future__ import annotations

import json
from typing import Any

from mailgate.message import bounces_status
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
    return Bounce(found, _original_id(mail) if isinstance(mail, dict) else None)


def _original_id(mail: dict[str, Any]) -> str | None:
    """The Message-ID that the message had, else the service's own id, which it is made of."""
    headers = mail.get("headers")
    for header in headers if isinstance(headers, list) else ():
        if isinstance(header, dict) and str(header.get("name")).lower() == "message-id":
            return str(header.get("value")).strip().strip("<>")[:998]
    own = mail.get("messageId")
    return own if isinstance(own, str) else None


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
    said = str(one.get("diagnosticCode") or detail.get("smtpResponse") or "")
    status = str(one.get("status") or "") or bounces_status.of_text(said)
    if not status and kind == "Bounce":
        passing = detail.get("bounceType") == "Transient"
        status = bounces_status.computed(said, passing)
    return BouncedRecipient(
        address=str(one.get("emailAddress") or "")[:320],
        action=str(one.get("action") or _ACTIONS[kind])[:40].lower(),
        status=status,
        diagnostic=" ".join(said.split())[:500],
        hard=kind == "Bounce" and bounces_status.is_hard(status, said),
    )
