"""Which mail answers a decision: to whom, in which words, with which link. Nothing is sent here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from mailgate import clock
from mailgate.clock import Random
from mailgate.model.directory import Contact, Language
from mailgate.model.notice import Notice
from mailgate.model.outcome import Composed, Outcome
from mailgate.model.ticket import Link, Step, Ticket
from mailgate.outbound import ASKING
from mailgate.outbound.quote import answerable, quoted, quoted_address
from mailgate.outbound.readers import is_person, new_link
from mailgate.outbound.token_answers import Desk, acknowledgement, token_answer
from mailgate.settings import Settings
from mailgate.tokens import message_id
from mailgate.tokens.keys import Keys

OwnWords = Mapping[str, Mapping[Language, str]]
_NONE: OwnWords = MappingProxyType({})

#: Proofs that the domain itself vouches for: there a click is enough (promise L2).
_VOUCHED = frozenset({"aligned", "dmarc"})


def compose(
    outcome: Outcome,
    ticket: Ticket | None,
    *,
    settings: Settings,
    keys: Keys,
    now: datetime,
    random: Random,
    own_words: OwnWords = _NONE,
) -> Composed:
    """The mails that this decision asks for, or none. `own_words` are the texts of the
    administrator's own reason codes.

    Whether the readers' budgets allow them is for the outbox.
    """
    if outcome.facts["automatic"] != "no":
        return Composed()
    desk = Desk(outcome, ticket, settings, keys, now, random)
    answer = token_answer(desk) if outcome.decision.token is not None else _answer(desk, own_words)
    return replace(answer, notices=(*acknowledgement(desk), *answer.notices))


def _answer(desk: Desk, own_words: OwnWords) -> Composed:
    """The notice that the rules name.

    It goes to the address in the directory alone, whatever From and Reply-To say (promise L8), and
    never answers a machine (RFC 3834 §2).
    """
    outcome, ticket, settings, keys = desk.outcome, desk.ticket, desk.settings, desk.keys
    template = _template(outcome)
    contact = outcome.case.contact
    if template is None or contact is None or not is_person(contact.address, settings):
        return Composed()
    link = None
    if template in ASKING:
        if outcome.case.links_muted:
            return Composed()
        link = _link(desk, contact)
    named = ticket if ticket is not None and _may_know(outcome, contact) else None
    unique = clock.queue_id(desk.now, desk.random)
    number = named.number if named else None
    host = settings.outbound.hostname
    notice = Notice(
        id=unique,
        template=template,
        language=outcome.case.language,
        desk=outcome.item.desk,
        to=contact.address,
        to_name=quoted(contact.name, 80),
        contact_id=contact.id,
        queue_id=outcome.item.queue_id,
        ticket=number,
        message_id=message_id.make(keys, number, contact.id, unique, host),
        date=desk.now.replace(microsecond=0),
        values=_values(outcome, named, link, own_words),
        in_reply_to=_answered(outcome),
        link_nonce=link.nonce if link else None,
        link_step=link.step if link else None,
    )
    return Composed((notice,), link)


def _template(outcome: Outcome) -> str | None:
    wanted = outcome.decision.notice
    if wanted == "authorization-link" and outcome.item.revision > 0:
        # Judged again and still not confirmed: an earlier link expired or was asked for anew.
        return "link-expired"
    return wanted


def _may_know(outcome: Outcome, contact: Contact) -> bool:
    """Whether this contact may be given the ticket's code.

    It is his own ticket, or he has the code already, or the account or the service is his.
    Somebody who merely answered a forwarded mail must not get it from us.
    """
    facts = outcome.facts
    return (
        outcome.case.ticket is None
        or contact.role == "main"
        or facts["sender.share"] == "yes"
        or (facts["code"] == "valid" and facts["code.holder"] == "self")
    )


def _link(desk: Desk, contact: Contact) -> Link | None:
    """A link to confirm the message; None where only the panel will do."""
    step = _step(desk.outcome)
    if step is None:
        return None
    return new_link(
        desk.outcome.item,
        contact,
        step,
        "message",
        settings=desk.settings,
        keys=desk.keys,
        now=desk.now,
        random=desk.random,
    )


def _step(outcome: Outcome) -> Step | None:
    """What the person has to do. A click is what a mail scanner does too, so it is enough only
    where nobody but the owner of the mailbox can have sent the message (promise L2).
    """
    wanted = outcome.decision.confirm or "adaptive"
    if wanted == "panel":
        return None
    if wanted == "adaptive":
        return "click" if outcome.facts["sender.proof"] in _VOUCHED else "code"
    return wanted


def _values(
    outcome: Outcome, named: Ticket | None, link: Link | None, own_words: OwnWords
) -> dict[str, str]:
    """What the templates may show; all of it may lie in the database in clear."""
    item, head = outcome.item, outcome.message.head
    author = head.author or (head.from_[0].address if head.from_ else "")
    values = {
        "subject": quoted(head.subject),
        "sender": quoted_address(item.entered_by if item.channel != "email" else author),
        "channel": item.channel,
        "received": item.envelope.received_at.isoformat(),
        "verdict": outcome.decision.verdict,
        "reasons": " ".join(outcome.decision.reasons),
    }
    for code in outcome.decision.reasons:
        if code in own_words:
            values[f"reason.{code}"] = own_words[code][outcome.case.language]
    if named is not None:
        values["epoch"] = str(named.epoch)
        values["ticket_desk"] = named.desk
    if link is not None:
        values["expires"] = link.expires_at.isoformat()
    return values


def _answered(outcome: Outcome) -> str | None:
    """The Message-ID we answer (RFC 3834 §3.1.5), if it is one: it goes into a header field."""
    if outcome.item.channel != "email":
        return None
    return answerable(outcome.message.head.message_id)
