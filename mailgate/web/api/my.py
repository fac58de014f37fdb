"""What a contact's own token gives: the tickets the panel shows them, and a way to write."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query

from mailgate.model.views import MessageView, PanelTicket
from mailgate.web.api import my_shapes, shapes
from mailgate.web.api.access import Api, Customer, House, ReadsMine, WritesMine
from mailgate.web.api.problems import Wrong, documented
from mailgate.web.api.reading import TicketNumber

router = APIRouter(tags=["my"])

Once = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=100,
        pattern=r"^[\x21-\x7e]+$",
        description="Of your own making: the same request with the same key is kept once.",
    ),
]


@router.get("/my/tickets", responses=documented())
def tickets(
    caller: ReadsMine, api: House, wanted: Annotated[my_shapes.WantedMine, Query()]
) -> shapes.List[shapes.TicketRow]:
    """Your tickets, the last changed first; `text` is searched for in their messages."""
    page = api.store.panel.tickets(
        caller.contact.id,
        state=wanted.state,
        text=wanted.text,
        after=wanted.after,
        limit=wanted.limit,
    )
    return shapes.List[shapes.TicketRow].model_validate(page)


@router.get("/my/tickets/{number}", responses=documented(404))
def ticket(caller: ReadsMine, api: House, number: TicketNumber) -> my_shapes.MyTicket:
    """One of them with its messages, oldest first, and the answers to them."""
    found = api.store.panel.ticket(caller.contact.id, number)
    if found is None:
        raise Wrong(404, "not-found")
    return my_shapes.MyTicket.model_validate(
        {
            "row": found.row,
            "messages": [_message(api, found, message) for message in found.messages],
            "mails": [
                {
                    "date": row.notice.date,
                    "about": row.notice.template,
                    "text": row.notice.values.get("text", ""),
                }
                for row in found.notices
            ],
            "waiting": sorted(found.waiting),
        }
    )


@router.get("/my/services", responses=documented())
def services(caller: ReadsMine, api: House) -> shapes.List[shapes.Service]:
    """What you may write about."""
    found = api.store.panel.services(caller.contact.id)
    return shapes.List[shapes.Service].model_validate({"rows": found, "next": None})


@router.post("/my/tickets", status_code=202, responses=documented(400, 409, 413))
def write(
    caller: WritesMine,
    api: House,
    asked: my_shapes.NewRequest,
    idempotency_key: Once = None,
) -> shapes.Queued:
    """Write a request. It goes the way of every message: the rules decide, and may ask you to
    confirm it by the link that is mailed to you."""
    admission = api.enter(
        desk=_desk(api, asked.desk),
        channel="api",
        account_id=caller.contact.account_id,
        entered_by=caller.contact.address,
        subject=_subject(api, caller, asked),
        text="\n".join(asked.text.splitlines()) + "\n",
        once=idempotency_key or "",
    )
    (admitted,) = api.store.intake.admit([admission])
    api.wake_workers()
    return shapes.Queued(queue_id=admitted.queue_id)


def _desk(api: Api, asked: str | None) -> str:
    """Whom it is for: a desk for requests, the first where none is named."""
    desks = [name for name, desk in api.settings.desks.items() if desk.purpose == "support"]
    if not desks or asked not in {None, *desks}:
        raise Wrong(409, "no-such-desk")
    return asked or desks[0]


def _subject(api: Api, caller: Customer, asked: my_shapes.NewRequest) -> str:
    """The service is found by its name in the message, as it is in a mail."""
    subject = " ".join(asked.subject.split())
    if asked.service is None:
        return subject
    mine = {service.id: service for service in api.store.panel.services(caller.contact.id)}
    if asked.service not in mine:
        raise Wrong(409, "no-such-service")
    name = mine[asked.service].identifier
    return subject if name.lower() in subject.lower() else f"{name}: {subject}"


def _message(api: Api, found: PanelTicket, message: MessageView) -> dict[str, object]:
    language = found.row.ticket.language
    return {
        "queue_id": message.queue_id,
        "received_at": message.received_at,
        "author": message.author,
        "subject": message.subject,
        "text": message.text,
        "reply_text": message.reply_text,
        "attachments": message.attachments,
        "verdict": message.verdict,
        "reasons": [{"code": c, "text": api.reason(c, language)} for c in message.reasons],
    }
