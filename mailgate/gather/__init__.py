"""Gathering: every look-up a decision needs happens here, and each fact names its source."""

from __future__ import annotations

from datetime import datetime, timedelta

from mailgate.gather import people, ticket
from mailgate.gather.question import Found, Question, Verify
from mailgate.gather.token import token
from mailgate.message import signatures
from mailgate.model.directory import Contact
from mailgate.model.facts import Facts
from mailgate.model.item import Item
from mailgate.model.message import Message
from mailgate.model.outcome import Case
from mailgate.model.ports import Lookup
from mailgate.settings import Settings
from mailgate.tokens import message_id, verp
from mailgate.tokens.keys import Keys

#: A Date further than this from the moment of receipt is doubtful (promise M15).
FRESH = timedelta(hours=48)


def gather(
    item: Item,
    message: Message,
    lookup: Lookup,
    settings: Settings,
    keys: Keys,
    verify: Verify | None = None,
) -> tuple[Facts, Case]:
    """Find every fact about one message, and the rows the facts speak of. Reads only.

    The order matters: the ticket narrows the account, the account gives the contact, the contact
    and the service give the share, and all of them say what a person in CC is.
    """
    q = Question(item, message, lookup, settings, keys, verify)
    found = Found()
    found.set("channel", item.channel, "the door the message came in by")
    found.set("desk", item.desk, "the recipient's address")
    found.set("parsed", message.parsed, "; ".join(message.defects[:5]) or "read without a defect")
    named = ticket.named_ticket(found, q)
    earlier = ticket.earlier_ticket(q)
    who = people.sender(found, q, named.ticket or earlier)
    about = people.share(found, q, named.ticket, who)
    people.proof(found, q, who.contact)
    people.cc(found, q, who.account_id, about)
    ticket.code_holder(found, q, named.ticket, who.contact)
    bounced = _automatic(found, q)
    signed = signatures.digests(message.head)
    _freshness(found, q, signed)
    _staff(found, q)
    _restricted(found, q, who.contact)
    kept = named.ticket or earlier or ticket.ticket_of_notice(q, bounced)
    asked = token(found, q, kept)
    case = Case(
        contact=who.contact,
        account_id=who.account_id,
        service_id=next(iter(about)) if len(about) == 1 else None,
        ticket=kept,
        language=people.language(q, who.contact, kept),
        claimed_ticket=named.claimed,
        links_muted=ticket.links_muted(q, kept, who.contact),
        bounced_notice=bounced if message.bounce else None,
        bounced_status=_bounce_status(message),
        signatures=signed,
        token=asked,
    )
    return _facts(found, q), case


def _facts(found: Found, q: Question) -> Facts:
    return Facts(
        values=found.values,
        subject=q.message.head.subject,
        text=q.message.text,
        headers=tuple((f.name, f.body) for f in q.message.head.fields),
        recipients=q.item.envelope.recipients,
        attachments=tuple(a.filename for a in q.message.attachments),
        size=q.message.size,
        sources=found.sources,
    )


def _automatic(found: Found, q: Question) -> str | None:
    """Set `automatic`; give the id of our own mail where this is its delivery report (A7)."""
    notice = _bounced_notice(q)
    head = q.message.head
    if notice:
        # An absence that answers our mail comes back to this address too; it did arrive.
        kind = "bounce" if q.message.bounce else "auto-reply"
        found.set("automatic", kind, "sent to the return address of a mail of ours")
    elif q.by_mail and head.author and q.settings.desk_of(head.author):
        found.set("automatic", "loop", "From is a desk of ours")
    elif (
        q.by_mail
        and head.message_id
        and message_id.mine(head.message_id, q.settings.outbound.hostname)
    ):
        found.set("automatic", "loop", "the Message-ID is one of ours")
    elif q.by_mail and q.message.automatic == "no" and not q.item.envelope.reverse_path:
        # Nobody may answer a null reverse-path (RFC 5321 §4.5.5, RFC 3834 §2).
        found.set("automatic", "auto-reply", "the reverse-path is null")
    else:
        why = q.message.automatic_reason or "nothing says that a machine wrote it"
        found.set("automatic", q.message.automatic, why)
    return notice


def _bounced_notice(q: Question) -> str | None:
    address = q.settings.outbound.bounces
    if address is None:
        return None
    ids = (verp.read(q.keys, address, recipient) for recipient in q.item.envelope.recipients)
    return next((notice for notice in ids if notice), None)


def _freshness(found: Found, q: Question, signed: tuple[str, ...]) -> None:
    """Set `freshness`: an old mail sent again must not be authorized again by itself (M15)."""
    head, received = q.message.head, q.item.envelope.received_at
    if not q.by_mail:
        found.set("freshness", "fresh", "entered on a page")
    elif head.message_id and q.lookup.authorized_before(head.message_id, q.item.queue_id):
        found.set("freshness", "replayed", "a message with this Message-ID was authorized before")
    elif signed and q.lookup.signatures_seen(signed, q.item.queue_id):
        found.set("freshness", "replayed", "a message with this DKIM signature was authorized")
    elif head.date is None or abs(_aware(head.date, received) - received) > FRESH:
        found.set("freshness", "stale", "Date is missing, or over 48 h from the receipt")
    else:
        found.set("freshness", "fresh", "Date is within 48 h of the receipt")


def _staff(found: Found, q: Question) -> None:
    """Set `staff`: what somebody of ours says of this very message, with the reason on record."""
    said = q.lookup.staff_says(q.item.queue_id)
    if said is None or said[0] == "none":
        found.set("staff", "none", "staff say nothing of this message")
    else:
        found.set("staff", said[0], f"{said[1]} {said[0]}")


def _restricted(found: Found, q: Question, contact: Contact | None) -> None:
    """Set `restricted`: of somebody whose data is only stored nothing is decided (GDPR Art. 18)."""
    addresses = {a for a in (q.sender, contact.address if contact else None) if a}
    named = sorted(a for a in addresses if q.lookup.restricted(a))
    if named:
        found.set("restricted", "yes", f"the data of {', '.join(named)} is stored only")
    else:
        found.set("restricted", "no", "nothing restricts the processing")


def _aware(date: datetime, like: datetime) -> datetime:
    return date if date.tzinfo else date.replace(tzinfo=like.tzinfo)


def _bounce_status(message: Message) -> str:
    recipients = message.bounce.recipients if message.bounce else ()
    return next((r.status for r in recipients if r.status), "")
