"""What the API does: close, reopen, answer, release, decide again, override. All with a reason."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter

from mailgate.model.directory import Contact
from mailgate.model.views import ConsoleTicket
from mailgate.outbound.answer import answers
from mailgate.web.api import shapes
from mailgate.web.api.access import Does, House
from mailgate.web.api.problems import Wrong, documented
from mailgate.web.api.reading import QueueId, TicketNumber, find_message, find_ticket

router = APIRouter(tags=["acting"])


@router.post("/tickets/{number}/close", responses=documented(400, 404, 409, 413))
def close(caller: Does, api: House, number: TicketNumber, because: shapes.Because) -> shapes.Ticket:
    """Close an open ticket; a message on it opens it again."""
    find_ticket(api, number)
    done = api.store.tickets.close(number, caller.staff.login, because.why, api.now())
    if done is None:
        raise Wrong(409, "not-open")
    return shapes.Ticket.model_validate(done)


@router.post("/tickets/{number}/reopen", responses=documented(400, 404, 409, 413))
def reopen(
    caller: Does, api: House, number: TicketNumber, because: shapes.Because
) -> shapes.Ticket:
    """Open a closed ticket again."""
    find_ticket(api, number)
    done = api.store.tickets.reopen(number, caller.staff.login, because.why, api.now())
    if done is None:
        raise Wrong(409, "not-closed")
    return shapes.Ticket.model_validate(done)


@router.post("/tickets/{number}/answers", status_code=202, responses=documented(400, 404, 409, 413))
def answer(caller: Does, api: House, number: TicketNumber, answer: shapes.Answer) -> shapes.Sent:
    """Answer the customer by mail, with the ticket's token and your signature."""
    found = find_ticket(api, number)
    to, cc = _readers(found, answer)
    notices = answers(
        found,
        to,
        cc,
        text="\n".join(answer.text.splitlines()).strip(),
        signature=caller.staff.signature,
        settings=api.settings,
        keys=api.keys,
        now=api.now(),
        random=api.random,
    )
    api.store.acts.reply(number, notices, caller.staff.login, api.now())
    api.wake_mailer()
    return shapes.Sent(notices=[notice.id for notice in notices])


@router.post(
    "/messages/{queue_id}/release", status_code=202, responses=documented(400, 404, 409, 413)
)
def release(caller: Does, api: House, queue_id: QueueId, because: shapes.Because) -> shapes.Queued:
    """Send a held message through the rules again."""
    find_message(api, queue_id)
    if not api.store.queue.release_held(queue_id, caller.staff.login, because.why, api.now()):
        raise Wrong(409, "not-held")
    api.wake_workers()
    return shapes.Queued(queue_id=queue_id)


@router.post(
    "/messages/{queue_id}/decide", status_code=202, responses=documented(400, 404, 409, 413)
)
def decide(caller: Does, api: House, queue_id: QueueId, because: shapes.Because) -> shapes.Queued:
    """Have a message decided again, by the rules and the directory of today."""
    find_message(api, queue_id)
    if not api.store.acts.decide_again(queue_id, caller.staff.login, because.why, api.now()):
        raise Wrong(409, "not-now")
    api.wake_workers()
    return shapes.Queued(queue_id=queue_id)


@router.post(
    "/messages/{queue_id}/override", status_code=202, responses=documented(400, 404, 409, 413)
)
def override(
    caller: Does, api: House, queue_id: QueueId, says: shapes.StaffSays
) -> shapes.Override:
    """Vouch for a message or refuse it; it is decided again, and the rules heed your word."""
    done = api.store.acts.override(queue_id, says.value, caller.staff.login, says.why, api.now())
    if done is None:
        raise Wrong(404, "not-found")
    api.wake_workers()
    return shapes.Override.model_validate(done)


def _readers(found: ConsoleTicket, asked: shapes.Answer) -> tuple[Contact, Sequence[Contact]]:
    """Whom the answer goes to and who gets a copy, all readers of the ticket."""
    readers = {reader.contact.id: reader for reader in found.readers}
    openers = [reader.contact.id for reader in found.readers if reader.opener]
    to = asked.to or next(iter(openers), None)
    if to is None or to not in readers:
        raise Wrong(409, "to-not-allowed")
    if not set(asked.cc) <= readers.keys():
        raise Wrong(409, "cc-not-allowed")
    copies = [readers[one].contact for one in dict.fromkeys(asked.cc) if one != to]
    return readers[to].contact, copies
