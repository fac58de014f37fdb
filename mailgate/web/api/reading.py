"""What the API shows: tickets, messages, why they stand as they do, and who may ask for what."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from mailgate.model.views import (
    ConsoleTicket,
    InboxFilter,
    InboxMessage,
    MessageView,
    TicketFilter,
)
from mailgate.tokens import ticket as ticket_tokens
from mailgate.web.api import shapes
from mailgate.web.api.access import Api, House, Reads
from mailgate.web.api.problems import Wrong, documented

router = APIRouter(tags=["reading"])

TicketNumber = Annotated[int, Path(ge=1, lt=1 << 53, description="The number in the token.")]
QueueId = Annotated[str, Path(pattern="^[0-9A-HJKMNP-TV-Z]{18}$", description="As in the 250.")]
AccountId = Annotated[str, Path(min_length=1, max_length=200)]


@router.get("/me", responses=documented())
def me(caller: Reads) -> shapes.Me:
    """Whose token this is, and what it is for."""
    staff, token = caller.staff, caller.token
    return shapes.Me.model_validate(
        {
            "login": staff.login,
            "name": staff.name,
            "role": staff.role,
            "scopes": token.scopes,
            "expires_at": token.expires_at,
        }
    )


@router.get("/tickets", responses=documented())
def tickets(
    _caller: Reads, api: House, wanted: Annotated[shapes.WantedTickets, Query()]
) -> shapes.List[shapes.TicketRow]:
    """Tickets, the last changed first; `text` is searched for in their messages."""
    asked = TicketFilter(
        state=wanted.state,
        standing=wanted.standing,
        account_id=wanted.account,
        service_id=wanted.service,
        desk=wanted.desk,
        text=wanted.text,
    )
    page = api.store.inbox.tickets(asked, after=wanted.after, limit=wanted.limit)
    return shapes.List[shapes.TicketRow].model_validate(page)


@router.get("/tickets/{number}", responses=documented(404))
def ticket(_caller: Reads, api: House, number: TicketNumber) -> shapes.TicketDetail:
    """One ticket with its messages, oldest first, and the mails that went out for it."""
    found = find_ticket(api, number)
    return shapes.TicketDetail.model_validate(
        {
            "row": found.row,
            "token": _token(api, found),
            "messages": found.view.messages,
            "mails": [
                {
                    "template": row.notice.template,
                    "to": row.notice.envelope_to or row.notice.to,
                    "language": row.notice.language,
                    "state": row.state,
                    "message_id": row.notice.message_id,
                    "date": row.notice.date,
                    "sent_at": row.sent_at,
                }
                for row in found.view.notices
            ],
            "readers": [
                {
                    "id": reader.contact.id,
                    "address": reader.contact.address,
                    "name": reader.contact.name,
                    "opener": reader.opener,
                    "shared": reader.shared,
                }
                for reader in found.readers
            ],
        }
    )


@router.get("/messages", responses=documented())
def messages(
    _caller: Reads, api: House, wanted: Annotated[shapes.WantedMessages, Query()]
) -> shapes.List[shapes.MessageRow]:
    """Messages with their verdicts, newest first; `text` is searched for word by word."""
    asked = InboxFilter(
        verdict=wanted.verdict,
        account_id=wanted.account,
        service_id=wanted.service,
        ticket=wanted.ticket,
        desk=wanted.desk,
        automatic=wanted.automatic,
        state=wanted.state,
        label=wanted.label,
        text=wanted.text,
    )
    page = api.store.inbox.messages(asked, after=wanted.after, limit=wanted.limit)
    return shapes.List[shapes.MessageRow].model_validate(page)


@router.get("/messages/{queue_id}", responses=documented(404))
def message(_caller: Reads, api: House, queue_id: QueueId) -> shapes.Message:
    """One message: text, the new text of a reply, attachments by name and hash."""
    return shapes.Message.model_validate(find_message(api, queue_id).message)


@router.get("/messages/{queue_id}/verdict", responses=documented(404))
def verdict(caller: Reads, api: House, queue_id: QueueId) -> shapes.Judgement:
    """Authorized or not, and why; `misses` say what would have given a better verdict."""
    found = find_message(api, queue_id)
    language = caller.staff.language
    shown = found.message
    last = shown.history[-1] if shown.history else None
    return shapes.Judgement.model_validate(
        {
            "queue_id": queue_id,
            "verdict": shown.verdict,
            "rule": shown.rule,
            "reasons": [
                {"code": code, "text": api.reason(code, language)} for code in shown.reasons
            ],
            "decided_at": last.decided_at if last else None,
            "policy_sha256": last.policy_sha256 if last else "",
            "facts": _facts(shown),
            "tried": last.trace if last else (),
            "misses": api.misses(queue_id),
            "overrides": found.overrides,
            "links": shown.links,
        }
    )


@router.get(
    "/messages/{queue_id}/raw",
    response_class=Response,
    responses={
        **documented(404),
        200: {"content": {"message/rfc822": {"schema": {"type": "string"}}}},
    },
)
def raw(_caller: Reads, api: House, queue_id: QueueId) -> Response:
    """The message octet for octet as it came in."""
    octets = api.store.inbox.octets(queue_id)
    if octets is None:
        raise Wrong(404, "not-found")
    headers = {"Content-Disposition": f'attachment; filename="{queue_id}.eml"'}
    return Response(octets, media_type="message/rfc822", headers=headers)


@router.get("/contacts", responses=documented())
def contacts(
    _caller: Reads, api: House, wanted: Annotated[shapes.WantedContacts, Query()]
) -> shapes.List[shapes.Contact]:
    """Contacts of all accounts, of one, or those with an address."""
    page = api.store.directory.contacts(
        account_id=wanted.account, address=wanted.address, after=wanted.after, limit=wanted.limit
    )
    return shapes.List[shapes.Contact].model_validate(page)


@router.get("/accounts/{account_id}", responses=documented(404))
def account(_caller: Reads, api: House, account_id: AccountId) -> shapes.Account:
    """An account with its contacts, its services, and which contact may ask for which."""
    found = api.store.directory.export(account_id) if account_id.isprintable() else []
    if not found:
        raise Wrong(404, "not-found")
    entry = found[0]
    return shapes.Account.model_validate(
        {
            "id": entry.account.id,
            "company": entry.account.company,
            "language": entry.account.language,
            "contacts": entry.contacts,
            "services": entry.services,
            "shares": [{"contact_id": c, "service_id": s} for c, s in sorted(entry.shares)],
        }
    )


def find_ticket(api: Api, number: int) -> ConsoleTicket:
    found = api.store.inbox.ticket(number)
    if found is None:
        raise Wrong(404, "not-found")
    return found


def find_message(api: Api, queue_id: str) -> InboxMessage:
    found = api.store.inbox.message(queue_id)
    if found is None:
        raise Wrong(404, "not-found")
    return found


def _token(api: Api, found: ConsoleTicket) -> str:
    its = found.view.ticket
    desk = api.settings.desks.get(its.desk)
    code = ticket_tokens.code(api.keys, its.desk, its.number, its.epoch)
    return ticket_tokens.render(desk.tag if desk else its.desk, its.number, code)


def _facts(shown: MessageView) -> list[dict[str, Any]]:
    last = shown.history[-1] if shown.history else None
    sources = last.sources if last else {}
    return [
        {"name": name, "value": value, "source": sources.get(name, "")}
        for name, value in shown.facts.items()
    ]
