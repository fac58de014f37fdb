"""Admission: which recipients are ours, and what one message becomes for each desk it is for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from mailgate.clock import Random, queue_id
from mailgate.intake.replies import NOT_A_DESK
from mailgate.model.addresses import address_key
from mailgate.model.envelope import TOO_MANY_HOPS, Channel, Envelope, Reply
from mailgate.model.item import Admission
from mailgate.settings import Settings

VerifyBounce = Callable[[str], str | None]
"""Gives the id of the notice that an address of ours was made for, or None."""

#: The desk that delivery reports to our own notices are filed under.
BOUNCES = "bounces"

_TRACE_NAMES = (
    b"return-path",
    b"delivered-to",
    b"x-original-to",
    b"envelope-to",
    b"delivery-date",
)
_TRACE = re.compile(
    rb"^(?:" + rb"|".join(_TRACE_NAMES) + rb")[ \t]*:.*(?:\n[ \t].*)*(?:\n|\Z)",
    re.IGNORECASE | re.MULTILINE,
)
_RECEIVED = re.compile(rb"^received[ \t]*:", re.IGNORECASE | re.MULTILINE)


class Digest(Protocol):
    """A running SHA-256, as `hashlib` gives."""

    def copy(self) -> Digest: ...
    def update(self, data: bytes | memoryview, /) -> None: ...
    def hexdigest(self) -> str: ...


def recipient_reply(
    settings: Settings, address: str, verify_bounce: VerifyBounce | None
) -> Reply | None:
    """The refusal of a recipient, or None where it is a desk or a bounce address of ours."""
    if _slot(settings, address, verify_bounce) is None:
        return NOT_A_DESK
    return None


def hop_reply(content: bytes, limit: int) -> Reply | None:
    """The refusal of a message that went through too many hosts: it loops (RFC 5321 §6.3)."""
    header = content[: header_end(content)]
    if header.lower().count(b"received") <= limit:
        return None
    return TOO_MANY_HOPS if len(_RECEIVED.findall(header)) > limit else None


def header_end(content: bytes) -> int:
    """Where the header section ends, the blank line not included (RFC 5322 §2.1)."""
    if content.startswith((b"\r\n", b"\n")):
        return 0
    end = content.find(b"\n\r\n")
    bare = content.find(b"\n\n", 0, end if end >= 0 else len(content))
    ends = [at + 1 for at in (end, bare) if at >= 0]
    return min(ends, default=len(content))


def dedup_key(content: bytes, author: str, desk: str, digest: Digest | None = None) -> str:
    """The same for every delivery and every retry of one queue entry of the MTA (promise R4).

    Over the content without the fields that the last hop adds for one delivery, so that an entry
    for three addresses of a desk is one item. `digest` is the content's own SHA-256, if at hand.
    """
    end = header_end(content)
    lowered = content[:end].lower()
    if any(name in lowered for name in _TRACE_NAMES):
        digest = hashlib.sha256(_TRACE.sub(b"", content[:end]))
        digest.update(memoryview(content)[end:])
    else:
        digest = digest.copy() if digest else hashlib.sha256(content)
    # Neither an address nor a desk can hold a NUL, so no two triples look the same.
    digest.update(b"\0" + author.encode() + b"\0" + desk.encode())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Gate:
    """Makes admissions; knows the settings and where ids come from, but neither clock nor store."""

    settings: Settings
    random: Random
    verify_bounce: VerifyBounce | None = None

    def recipient_reply(self, address: str) -> Reply | None:
        return recipient_reply(self.settings, address, self.verify_bounce)

    def admissions(
        self,
        envelope: Envelope,
        content: bytes,
        *,
        channel: Channel = "email",
        entered_by: str = "",
        account_id: str | None = None,
        digest: Digest | None = None,
    ) -> list[Admission]:
        """One admission a desk, in the order of the recipients; each names its own recipients.

        Raises `ValueError` for a recipient that `recipient_reply` refuses.
        """
        digest = digest or hashlib.sha256(content)
        sha256 = digest.hexdigest()
        author = envelope.reverse_path
        if channel != "email":  # two customers may well type the same words into a form
            author = "\0".join((channel, account_id or "", entered_by))
        result = []
        for (desk, slot), recipients in self._desks(envelope.recipients).items():
            result.append(
                Admission(
                    queue_id=queue_id(envelope.received_at, self.random),
                    dedup_key=dedup_key(content, author, slot, digest),
                    desk=desk,
                    channel=channel,
                    envelope=replace(envelope, recipients=tuple(recipients)),
                    content=content,
                    sha256=sha256,
                    entered_by=entered_by,
                    account_id=account_id,
                )
            )
        return result

    def _desks(self, recipients: tuple[str, ...]) -> dict[tuple[str, str], list[str]]:
        desks: dict[tuple[str, str], list[str]] = {}
        for address in recipients:
            slot = _slot(self.settings, address, self.verify_bounce)
            if slot is None:
                raise ValueError("a recipient is not an address of any desk")
            desks.setdefault(slot, []).append(address)
        return desks


def _slot(
    settings: Settings, address: str, verify_bounce: VerifyBounce | None
) -> tuple[str, str] | None:
    """The desk of a recipient, and what keeps its items apart: for bounces, each notice has its
    own, so that one report about two notices is not taken for a retry.
    """
    desk = settings.desk_of(address)
    if desk is None and not address.isascii():
        desk = settings.desk_of(address_key(address))
    if desk is not None:
        return desk, desk
    if verify_bounce is None or settings.outbound.bounces is None:
        return None
    notice = verify_bounce(address)
    return None if notice is None else (BOUNCES, f"{BOUNCES}\0{notice}")
