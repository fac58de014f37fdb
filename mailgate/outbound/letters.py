"""Mails that no message asked for: to a person of the directory, about their account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from mailgate import clock
from mailgate.clock import Random
from mailgate.model.directory import Account, Contact
from mailgate.model.notice import Notice
from mailgate.model.privacy import PrivacyRequest
from mailgate.outbound.quote import quoted
from mailgate.settings import Settings
from mailgate.tokens import access, message_id
from mailgate.tokens.keys import Keys


def letter(
    template: str,
    contact: Contact,
    account: Account,
    values: Mapping[str, str],
    *,
    settings: Settings,
    keys: Keys,
    now: datetime,
    random: Random,
    nonce: str | None = None,
) -> Notice:
    """One mail to the registered address of a contact, from the first desk of the house."""
    unique = clock.queue_id(now, random)
    host = settings.outbound.hostname
    return Notice(
        id=unique,
        template=template,
        language=contact.language or account.language,
        desk=next(iter(settings.desks)),
        to=contact.address,
        to_name=quoted(contact.name, 80),
        contact_id=contact.id,
        queue_id=None,
        ticket=None,
        message_id=message_id.make(keys, None, contact.id, unique, host),
        date=now.replace(microsecond=0),
        values={"company": quoted(account.company), **values},
        link_nonce=nonce,
    )


def access_token(
    contact: Contact,
    account: Account,
    *,
    settings: Settings,
    keys: Keys,
    now: datetime,
    random: Random,
) -> tuple[str, datetime, Notice]:
    """A new access token: its hash, until when it is good, and the one mail that carries it.

    The token itself is made only when the mail is written (row B8)."""
    nonce = access.new_nonce(random)
    expires = now + settings.access_tokens.life
    notice = letter(
        "access-token",
        contact,
        account,
        {"expires": expires.isoformat()},
        settings=settings,
        keys=keys,
        now=now,
        random=random,
        nonce=nonce,
    )
    return access.sha256(access.token(keys, nonce)), expires, notice


def access_token_expires(
    contact: Contact,
    account: Account,
    expires: datetime,
    *,
    settings: Settings,
    keys: Keys,
    now: datetime,
    random: Random,
) -> Notice:
    """That a token ends soon; names the page where a new one is had, and carries none."""
    values = {"expires": expires.isoformat()}
    return letter(
        "access-token-expires", contact, account, values,
        settings=settings, keys=keys, now=now, random=random,
    )  # fmt: skip


def access_ended(
    contact: Contact,
    account: Account,
    *,
    settings: Settings,
    keys: Keys,
    now: datetime,
    random: Random,
) -> Notice:
    """To an address that is none of the account's any more, and had a token (promise L15)."""
    return letter(
        "access-ended", contact, account, {"old_address": contact.address},
        settings=settings, keys=keys, now=now, random=random,
    )  # fmt: skip


def privacy_answered(
    request: PrivacyRequest,
    contact: Contact | None,
    account: Account | None,
    *,
    settings: Settings,
    keys: Keys,
    now: datetime,
    random: Random,
) -> Notice:
    """What became of a request about personal data, to the address it was made for: also to
    somebody who is in no account (GDPR Art. 12(3) and (4))."""
    spoken = next(iter(settings.desks.values())).language
    reader = contact or Contact(0, "", request.address, "additional", "")
    values = {
        "request": str(request.id),
        "kind": request.kind,
        "state": request.state,
        "text": request.outcome,
        "received": request.filed_at.isoformat(),
    }
    made = letter(
        "privacy-answered",
        replace(reader, address=request.address),
        account or Account("", "", spoken),
        values,
        settings=settings,
        keys=keys,
        now=now,
        random=random,
    )
    return replace(made, contact_id=contact.id if contact else None)
