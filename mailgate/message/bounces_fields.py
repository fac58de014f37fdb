"""The recipient groups of a delivery report (RFC 3464 §2.3) and of a feedback report (RFC 5965)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mailgate.message.mime import Part

_REPORTS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_FEEDBACK = "message/feedback-report"
_FIELD = re.compile(r"[ \t>]{0,8}([A-Za-z][A-Za-z0-9\-]{0,60})[ \t]{0,8}:[ \t]*(.*)")
#: What begins a group where blank lines are missing or too many.
_RECIPIENT_FIELDS = ("original-recipient", "final-recipient", "x-actual-recipient")
_GROUP_FIELDS = frozenset(
    {*_RECIPIENT_FIELDS, "action", "status", "diagnostic-code", "remote-mta", "last-attempt-date"}
)
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_ADDRESS = re.compile(r"[^\s<>()\[\];,\"]{1,256}@[^\s<>();,\"]{1,256}")
_TEXT_OCTETS = 256 << 10


@dataclass(frozen=True, slots=True)
class Group:
    """The fields of one recipient, by lower-case name; of a repeated field the first."""

    fields: Mapping[str, str]

    def get(self, name: str) -> str:
        return self.fields.get(name, "")

    @property
    def address(self) -> str:
        """The address that was mailed to, where the report knows it; else the final one."""
        for name in ("original-recipient", "final-recipient", "x-actual-recipient"):
            if found := address_in(self.get(name)):
                return found
        return ""


def address_in(body: str) -> str:
    """The address of `rfc822; a@b` (RFC 3464 §2.3.1), xtext undone (RFC 3461 §4), or ""."""
    kind, mark, value = body.partition(";")
    if not mark:
        kind, value = "", body
    if kind.strip().lower() not in ("rfc822", "smtp", "utf-8", "unknown", "x-unix", "822", ""):
        return ""
    found = _ADDRESS.search(value[:2000])
    if not found:
        return ""
    address = found[0].strip("'.")
    return _XTEXT.sub(lambda m: chr(int(m[1], 16)), address) if "+" in address else address


def groups(parts: Sequence[Part]) -> Iterator[Group]:
    """The recipient groups of every delivery-status part of the message."""
    for part in parts:
        if part.content_type in _REPORTS:
            yield from in_text(_text(part))


def in_text(text: str) -> Iterator[Group]:
    """The recipient groups of a report, also of one that stands in plain text."""
    fields: dict[str, str] = {}
    last = ""
    for line in text[:_TEXT_OCTETS].split("\n"):
        if line[:1] in (" ", "\t") and last and not _FIELD.fullmatch(line.strip()):
            fields[last] = f"{fields[last]} {line.strip()}"[:4000]
            continue
        found = _FIELD.fullmatch(line)
        last = ""
        if not found or (name := found[1].lower()) not in _GROUP_FIELDS:
            continue
        if name in fields and _is_group(fields):
            yield Group(fields)
            fields = {}
        if name not in fields:
            fields[name] = found[2].strip()
            last = name
    if _is_group(fields):
        yield Group(fields)


def _is_group(fields: Mapping[str, str]) -> bool:
    return any(name in fields for name in _RECIPIENT_FIELDS)


def complaint(parts: Sequence[Part]) -> tuple[str, tuple[str, ...]] | None:
    """The Feedback-Type of a feedback report and the recipients it names (RFC 5965 §3)."""
    report = next((p for p in parts if p.content_type == _FEEDBACK), None)
    if report is None:
        return None
    kind, recipients = "abuse", []
    for line in _text(report).split("\n"):
        if found := _FIELD.fullmatch(line):
            name = found[1].lower()
            if name == "feedback-type" and found[2].strip():
                kind = found[2].strip().lower()[:40]
            elif name in ("original-rcpt-to", "removal-recipient"):
                recipients.append(address_in(found[2]))
    return kind, tuple(dict.fromkeys(r for r in recipients if r))


def _text(part: Part) -> str:
    octets = part.octets()[:_TEXT_OCTETS]
    return octets.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
