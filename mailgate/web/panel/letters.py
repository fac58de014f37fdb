"""The mails the panel asks for: a link to sign in, and those about a change of an address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mailgate.model.addresses import same_address
from mailgate.model.directory import Account, AccountEntry, Contact, Language, Role
from mailgate.model.notice import Notice
from mailgate.model.outcome import Composed, NewToken
from mailgate.model.people import Change, ChangeKind, PendingChange, Side, SignIn
from mailgate.model.web_ports import Tell
from mailgate.outbound.letters import access_token, letter
from mailgate.tokens import change as change_tokens
from mailgate.tokens import session

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
    values = {"expires": link.expires_at.isoformat()}
    return link, _letter(panel, "sign-in-link", contact, account, values, nonce)


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
    mails = [("verify-address", asked.new_address)]
    if "old" in asked.sides:
        mails.append(("confirm-main-change", asked.old_address))
    values = _values(asked)
    return [
        _letter(panel, template, _reader(asked, address), entry.account, values, asked.nonce)
        for template, address in mails
    ]


def teller(panel: Panel, found: PendingChange) -> Tell:
    """What the old and the new address are told once a change of it is in force; somebody new
    gets their access token with it (row B2)."""
    account = Account(found.change.account_id, found.company, found.language)

    def tell(done: Change, contacts: tuple[Contact, ...]) -> Composed:
        if done.kind == "add":
            new = [c for c in contacts if same_address(c.address, done.new_address) and c.signs_in]
            return Composed(token=token(panel, new[0], account) if new else None)
        both = (done.old_address, done.new_address)
        values = _values(done)
        return Composed(
            tuple(
                _letter(panel, "address-changed", _reader(done, to), account, values) for to in both
            )
        )

    return tell


def token(panel: Panel, contact: Contact, account: Account) -> NewToken:
    """A new access token for a contact, and the mail that carries it to their own address."""
    sha256, expires, notice = access_token(
        contact, account,
        settings=panel.settings, keys=panel.keys, now=panel.now(), random=panel.random,
    )  # fmt: skip
    scopes = tuple(panel.settings.access_tokens.scopes)
    return NewToken(contact.id, sha256, expires, scopes, notice)


def _values(asked: Change) -> dict[str, str]:
    return {
        "kind": asked.kind,
        "old_address": asked.old_address,
        "new_address": asked.new_address,
        "requested_by": asked.requested_by,
        "expires": asked.expires_at.isoformat(),
    }


def _reader(asked: Change, address: str) -> Contact:
    """Whom a mail about a change greets: the contact under one address or the other, or somebody
    who is not a contact yet (no contact has the number 0).
    """
    number = asked.contact_id or 0
    return Contact(number, asked.account_id, address, asked.role, asked.name, asked.language)


def _letter(
    panel: Panel,
    template: str,
    contact: Contact,
    account: Account,
    values: Mapping[str, str],
    nonce: str | None = None,
) -> Notice:
    notice = letter(
        template, contact, account, values,
        settings=panel.settings, keys=panel.keys, now=panel.now(), random=panel.random, nonce=nonce,
    )  # fmt: skip
    step = "code" if template == "confirm-main-change" else None
    return replace(notice, contact_id=contact.id or None, link_step=step)
