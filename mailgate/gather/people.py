"""Who the sender is, for which account and service, how well we know it, and who else reads."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailgate.gather.naming import named_services, wording
from mailgate.gather.question import Found, Question
from mailgate.message.authenticity import Authentication, authenticate
from mailgate.model.addresses import normalise, same_address
from mailgate.model.directory import Contact, Language
from mailgate.model.ticket import Ticket

#: What may stand in an address list and is no recipient (RFC 5322 §3.2.2, §3.2.4).
_ASIDE = re.compile(r'"(?:[^"\\]|\\.)*"|\([^()]*\)')
_BETWEEN = re.compile(r"[\s<>,;:\"()]+")
#: From harmless to worst.
_CC_RANKS = ("none", "shared", "unshared", "stranger")


@dataclass(frozen=True)
class Sender:
    """The contact a message is from, and the account it is about."""

    contact: Contact | None
    account_id: str | None


def sender(found: Found, q: Question, ticket: Ticket | None) -> Sender:
    """Set `sender.account` and `sender.role`; `ticket` is the one it names or lies on already.

    One address may belong to several accounts: the ticket decides, then a service that is named,
    else the fact says that it is ambiguous.
    """
    if q.item.channel == "console":
        return _on_behalf(found, q, ticket)
    if q.sender is None:
        return _nobody(found, ticket, "the message has no single author")
    contacts = q.lookup.contacts(q.sender)
    if q.item.account_id:
        contacts = [c for c in contacts if c.account_id == q.item.account_id]
    if not contacts:
        return _nobody(found, ticket, f"{q.sender} is no contact of an account")
    if ticket and ticket.account_id:
        contacts = [c for c in contacts if c.account_id == ticket.account_id]
        if not contacts:
            return _foreign(found, ticket, q.sender)
    elif len(contacts) > 1:
        text = wording(q.item.content, q.message)
        naming = [c for c in contacts if named_services(text, q.lookup.services(c.account_id))]
        contacts = naming or contacts
    if len(contacts) > 1:
        found.set("sender.account", "ambiguous", f"{q.sender} is a contact of several accounts")
        found.set("sender.role", "none", "which account it is about is not known")
        return Sender(None, None)
    return _known(found, contacts[0])


def _known(found: Found, contact: Contact) -> Sender:
    where = f"contact {contact.address} of account {contact.account_id}"
    found.set("sender.account", "known", where)
    found.set("sender.role", contact.role, where)
    return Sender(contact, contact.account_id)


def _nobody(found: Found, ticket: Ticket | None, why: str) -> Sender:
    found.set("sender.account", "none", why)
    found.set("sender.role", "none", why)
    return Sender(None, ticket.account_id if ticket else None)


def _foreign(found: Found, ticket: Ticket, who: str) -> Sender:
    found.set("ticket", "foreign", f"ticket {ticket.number} is of another account")
    return _nobody(found, ticket, f"{who} is no contact of the ticket's account")


def _on_behalf(found: Found, q: Question, ticket: Ticket | None) -> Sender:
    """Staff write in the name of the account's main contact, who alone can confirm it (A9)."""
    main = q.lookup.main_contact(q.item.account_id) if q.item.account_id else None
    if main is None:
        return _nobody(found, None, "entered by staff for no account with a main contact")
    if ticket and ticket.account_id not in (None, main.account_id):
        return _foreign(found, ticket, "the main contact of the account it was entered for")
    return _known(found, main)


# --- the service and its share ------------------------------------------------------------------


def share(found: Found, q: Question, ticket: Ticket | None, who: Sender) -> frozenset[int]:
    """Set `sender.share`; give the ids of the services that the message is about."""
    services = q.lookup.services(who.account_id) if who.account_id else []
    named = named_services(wording(q.item.content, q.message), services) if services else []
    about = {s.id for s in named}
    if ticket and ticket.service_id is not None:
        about.add(ticket.service_id)
    contact = who.contact
    if contact is None or contact.role == "main":
        found.set("sender.share", "not-applicable", "asked only of technical and additional ones")
        return frozenset(about)
    shared = q.lookup.shared_services(contact.id)
    if not about and len(shared) == 1 and ticket is None:
        # Nothing is named and one service is shared: the request is taken to be for that one, and
        # the ticket says so; staff act on nothing else. A ticket that is there already does not
        # say so: it may be about the account itself.
        about = set(shared)
    names = ", ".join(sorted(s.identifier for s in services if s.id in about)) or "no service named"
    if about and about <= shared:
        found.set("sender.share", "yes", f"{names}: shared with {contact.address}")
    else:
        found.set("sender.share", "no", f"{names}: not shared with {contact.address}")
    return frozenset(about)


# --- how well we know the sender ------------------------------------------------------------------


def proof(found: Found, q: Question, contact: Contact | None) -> None:
    """Set `sender.proof`, the best of what the person said, the session and the mail show."""
    decided = q.lookup.confirmation(q.item.queue_id, q.item.sha256)
    if decided and contact and decided[1] == contact.id:
        value = "confirmed" if decided[0] == "confirmed" else "denied"
        found.set("sender.proof", value, f"{contact.address} answered the link: {decided[0]}")
    elif q.item.channel == "panel":
        found.set("sender.proof", "panel", "signed in to the panel")
    elif q.by_mail and q.message.head.author:
        checked = _authenticated(q)
        found.set("sender.proof", checked.proof, checked.why)
    else:
        found.set("sender.proof", "none", "nothing shows who wrote this")


def _authenticated(q: Question) -> Authentication:
    """What we verified, or else what our own servers wrote; the two are never mixed."""
    trusted = q.settings.authentication
    if q.verify is not None:
        return q.verify(q.item.content, q.item.envelope)
    return authenticate(q.message.head, trusted.authserv_ids, trusted.hosts, trusted.arc_sealers)


# --- the others in To and Cc ----------------------------------------------------------------------


def readers(q: Question) -> tuple[str, ...]:
    """Everyone in To and Cc who is neither one of our desks nor the sender.

    Also whoever a lenient program would see there: of `<one@example> <other@example>` an address
    parser keeps one, and the MTA that made the envelope may have kept both.
    """
    head = q.message.head
    named = {normalise(m.address) for m in (*head.to, *head.cc) if m.address}
    for body in (*head.all("To"), *head.all("Cc")):
        text = body.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        words = _BETWEEN.split(_ASIDE.sub(" ", text))
        named |= {normalise(word) for word in words if "@" in word.strip("@")}
    return tuple(
        sorted(
            address
            for address in named
            if q.settings.desk_of(address) is None
            and not (q.sender and same_address(address, q.sender))
        )
    )


def cc(found: Found, q: Question, account_id: str | None, about: frozenset[int]) -> None:
    """Set `cc` to the worst of all other persons in To and Cc (A10).

    Where the message names no service, a reader must have a share of every one: the doubt counts
    against.
    """
    if not about and account_id:
        about = frozenset(s.id for s in q.lookup.services(account_id))
    worst, who = "none", "nobody else in To or Cc"
    for address in readers(q):
        rank = _cc_rank(address, q, account_id, about)
        if _CC_RANKS.index(rank) > _CC_RANKS.index(worst):
            worst, who = rank, address
    found.set("cc", worst, who)


def _cc_rank(address: str, q: Question, account_id: str | None, about: frozenset[int]) -> str:
    contact = next((c for c in q.lookup.contacts(address) if c.account_id == account_id), None)
    if contact is None:
        return "stranger"
    if contact.role == "main":
        return "shared"
    return "shared" if about and about <= q.lookup.shared_services(contact.id) else "unshared"


def language(q: Question, contact: Contact | None, ticket: Ticket | None) -> Language:
    """The contact's language, else the account's, else the ticket's, else the desk's (A13)."""
    if contact and contact.language:
        return contact.language
    account = q.lookup.account(contact.account_id) if contact else None
    if account:
        return account.language
    if ticket:
        return ticket.language
    desk = q.settings.desks.get(q.item.desk)
    return desk.language if desk else "pl"
