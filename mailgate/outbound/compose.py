"""Which mail answers a decision: to whom, in which words, with which link. Nothing is sent here."""

from __future__ import annotations

import re
from collections.abc import Mapping
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
from mailgate.settings import Settings
from mailgate.tokens import link as link_tokens
from mailgate.tokens import message_id
from mailgate.tokens.keys import Keys

OwnWords = Mapping[str, Mapping[Language, str]]
_NONE: OwnWords = MappingProxyType({})

#: Proofs that the domain itself vouches for: there a click is enough (promise L2).
_VOUCHED = frozenset({"aligned", "dmarc"})
#: Behind these names sits no person, and often a program that answers (RFC 3834 §2).
_MACHINES = re.compile(
    r"(mailer-?daemon|postmaster|no-?reply|do-?not-?reply|nobody|bounces?)([+.\-].*)?",
    re.IGNORECASE,
)


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
    """The mail that this decision asks for, or none. `own_words` are the texts of the
    administrator's own reason codes.

    It goes to the address in the directory alone, whatever From and Reply-To say (promise L8), and
    never answers a machine (RFC 3834 §2). Whether the sender's budget allows it is for the outbox.
    """
    template = _template(outcome)
    contact = outcome.case.contact
    if template is None or contact is None or not _may_write(outcome, contact, settings):
        return Composed()
    link = None
    if template in ASKING:
        if outcome.case.links_muted:
            return Composed()
        link = _link(outcome, contact, settings, keys, now, random)
    named = ticket if ticket is not None and _may_know(outcome, contact) else None
    unique = clock.queue_id(now, random)
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
        date=now.replace(microsecond=0),
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


def _may_write(outcome: Outcome, contact: Contact, settings: Settings) -> bool:
    """Never to a machine, and never to ourselves: two desks would talk for ever."""
    local, _, domain = contact.address.rpartition("@")
    bounces = settings.outbound.bounces
    own = settings.desk_of(contact.address) or (bounces and _is_form_of(contact.address, bounces))
    return (
        outcome.facts["automatic"] == "no"
        and not own
        and bool(local and domain)
        and _MACHINES.fullmatch(local) is None
    )


def _is_form_of(address: str, bounces: str) -> bool:
    """Whether it is the address for delivery reports, or one of its signed forms."""
    local, _, domain = address.lower().rpartition("@")
    ours, _, our_domain = bounces.lower().rpartition("@")
    return domain == our_domain and (local == ours or local.startswith(f"{ours}+"))


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


def _link(
    outcome: Outcome,
    contact: Contact,
    settings: Settings,
    keys: Keys,
    now: datetime,
    random: Random,
) -> Link | None:
    """A link bound to this very content and this contact (promise L6); None where only the panel
    will do."""
    step = _step(outcome)
    if step is None:
        return None
    nonce = link_tokens.new_nonce(random)
    return Link(
        token_sha256=link_tokens.sha256(link_tokens.token(keys, nonce)),
        nonce=nonce,
        queue_id=outcome.item.queue_id,
        content_sha256=outcome.item.sha256,
        contact_id=contact.id,
        address=contact.address,
        step=step,
        state="open",
        tries=0,
        created_at=now,
        expires_at=now + settings.links.life,
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
