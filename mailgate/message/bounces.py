"""What a delivery report says, whether it follows RFC 3464 or its writer's own taste."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Literal

from mailgate.message import (
    automatic,
    automatic_subject,
    bounces_fields,
    bounces_flufl,
    bounces_json,
    bounces_notice,
    bounces_status,
)
from mailgate.message.bounces_notice import Named, Notice
from mailgate.message.mime import Part
from mailgate.model.message import Bounce, BouncedRecipient, Head

_MAX_RECIPIENTS = 200
_MESSAGE_ID = re.compile(r"(?im)^[ \t>]{0,20}message-id[ \t]*:\s*<?([^\s<>]{1,998})")
_RETURNED = frozenset(
    {
        *("message/rfc822", "message/global", "message/partial"),
        *("text/rfc822-headers", "message/global-headers"),
    }
)
_REPORT_PARTS = frozenset(
    {"message/delivery-status", "message/global-delivery-status", "message/feedback-report"}
)
_PASSED_ON = re.compile(r"\s*(?:re|aw|odp|sv|antw|fwd?|wg|pd|i|tr|rv|vs|vb)\s?:", re.IGNORECASE)
_WHITE = re.compile(r"\s+")
_SMTP = re.compile(r"(?:smtp|x-[a-z\-]+|lmtp|dns)\s*;\s*", re.IGNORECASE)


def read(root: Part, head: Head) -> Bounce | None:
    """The report in this message, or None where the message is none.

    An action is one of RFC 3464 §2.3.3, or for a complaint its Feedback-Type (RFC 5965 §3.1). A
    status that neither a field nor a server's words give is computed and has the form `5.0.9xx`.
    """
    found = _read(root, head)
    return found and Bounce(
        tuple(map(_safe_recipient, found.recipients)),
        _safe(found.original_message_id or "") or None,
    )


def _read(root: Part, head: Head) -> Bounce | None:
    doubt = _doubt(root, head)
    if doubt is None:
        return None
    parts = tuple(_outer(root))
    if doubt == "" and not _has_report(parts) and _has_report(inner := tuple(root.walk())):
        parts = inner  # a mail system passes the report of another on
    if (complaint := bounces_fields.complaint(parts)) is not None:
        kind, addresses = complaint
        returned = _returned_head(parts)
        addresses = addresses or bounces_notice.sent_to(returned)
        named = tuple(BouncedRecipient(a, action=kind) for a in addresses)
        return Bounce(named, _message_id(returned))
    notice = bounces_notice.read(parts)
    if doubt and not bounces_notice.introduces(notice):
        return None
    if (said := bounces_json.read(bounces_notice.written(parts))) is not None:
        return said
    returned = _returned_head(parts) or notice.original
    found = _reported(parts, notice) or _told(root, head, notice, returned, _lone_status(parts))
    original = _message_id(returned)
    if doubt and not found:
        return None
    if doubt == "original" and not returned.strip():
        return None
    return Bounce(found, original)


def _outer(part: Part) -> Iterator[Part]:
    """The parts of the message itself, not those of messages in it."""
    yield part
    if not part.content_type.startswith("message/"):
        for child in part.children:
            yield from _outer(child)


def _has_report(parts: Iterable[Part]) -> bool:
    return any(part.content_type in _REPORT_PARTS for part in parts)


def _doubt(root: Part, head: Head) -> Literal["", "text", "original"] | None:
    """None: no report. "": the head proves one. Else the text must say so, and with "original"
    it must bring the message back: responders and people, too, write of mail not delivered."""
    if head.automatic == "bounce":
        return ""
    reports = _has_report(islice(_outer(root), 50))
    if reports and (head.automatic != "no" or not head.from_):
        return ""
    system = any(automatic.is_system_address(m.address) for m in head.from_)
    titled = system or automatic_subject.is_report(head.subject)
    if head.automatic in ("auto-reply", "list"):
        return "text" if titled else "original"
    if head.automatic != "no" or head.in_reply_to or _PASSED_ON.match(head.subject):
        return None  # people answer reports and pass them on, with all their parts
    return "original" if reports or titled else None


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
        said = spoken[group.address]
        status = _status(group, diagnostic, said, delayed=action == "delayed")
        hard = action != "delayed" and bounces_status.is_hard(status, diagnostic or said)
        out.append(BouncedRecipient(group.address, action, status, diagnostic, hard))
    return tuple(dict.fromkeys(out))


def _status(group: bounces_fields.Group, diagnostic: str, words: str, *, delayed: bool) -> str:
    status = bounces_status.prefer(bounces_status.of_field(group.get("status")), diagnostic)
    if bounces_status.is_vague(status):
        status = bounces_status.prefer(status, words)
    return status or bounces_status.computed(f"{diagnostic}\n{words}", delayed)


def _action(body: str) -> str:
    """The keyword, without comments that some put after it (RFC 3464 §2.3.3)."""
    word = body.strip().lower().split(" ", 1)[0].strip("();,")
    return "failed" if word in ("error", "fail", "failure") else word[:40]


def _told(
    root: Part, head: Head, notice: Notice, returned: str, field: str
) -> tuple[BouncedRecipient, ...]:
    """What the notification tells in words, of the recipients that the head or it names. `field`
    is the status of a report that names a file or a program instead of an address."""
    delayed = bounces_notice.still_trying(notice)
    out = []
    for named in _named(root, head, notice, returned):
        status = bounces_status.of_text(named.words) or bounces_status.of_text(notice.text)
        status = status or field or bounces_status.computed(named.words, delayed)
        # Class 4 is of the trouble; whether the mail was given up, only the text says.
        action = "delivered" if status[0] == "2" else "delayed" if delayed else "failed"
        hard = action == "failed" and bounces_status.is_hard(status, named.words)
        out.append(BouncedRecipient(named.address, action, status, _tidy(named.words), hard))
    return tuple(out)


def _lone_status(parts: Sequence[Part]) -> str:
    statuses = [bounces_status.of_field(g.get("status")) for g in bounces_fields.groups(parts)]
    return statuses[0] if len(statuses) == 1 else ""


def _named(root: Part, head: Head, notice: Notice, returned: str) -> tuple[Named, ...]:
    """Recipients by the surest source that has some."""
    if failed := head.all("X-Failed-Recipients"):
        addresses = [a for body in failed for part in body.split(",") if (a := part.strip(" <>\t"))]
        return bounces_notice.about(notice, addresses[:_MAX_RECIPIENTS])
    sender = frozenset(m.address.lower() for m in (*head.to, *head.from_))
    named, sure = bounces_notice.recipients(notice, sender)
    if not sure and (others := bounces_flufl.recipients(root.content)):
        return bounces_notice.about(notice, others)
    if named:
        return named
    return tuple(Named(a, notice.text) for a in bounces_notice.sent_to(returned))


def _safe_recipient(one: BouncedRecipient) -> BouncedRecipient:
    address, action, status, said = map(
        _safe, (one.address, one.action, one.status, one.diagnostic)
    )
    return BouncedRecipient(address, action, status, said, one.hard)


def _safe(text: str) -> str:
    """What a log, a database and a page may show: no controls, no lone surrogates (promise S2)."""
    if text.isascii() and text.isprintable():
        return text
    printable = "".join(c if c.isprintable() else " " for c in text)
    return printable.encode("utf-8", "replace").decode("utf-8")


def _tidy(text: str) -> str:
    """One line for people, not too long."""
    line = _WHITE.sub(" ", text).strip()
    return line if len(line) <= 500 else line[:499] + "…"


def _returned_head(parts: Sequence[Part]) -> str:
    """The header section of the message that came back, from a part of its own, or "". It is
    taken as text too: systems that return a message break its folding."""
    for part in parts:
        if part.content_type not in _RETURNED:
            continue
        octets = part.octets()[: 64 << 10].replace(b"\r\n", b"\n").lstrip(b"\n")
        head = octets.partition(b"\n\n")[0].decode("utf-8", "replace")
        read = [f"{f.name}: {f.body}" for child in part.children[:1] for f in child.fields]
        if head or read:
            return "\n".join([*read, head])
    return ""


def _message_id(returned: str) -> str | None:
    found = _MESSAGE_ID.search(returned)
    return found[1] if found else None
