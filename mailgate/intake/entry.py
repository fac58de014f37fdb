"""The doors that are not SMTP: what a person enters on a page or at the command line becomes mail."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from mailgate.clock import Now, Random, queue_id
from mailgate.intake.gate import Gate
from mailgate.model.envelope import Channel, Envelope
from mailgate.model.item import Admission
from mailgate.settings import Settings


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
) -> Admission:
    """One admission from one form: from here on it goes the way of every message.

    `entered_by` is the contact's address in the panel, the staff member's name on the console.
    Raises `ValueError` where the subject has a line end in it.
    """
    at = now()
    address = settings.desks[desk].address
    author = entered_by if channel == "panel" else address
    message = EmailMessage(policy=SMTP)
    message["From"] = author
    message["To"] = address
    message["Subject"] = subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{queue_id(at, random)}@{settings.intake.hostname}>".lower()
    message.set_content(text)
    envelope = Envelope(author, (address,), at, protocol="web")
    (admission,) = Gate(settings, random).admissions(
        envelope,
        message.as_bytes(),
        channel=channel,
        entered_by=entered_by,
        account_id=account_id,
    )
    return admission
