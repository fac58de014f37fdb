"""The doors that are not SMTP: what a person enters on a page or in a command becomes mail."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTPUTF8
from email.utils import format_datetime

from mailgate.clock import Now, Random, queue_id
from mailgate.intake.gate import Gate
from mailgate.message.files import safe_name
from mailgate.model.envelope import Channel, Envelope
from mailgate.model.item import Admission, Enclosure
from mailgate.settings import Settings

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_BINARY = ("application", "octet-stream")
_TYPE = re.compile(r"([a-z0-9][a-z0-9.+_-]{0,63})/([a-z0-9][a-z0-9.+_-]{0,63})")
#: Types that the email package would take for structure rather than for a file.
_STRUCTURE = frozenset({"multipart", "message"})


def entry(
    settings: Settings,
    *,
    desk: str,
    channel: Channel,
    account_id: str,
    entered_by: str,
    subject: str,
    text: str,
    now: Now,
    random: Random,
    token: str = "",
    files: Sequence[Enclosure] = (),
    once: str = "",
) -> Admission:
    """One admission from one form: from here on it goes the way of every message.

    `entered_by` is the contact's address in the panel and the API, what was typed as an address in
    the open form, the staff member's name on the console.
    `token` is the ticket's where this answers in one: it stands in the subject as in a mail (A2).
    `once` is what one showing of the form had: sent again with the same words, by a second click
    or a reload, it is the same message (promise R4).
    Raises `ValueError` where the subject has a line end in it.
    """
    at = now()
    address = settings.desks[desk].address
    author = address if channel == "console" else entered_by
    message = EmailMessage(policy=SMTPUTF8)
    message["From"] = author
    message["To"] = address
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{queue_id(at, random)}@{settings.intake.hostname}>".lower()
    message.set_content(text)
    for file in files:
        kind, subtype = _kind(file.content_type)
        name = safe_name(file.filename) or None
        message.add_attachment(file.octets, maintype=kind, subtype=subtype, filename=name)
    envelope = Envelope(author, (address,), at, protocol="web")
    (admission,) = Gate(settings, random).admissions(
        envelope,
        _subject(subject, token) + message.as_bytes(),
        channel=channel,
        entered_by=entered_by,
        account_id=account_id or None,
    )
    if once:
        typed = (channel, account_id, entered_by, once, subject, text, token)
        return replace(admission, dedup_key=_same(typed, files))
    return admission


def _same(typed: Sequence[str], files: Sequence[Enclosure]) -> str:
    """The same for every sending of one filled-in form, and for nothing else."""
    digest = hashlib.sha256()
    parts = [part.encode("utf-8", "surrogatepass") for part in typed]
    parts += [part for f in files for part in (f.filename.encode("utf-8", "replace"), f.octets)]
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def _subject(subject: str, token: str) -> bytes:
    """The field as octets: before Python 3.13 EmailMessage drops blanks between encoded words, and
    it always decodes what merely looks like one (RFC 2047 §2).
    """
    if _CONTROLS.search(subject):
        raise ValueError("a subject is one line of text")
    plain = subject.isascii() and "=?" not in subject
    field = Header(subject, "us-ascii" if plain else "utf-8", header_name="Subject")
    if token:
        field.append(token, "us-ascii")
    return b"Subject: " + field.encode(linesep="\r\n").encode() + b"\r\n"


def _kind(content_type: str) -> tuple[str, str]:
    """The type of an enclosure where it is one for a file, else "some octets" (RFC 2046 §4.5.1)."""
    found = _TYPE.fullmatch(content_type.partition(";")[0].strip().lower())
    return (found[1], found[2]) if found and found[1] not in _STRUCTURE else _BINARY
