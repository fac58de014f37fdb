"""The mails the panel asks for: a link to sign in, and those about a change of an address."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mailgate import clock
from mailgate.model.directory import Account, AccountEntry, Contact, Language, Role
from mailgate.model.notice import Notice
from mailgate.model.people import Change, ChangeKind, PendingChange, Side, SignIn
from mailgate.model.web_ports import Tell
from mailgate.outbound.quote import quoted
from mailgate.tokens import change as change_tokens
from mailgate.tokens import message_id, session

if TYPE_CHECKING:
    from mailgate.web.panel.site import Panel

SIGN_IN_LIFE = timedelta(minutes=15)
SIDES: tuple[Side, Side] = ("new", "old")


def sign_in(
    panel: Panel, contact: Contact, account: Account, now: datetime
) -> tuple[SignIn, Notice]:
    """A one-time link and the mail that carries it, to the address of the directory."""
    nonce = session.new_nonce(panel.random)
    link = SignIn(
        token_sha256=session.sha256(session.sign_in_token(panel.keys, nonce)),
        nonce=nonce,
        contact_id=contact.id,
        address=contact.address,
        created_at=now,
        expires_at=now + SIGN_IN_LIFE,
    )
    values = {"company": quoted(account.company), "expires": link.expires_at.isoformat()}
    language = contact.language or account.language
    to = (contact.address, contact.name, contact.id)
    return link, _notice(panel, "sign-in-link", to, language, values, nonce)


def change(
    panel: Panel,
    entry: AccountEntry,
    kind: ChangeKind,
    contact: Contact | None,
    name: str,
    address: str,
    *,
    role: Role,
    language: Language | None,
    requested_by: str,
) -> Change:
    """A change that is yet to be kept: a new contact, or a new address of one that is there."""
    now, nonce = panel.now(), change_tokens.new_nonce(panel.random)
    new, old = (change_tokens.token(panel.keys, nonce, side) for side in SIDES)
    return Change(
        id=0,
        account_id=entry.account.id,
        kind=kind,
        contact_id=contact.id if contact else None,
        role=contact.role if contact else role,
        name=contact.name if contact else name,
        language=contact.language if contact else language,
        old_address=contact.address if contact else "",
        new_address=address,
        requested_by=requested_by,
        nonce=nonce,
        new_sha256=change_tokens.sha256(new),
        old_sha256=change_tokens.sha256(old) if kind == "main" else None,
        state="open",
        tries=0,
        created_at=now,
        expires_at=now + panel.settings.links.life,
    )


def of_change(panel: Panel, entry: AccountEntry, asked: Change) -> Sequence[Notice]:
    """Who must say yes gets a link: the new address always, the old one of the main contact."""
    values = _values(asked, entry.account)
    language = asked.language or entry.account.language
    to = (asked.new_address, asked.name, asked.contact_id)
    notices = [_notice(panel, "verify-address", to, language, values, asked.nonce)]
    if "old" in asked.sides:
        to = (asked.old_address, asked.name, asked.contact_id)
        notices.append(
            _notice(panel, "confirm-main-change", to, language, values, asked.nonce, "code")
        )
    return notices


def teller(panel: Panel, found: PendingChange) -> Tell:
    """What the old and the new address are told once a change of it is in force."""
    account = Account(found.change.account_id, found.company, found.language)

    def tell(done: Change, contacts: tuple[Contact, ...]) -> Sequence[Notice]:
        if done.kind == "add":
            return ()
        values = _values(done, account)
        known = {c.id: c for c in contacts}.get(done.contact_id or 0)
        language = (known.language if known else None) or found.language
        return [
            _notice(panel, "address-changed", (to, done.name, done.contact_id), language, values)
            for to in (done.old_address, done.new_address)
        ]

    return tell


def _values(asked: Change, account: Account) -> dict[str, str]:
    return {
        "company": quoted(account.company),
        "kind": asked.kind,
        "role": asked.role,
        "old_address": asked.old_address,
        "new_address": asked.new_address,
        "requested_by": asked.requested_by,
        "expires": asked.expires_at.isoformat(),
    }


def _notice(
    panel: Panel,
    template: str,
    to: tuple[str, str, int | None],
    language: Language,
    values: dict[str, str],
    nonce: str | None = None,
    step: str | None = None,
) -> Notice:
    address, name, contact_id = to
    now = panel.now()
    unique = clock.queue_id(now, panel.random)
    host = panel.settings.outbound.hostname
    return Notice(
        id=unique,
        template=template,
        language=language,
        desk=panel.pages.house,
        to=address,
        to_name=quoted(name, 80),
        contact_id=contact_id,
        queue_id=None,
        ticket=None,
        message_id=message_id.make(panel.keys, None, contact_id or 0, unique, host),
        date=now.replace(microsecond=0),
        values=values,
        link_nonce=nonce,
        link_step=step,
    )
