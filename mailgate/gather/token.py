"""What is asked of the token desk, and how the token of the named contact stands (B4 to B6)."""

from __future__ import annotations

import re
import unicodedata

from mailgate.gather.question import Found, Question
from mailgate.message.phrases import table
from mailgate.message.token_request import merge, read_request
from mailgate.model.addresses import same_address
from mailgate.model.directory import Contact
from mailgate.model.people import AccessToken
from mailgate.model.ticket import Ticket
from mailgate.model.token_request import TokenCase, TokenHistory, TokenRequest, TokenState

_WORD = re.compile(r"[^\W_]+")


def token(found: Found, q: Question, ticket: Ticket | None) -> TokenCase | None:
    """Set `token.request` and `token.state`; None where nothing is asked of the token desk.

    What its author is told follows from `token.request`, and whether a text is complete follows
    from the text alone. The directory is asked only after that, for what the registered address
    is told (B10).
    """
    desk = q.settings.desks.get(q.item.desk)
    if desk is None or desk.purpose != "tokens" or found["automatic"] != "no":
        found.set("token.request", "none", "nobody asks a desk for access tokens")
        found.set("token.state", "unknown", "nobody's token is asked for")
        return None
    history = TokenHistory()
    if ticket is not None:
        history = q.lookup.token_history(ticket.number, q.item.queue_id, q.sender or "")
    request = _request(q, history)
    if request.missing and not history.settled:
        kind = "unclear" if history.asked else "incomplete"
        found.set("token.request", kind, f"no text says: {', '.join(request.missing)}")
        found.set("token.state", "unknown", "nobody is looked for before the request is complete")
        return TokenCase(request, "unknown")
    case = _whose(found, q, request)
    found.set("token.request", *_stands(q, case, history))
    return case


def _request(q: Question, history: TokenHistory) -> TokenRequest:
    """What the author has said so far; what a reply quotes is not said by its author."""
    own = {a for desk in q.settings.desks.values() for a in desk.addresses}
    own |= {q.settings.outbound.bounces or ""} - {""}
    texts = (*history.texts, q.message.reply_text or q.message.text)
    first, *rest = (read_request(text, q.sender, frozenset(own)) for text in texts)
    for later in rest:
        first = merge(first, later, q.sender)
    return first


def _stands(q: Question, case: TokenCase, history: TokenHistory) -> tuple[str, str]:
    """How far a complete request has come, and why."""
    if q.lookup.token_issued(q.item.queue_id):
        return "answered", "this message has had its token"
    if case.answer is not None and case.by is not None:
        answer = "confirmed" if case.answer == "confirmed" else "refused"
        return answer, f"{case.by.address} answered the link: {case.answer}"
    if history.settled:
        return "answered", "an earlier message of the ticket asked for everything"
    return "complete", "the text names company or account, address and reason"


# --- whose token ----------------------------------------------------------------------------------


def _whose(found: Found, q: Question, request: TokenRequest) -> TokenCase:
    """The one contact that the request names, with the token and the manager; sets the state."""
    fits = _narrowed(q, request, q.lookup.contacts(request.address))
    if len(fits) != 1:
        why = "more than one contact fits" if fits else "no contact fits the request"
        return _nobody(found, request, why)
    contact = fits[0]
    if not contact.signs_in:
        return _nobody(found, request, f"{contact.address} may not sign in")
    if q.lookup.restricted(contact.address):
        return _nobody(found, request, f"the data of {contact.address} is stored only")
    last = q.lookup.access_token(contact.id)
    state, why = _state(q, contact, last)
    found.set("token.state", state, f"{contact.address}: {why}")
    manager = q.lookup.main_contact(contact.account_id)
    if manager is not None and q.lookup.restricted(manager.address):
        manager = None
    decided = q.lookup.confirmation(q.item.queue_id, q.item.sha256)
    # Nobody gives back to themselves what was revoked; that they do not want it they may say.
    foreign = state in ("revoked", "bounced") and contact.role != "main"
    heard = (manager,) if foreign and decided and decided[0] == "confirmed" else (contact, manager)
    asked = [c for c in heard if c and decided and c.id == decided[1]]
    return TokenCase(
        request,
        state,
        contact=contact,
        account=q.lookup.account(contact.account_id),
        manager=manager,
        last=last,
        answer=decided[0] if decided and asked else None,
        by=asked[0] if asked else None,
    )


def _nobody(found: Found, request: TokenRequest, why: str) -> TokenCase:
    found.set("token.state", "unknown", why)
    return TokenCase(request, "unknown")


def _narrowed(q: Question, request: TokenRequest, contacts: list[Contact]) -> list[Contact]:
    """Those of the account that is named, by its id or else by its company."""
    account = request.account.casefold()
    if account and (found := [c for c in contacts if c.account_id.casefold() == account]):
        return found
    company = company_words(request.company)
    return [c for c in contacts if company and company == _company(q, c)]


def _company(q: Question, contact: Contact) -> tuple[str, ...]:
    account = q.lookup.account(contact.account_id)
    return company_words(account.company) if account else ()


def company_words(name: str) -> tuple[str, ...]:
    """What tells one company from another: its words without case, accents and legal form."""
    words = _words(name)
    for form in sorted(map(_words, table("token_request")["company form"]), key=len, reverse=True):
        if form and len(words) > len(form) and words[-len(form) :] == form:
            return words[: -len(form)]
    return words


def _words(text: str) -> tuple[str, ...]:
    plain = unicodedata.normalize("NFKD", text.casefold().replace("ł", "l"))
    return tuple(_WORD.findall("".join(c for c in plain if not unicodedata.combining(c))))


def _state(q: Question, contact: Contact, last: AccessToken | None) -> tuple[TokenState, str]:
    """How the contact's newest token stood when the message came in (B6)."""
    if last is None:
        return "never", "no token was ever issued"
    if not same_address(last.address, contact.address):
        return "never", f"the last token went to {last.address}, before the address changed"
    if q.lookup.token_bounced(contact.id):
        return "bounced", "the mail with the last token came back"
    if last.revoked_at is not None and last.revoked_why != "replaced":
        return "revoked", f"revoked: {last.revoked_why}"
    if last.expires_at <= q.item.envelope.received_at:
        return "expired", f"expired at {last.expires_at:%Y-%m-%d %H:%M} UTC"
    if last.verified_at is None:
        return "unverified", f"issued at {last.issued_at:%Y-%m-%d %H:%M} UTC and never used"
    return "valid", f"valid until {last.expires_at:%Y-%m-%d %H:%M} UTC"
