"""What the token desk says: to the author always the same, to registered addresses the truth.

Nothing that the author is told may follow from the directory (B10): not the words, nor the
language, nor the Message-ID, nor whether there is a mail at all. A token, and every question about
one, goes to the address in the directory alone (promises L8 and L15).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from mailgate import clock
from mailgate.clock import Random
from mailgate.message.token_request import LABELS
from mailgate.model.addresses import same_address
from mailgate.model.directory import Account, Contact, Language
from mailgate.model.notice import Notice
from mailgate.model.outcome import Composed, NewToken, Outcome
from mailgate.model.ticket import LinkAbout, Step, Ticket
from mailgate.model.token_request import TokenCase
from mailgate.outbound import letters
from mailgate.outbound.quote import answerable, quoted, quoted_address
from mailgate.outbound.readers import is_person, new_link
from mailgate.settings import Settings
from mailgate.tokens import message_id
from mailgate.tokens.keys import Keys

#: Proofs that the domain itself vouches for, and the session of somebody signed in.
_VOUCHED = frozenset({"aligned", "dmarc", "panel"})
#: The lines of our form that ask for what is missing; of the first two one is enough.
_LINES: Mapping[str, tuple[int, ...]] = {"company": (0, 1), "address": (2,), "explanation": (3,)}


@dataclass(frozen=True)
class Desk:
    """One decision of the token desk, the ticket its message is on, and what mails are made of."""

    outcome: Outcome
    ticket: Ticket | None
    settings: Settings
    keys: Keys
    now: datetime
    random: Random


# --- what the author is told ----------------------------------------------------------------------


def acknowledgement(desk: Desk) -> tuple[Notice, ...]:
    """The mail to the author, where the rules want one and a person may be behind the address."""
    outcome, case = desk.outcome, desk.outcome.case.token
    author = outcome.message.head.author
    if (
        outcome.decision.acknowledge is None
        or case is None
        or outcome.item.channel != "email"
        or not author
        or not is_person(author, desk.settings)
    ):
        return ()
    language = case.request.language or desk.settings.desks[outcome.item.desk].language
    named = _named(desk)
    unique = clock.queue_id(desk.now, desk.random)
    number = named.number if named else None
    return (
        Notice(
            id=unique,
            template=outcome.decision.acknowledge,
            language=language,
            desk=outcome.item.desk,
            to=author,
            to_name="",
            contact_id=None,
            queue_id=outcome.item.queue_id,
            ticket=number,
            message_id=_message_id(desk, number, None, unique),
            date=desk.now.replace(microsecond=0),
            values={"form": _form(case.request.missing, language), **_of_ticket(named)},
            in_reply_to=answerable(outcome.message.head.message_id),
        ),
    )


def _named(desk: Desk) -> Ticket | None:
    """The ticket whose code the author may have: the one they opened, or whose code they gave."""
    facts = desk.outcome.facts
    opened = desk.outcome.case.ticket is None
    return desk.ticket if opened or facts["code"] == "valid" else None


def _form(missing: tuple[str, ...], language: Language) -> str:
    """The lines to be filled in, as our own reader reads them back."""
    labels = LABELS[language]
    return "\n".join(f"{labels[at]}:" for name in missing for at in _LINES[name])


# --- what registered addresses are told -----------------------------------------------------------


def token_answer(desk: Desk) -> Composed:
    """The mail that the rules want about a token, to its owner or to the account's manager."""
    step, case = desk.outcome.decision.token, desk.outcome.case.token
    if case is None or case.contact is None or case.account is None:
        return Composed()
    owner, account = case.contact, case.account
    if step == "issue":
        return _issue(desk, case, owner, account)
    if step == "refuse":
        return _refusal(desk, case, owner, account)
    # A main contact is the manager of their own token too (B5): only the address is left to ask.
    if step == "manager" and owner.role != "main":
        return _approval(desk, case, owner, account)
    return _verification(desk, case, owner, account) if step else Composed()


def _issue(desk: Desk, case: TokenCase, owner: Contact, account: Account) -> Composed:
    """A new token; its mail names the reason that applies (B6)."""
    if not is_person(owner.address, desk.settings):
        return Composed()
    sha256, expires, notice = letters.access_token(
        owner,
        account,
        settings=desk.settings,
        keys=desk.keys,
        now=desk.now,
        random=desk.random,
    )
    values = {"kind": _why(case, owner), **_of_token(case)}
    said = _on_ticket(desk, notice, values)
    scopes = tuple(desk.settings.access_tokens.scopes)
    return Composed(token=NewToken(owner.id, sha256, expires, scopes, said))


def _why(case: TokenCase, owner: Contact) -> str:
    if case.by is None and case.state == "expired":
        return "expired"
    if case.by is None:
        # A contact whose address changed had one before, at the old address.
        return "new" if case.last is None else "moved"
    return "confirmed" if case.by.id == owner.id else "approved"


def _refusal(desk: Desk, case: TokenCase, owner: Contact, account: Account) -> Composed:
    """That the manager said no; whoever said no to their own request knows."""
    if case.by is None or case.by.id == owner.id or not is_person(owner.address, desk.settings):
        return Composed()
    return Composed((_letter(desk, "token-refused", owner, account, {}),))


def _verification(desk: Desk, case: TokenCase, owner: Contact, account: Account) -> Composed:
    """Ask the owner: only after their yes does the old token end.

    A click is what a mail scanner does too, so it is enough only where nobody but the owner can
    have written the request (promise L2), and has written it now (promise M15).
    """
    facts, author = desk.outcome.facts, _author(desk.outcome)
    fresh = facts["freshness"] == "fresh" and facts["parsed"] == "clean"
    proved = fresh and facts["sender.proof"] in _VOUCHED
    own = proved and same_address(author, owner.address)
    values = {"kind": case.state, **_of_token(case)}
    return _asking(desk, "token-verify", owner, account, values, "click" if own else "code")


def _approval(desk: Desk, case: TokenCase, owner: Contact, account: Account) -> Composed:
    """Ask the manager. The mail says what was asked in whose name, so a click is not enough."""
    if case.manager is None:
        return Composed()
    values = {
        "kind": case.state,
        "person": quoted(owner.name, 80),
        "address": quoted_address(owner.address),
        "words": quoted(case.request.explanation),
        **_of_token(case),
    }
    return _asking(desk, "token-approval", case.manager, account, values, "code")


def _asking(
    desk: Desk,
    template: str,
    reader: Contact,
    account: Account,
    values: Mapping[str, str],
    step: Step,
) -> Composed:
    if not is_person(reader.address, desk.settings):
        return Composed()
    about: LinkAbout = "manager" if template == "token-approval" else "token"
    link = new_link(
        desk.outcome.item,
        reader,
        step,
        about,
        settings=desk.settings,
        keys=desk.keys,
        now=desk.now,
        random=desk.random,
    )
    expires = {"expires": link.expires_at.isoformat()}
    said = _letter(desk, template, reader, account, {**values, **expires})
    return Composed((replace(said, link_nonce=link.nonce, link_step=step),), link)


def _letter(
    desk: Desk, template: str, reader: Contact, account: Account, values: Mapping[str, str]
) -> Notice:
    said = letters.letter(
        template,
        reader,
        account,
        {},
        settings=desk.settings,
        keys=desk.keys,
        now=desk.now,
        random=desk.random,
    )
    return _on_ticket(desk, said, values)


def _on_ticket(desk: Desk, letter: Notice, values: Mapping[str, str]) -> Notice:
    """A letter as part of the correspondence (B9): from this desk, on this ticket."""
    outcome, ticket = desk.outcome, desk.ticket
    number = ticket.number if ticket else None
    own = outcome.item.channel == "email" and same_address(_author(outcome), letter.to)
    return replace(
        letter,
        desk=outcome.item.desk,
        queue_id=outcome.item.queue_id,
        ticket=number,
        message_id=_message_id(desk, number, letter.contact_id, letter.id),
        values={
            **letter.values,
            "sender": quoted_address(_author(outcome)),
            "channel": outcome.item.channel,
            "received": outcome.item.envelope.received_at.isoformat(),
            **values,
            **_of_ticket(ticket),
        },
        # Of somebody else's mail the reader has no copy, and need not see its id.
        in_reply_to=answerable(outcome.message.head.message_id) if own else None,
    )


def _of_token(case: TokenCase) -> dict[str, str]:
    """When the last token was issued, and until when it was, or is, good."""
    if case.last is None:
        return {}
    return {"issued": case.last.issued_at.isoformat(), "ended": case.last.expires_at.isoformat()}


def _of_ticket(ticket: Ticket | None) -> dict[str, str]:
    return {"epoch": str(ticket.epoch), "ticket_desk": ticket.desk} if ticket else {}


def _author(outcome: Outcome) -> str:
    item = outcome.item
    return (outcome.message.head.author if item.channel == "email" else item.entered_by) or ""


def _message_id(desk: Desk, ticket: int | None, contact: int | None, unique: str) -> str:
    return message_id.make(desk.keys, ticket, contact, unique, desk.settings.outbound.hostname)
