"""Which ticket a message belongs to, and whether its code was meant for the one who uses it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from mailgate.gather.question import Found, Question
from mailgate.model.directory import Contact
from mailgate.model.ticket import Ticket
from mailgate.tokens import message_id
from mailgate.tokens import ticket as token

#: So many wrong codes within the window switch code linking off (promise L10).
GUESS_WINDOW = timedelta(hours=24)
GUESSES_PER_TICKET = 10
GUESSES_PER_SENDER = 100
#: After "I did not send this" no link goes to that contact for that ticket (promise L14).
MUTED = timedelta(days=7)


@dataclass(frozen=True)
class Named:
    """The ticket a message names, if naming it holds; else the number it claimed."""

    ticket: Ticket | None = None
    claimed: int | None = None


def named_ticket(found: Found, q: Question) -> Named:
    """Set `code`, `ticket` and `ticket.standing`.

    Exactly one distinct token of ours links; a token in the text never does (promise M12).
    """
    judged = token.judge(
        token.find(q.message.head.subject),
        tags={tag: name for name in _alike(q) for tag in q.settings.desks[name].tags},
        ticket=q.lookup.ticket,
        keys=q.keys,
    )
    kind, why = judged.kind, judged.why
    if kind == "valid" and _guessing(q, judged.number):
        # After too many wrong codes the right one says nothing: it may be the lucky guess (L10).
        kind, why = "wrong", "too many wrong codes came in before it"
    named = Named(claimed=judged.number)
    if kind == "valid" and judged.number is not None:
        named = Named(ticket=q.lookup.ticket(judged.number))
    elif kind == "absent":
        named = Named(ticket=_by_reference(q), claimed=judged.number)
        if named.ticket is None and named.claimed is not None:
            # It claims to be a reply, and nothing shows to what: not a new request either (A2).
            kind = "wrong"
    found.set("code", kind, f"the subject: {why}")
    _describe(found, named.ticket)
    return named


def _describe(found: Found, ticket: Ticket | None) -> None:
    if ticket is None:
        found.set("ticket", "none", "no ticket is named")
        found.set("ticket.standing", "none", "no ticket is named")
        return
    found.set("ticket", ticket.state, f"ticket {ticket.number}, by its token or our Message-ID")
    found.set("ticket.standing", ticket.standing, f"ticket {ticket.number}")


def _by_reference(q: Question) -> Ticket | None:
    """The ticket named by a Message-ID of ours that this mail answers.

    Message-IDs travel to whoever gets a copy, so one counts only from a contact of the ticket's
    account (promise M3); it identifies, and never replaces the code (A2).
    """
    contacts = q.lookup.contacts(q.sender) if q.sender else []
    head = q.message.head
    for reference in (*head.in_reply_to, *reversed(head.references)):
        ours = message_id.read(q.keys, reference)
        ticket = q.lookup.ticket(ours[0]) if ours else None
        if ticket is None or ticket.desk not in _alike(q):
            continue
        if any(c.account_id == ticket.account_id for c in contacts):
            return ticket
    return None


def _alike(q: Question) -> frozenset[str]:
    """Desks whose tickets may be named here: those of the same purpose.

    Whoever writes to the token desk is given a ticket and its code, stranger or not (B10); at a
    desk that authorizes it says nothing, and the other way round.
    """
    desks = q.settings.desks
    here = desks[q.item.desk].purpose if q.item.desk in desks else "support"
    return frozenset(name for name, desk in desks.items() if desk.purpose == here)


def _guessing(q: Question, number: int | None) -> bool:
    since = q.item.envelope.received_at - GUESS_WINDOW
    of_ticket, of_sender = q.lookup.wrong_codes(number or 0, q.sender or "", since)
    return of_ticket >= GUESSES_PER_TICKET or of_sender >= GUESSES_PER_SENDER


def code_holder(found: Found, q: Question, ticket: Ticket | None, contact: Contact | None) -> None:
    """Set `code.holder`: a code leaks to whoever is in CC, so it matters to whom we gave it."""
    if ticket is None or found["code"] != "valid":
        found.set("code.holder", "other", "no valid code")
    elif contact and q.lookup.told(ticket.number, contact.id):
        found.set("code.holder", "self", f"the code was sent to {contact.address}")
    elif q.sender and q.lookup.named_in_accepted(ticket.number, q.sender):
        found.set("code.holder", "forwarded", f"{q.sender} was in CC of an authorized message")
    else:
        found.set("code.holder", "other", f"the code was never sent to {q.sender or 'nobody'}")


def earlier_ticket(q: Question) -> Ticket | None:
    """The ticket this very message was put on at an earlier decision; it is no reply to it."""
    number = q.lookup.ticket_of(q.item.queue_id)
    return q.lookup.ticket(number) if number is not None else None


def ticket_of_notice(q: Question, notice_id: str | None) -> Ticket | None:
    """The ticket that a mail of ours was about, for its delivery report."""
    row = q.lookup.outbox_row(notice_id) if notice_id else None
    return q.lookup.ticket(row.notice.ticket) if row and row.notice.ticket else None


def links_muted(q: Question, ticket: Ticket | None, contact: Contact | None) -> bool:
    if ticket is None or contact is None:
        return False
    since = q.item.envelope.received_at - MUTED
    return q.lookup.denied_since(ticket.number, contact.id, since)
