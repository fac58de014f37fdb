"""Mail of customers as their mail server hands it over, and a token as staff issue it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from mailgate import clock
from mailgate.intake.gate import Gate
from mailgate.model.directory import Contact
from mailgate.model.envelope import Envelope
from mailgate.model.item import Admission
from mailgate.model.notice import Notice
from mailgate.model.people import Scope
from mailgate.tokens import access, message_id
from tests.world import DESK, KEYS, World


def admitted(world: World, author: str, subject: str, text: str, cc: str = "") -> Admission:
    """A mail whose domain proved itself."""
    domain = author.rpartition("@")[2]
    message = EmailMessage(policy=SMTP)
    message["Authentication-Results"] = f"mx.desk.example; dmarc=pass header.from={domain}"
    message["From"] = author
    message["To"] = DESK
    if cc:
        message["Cc"] = cc
    message["Subject"] = subject
    message["Date"] = format_datetime(world.now())
    message["Message-ID"] = f"<{clock.queue_id(world.now(), clock.random)}@{domain}>"
    message.set_content(text)
    envelope = Envelope(author, (DESK,), world.now())
    (admission,) = Gate(world.settings, clock.random).admissions(envelope, message.as_bytes())
    return admission


def issue(world: World, contact: Contact, scopes: Sequence[Scope] = ("panel",)) -> str:
    """Have an access token mailed, as staff do; gives the token."""
    nonce, now = access.new_nonce(clock.random), world.now()
    token = access.token(KEYS, nonce)
    unique = clock.queue_id(now, clock.random)
    ends = now + timedelta(days=30)
    notice = Notice(
        id=unique,
        template="access-token",
        language="pl",
        desk="support",
        to=contact.address,
        to_name=contact.name,
        contact_id=contact.id,
        queue_id=None,
        ticket=None,
        message_id=message_id.make(KEYS, None, contact.id, unique, "gate.desk.example"),
        date=now,
        values={"expires": ends.isoformat()},
        link_nonce=nonce,
    )
    made = world.store.access_tokens.issue(
        contact.id, access.sha256(token), notice, "kasia", now, ends, scopes
    )
    assert made
    return token
