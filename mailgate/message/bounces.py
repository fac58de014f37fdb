"""What a delivery report says, whether it follows RFC 3464 or its writer's own taste."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

from mailgate.message import automatic_subject, bounces_fields, bounces_notice, bounces_status
from mailgate.message.bounces_notice import Named, Notice
from mailgate.message.mime import Part
from mailgate.model.message import Bounce, BouncedRecipient, Head

_MAX_RECIPIENTS = 200
_MESSAGE_ID = re.compile(r"(?im)^[ \t>]{0,20}message-id[ \t]*:\s*<?([^\s<>]{1,998})")
_RETURNED = frozenset(
    {"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"}
)
_REPORT_PARTS = frozenset(
    {"message/delivery-status", "message/global-delivery-status", "message/feedback-report"}
)
_WHITE = re.compile(r"\s+")
_SMTP = re.compile(r"(?:smtp|x-[a-z\-]+|lmtp|dns)\s*;\s*", re.IGNORECASE)


def read(root: Part, head: Head) -> Bounce | None:
    """The report in this message, or None where the message is none.

    An action is one of RFC 3464 §2.3.3, or for a complaint its Feedback-Type (RFC 5965 §3.1). A
    status that neither a field nor a server's words give is computed and has the form `5.0.9xx`.
    """
    doubt = _doubt(root, head)
    if doubt is None:
        return None
    parts = tuple(root.walk())
    if (complaint := bounces_fields.complaint(parts)) is not None:
        kind, addresses = complaint
        named = tuple(BouncedRecipient(a, action=kind) for a in addresses)
        return Bounce(named, _original_id(parts, ""))
    notice = bounces_notice.read(parts)
    if doubt and not bounces_notice.introduces(notice):
        return None
    found = _reported(parts, notice) or _told(head, notice)
    if doubt and not found:
        return None
    return Bounce(found, _original_id(parts, notice.original))


def _doubt(root: Part, head: Head) -> bool | None:
    """None: no report. False: the head or a part proves one. True: the text must say so."""
    if any(part.content_type in _REPORT_PARTS for part in islice(root.walk(), 50)):
        return False
    if head.automatic == "bounce":
        return False
    if head.automatic != "no" or automatic_subject.is_report(head.subject):
        return True
    return None


def _reported(parts: Sequence[Part], notice: Notice) -> tuple[BouncedRecipient, ...]:
    """What the fields of the report say, the notification's words where they say too little."""
    groups = list(islice(bounces_fields.groups(parts), _MAX_RECIPIENTS))
    if not any(group.address for group in groups):
        groups = list(islice(bounces_fields.in_text(notice.text), _MAX_RECIPIENTS))
    groups = [group for group in groups if group.address]
    words = bounces_notice.about(notice, [group.address for group in groups])
    spoken = {named.address: named.words for named in words}
    out = []
    for group in groups:
        diagnostic = _tidy(_SMTP.sub("", group.get("diagnostic-code"), count=1))
        action = _action(group.get("action"))
        status = _status(group, diagnostic, spoken[group.address], delayed=action == "delayed")
        out.append(BouncedRecipient(group.address, action, status, diagnostic))
    return tuple(dict.fromkeys(out))


def _status(group: bounces_fields.Group, diagnostic: str, words: str, *, delayed: bool) -> str:
    field = bounces_status.of_field(group.get("status"))
    if field.endswith(".4.7") and (other := bounces_status.other_than_expired(diagnostic)):
        return other
    status = bounces_status.prefer(field, bounces_status.of_text(diagnostic))
    if bounces_status.is_vague(status):
        status = bounces_status.prefer(status, bounces_status.of_text(words))
    return status or bounces_status.computed(f"{diagnostic}\n{words}", delayed)


def _action(body: str) -> str:
    """The keyword, without comments that some put after it (RFC 3464 §2.3.3)."""
    word = body.strip().lower().split(" ", 1)[0].strip("();,")
    return "failed" if word in ("error", "fail", "failure") else word[:40]


def _told(head: Head, notice: Notice) -> tuple[BouncedRecipient, ...]:
    """What the notification tells in words, of the recipients that the head or it names."""
    delayed = bounces_notice.still_trying(notice)
    out = []
    for named in _named(head, notice):
        status = bounces_status.of_text(named.words) or bounces_status.of_text(notice.text)
        status = status or bounces_status.computed(named.words, delayed)
        action = {"2": "delivered", "4": "delayed"}.get(status[0], "failed")
        if action == "delayed" and not delayed:
            action = "failed"  # class 4 is of the trouble; the mail itself was given up
        out.append(BouncedRecipient(named.address, action, status, _tidy(named.words)))
    return tuple(out)


def _named(head: Head, notice: Notice) -> tuple[Named, ...]:
    if failed := head.all("X-Failed-Recipients"):
        addresses = [a for body in failed for part in body.split(",") if (a := part.strip(" <>\t"))]
        return bounces_notice.about(notice, addresses[:_MAX_RECIPIENTS])
    sender = {m.address.lower() for m in (*head.to, *head.from_)}
    return bounces_notice.recipients(notice, frozenset(sender))


def _tidy(text: str) -> str:
    """One line for people, not too long."""
    line = _WHITE.sub(" ", text).strip()
    return line if len(line) <= 500 else line[:499] + "…"


def _original_id(parts: Sequence[Part], after_notice: str) -> str | None:
    """The Message-ID of the message that came back, from its own header section."""
    for part in parts:
        if part.content_type not in _RETURNED:
            continue
        for child in part.children[:1]:
            for body in child.all("Message-ID"):
                return body.strip().strip("<>").strip() or None
        if found := _MESSAGE_ID.search(part.text()[: 64 << 10]):
            return found[1]
    found = _MESSAGE_ID.search(after_notice)
    return found[1] if found else None
