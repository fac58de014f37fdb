"""New tickets and answers: a form becomes a message and goes through the gate like any mail."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from mailgate.model.directory import Service
from mailgate.model.ports import StorageError
from mailgate.model.ticket import Ticket
from mailgate.settings import Desk
from mailgate.tokens import ticket as token
from mailgate.web.confirm import PAUSES
from mailgate.web.forms import Form
from mailgate.web.panel.site import Panel, one_line, person
from mailgate.web.panel.tickets import LONGEST_TEXT, TicketPages, room
from mailgate.web.session import Visit

#: Files of one form.
FILES = 20
_TOKENS = re.compile(r"\[[^\[\]#]*#[^\[\]]*\]")
_ID = re.compile(r"[0-9A-Z]{18}")


@dataclass(frozen=True, slots=True)
class Draft:
    """What was typed into the form of a new ticket."""

    desk: str
    service: str
    subject: str
    text: str


class WritePages:
    def __init__(
        self, panel: Panel, tickets: TicketPages, pauses: Sequence[float] = PAUSES
    ) -> None:
        self.panel = panel
        self.tickets = tickets
        self.pauses = pauses

    # --- a new ticket -------------------------------------------------------------------------

    def new(self, visit: Visit) -> Response:
        contact, _ = person(visit)
        services = self.panel.stores.panel.services(contact.id)
        if not visit.posted:
            asked = visit.request.query_params.get("service", "")
            return self._form(visit, services, Draft("", asked, "", ""))
        draft = _draft(visit.form)
        chosen = next((s for s in services if str(s.id) == draft.service), None)
        problems = self._problems(visit, draft, chosen)
        if problems:
            return self._form(visit, services, draft, problems)
        subject = draft.subject
        if chosen is not None and chosen.identifier.lower() not in subject.lower():
            # The service is found by its name in the message, as it is in a mail.
            subject = f"{chosen.identifier}: {subject}"
        sent = self._send(visit, draft.desk or self.panel.pages.house, subject, draft.text)
        if sent is None:
            return self._form(visit, services, draft, {"form": "storage"}, 503)
        return sent

    @property
    def _desks(self) -> dict[str, Desk]:
        """Whom a new request may be for: whoever is signed in asks for a token elsewhere."""
        desks = self.panel.settings.desks
        return {name: desk for name, desk in desks.items() if desk.purpose == "support"}

    def _problems(self, visit: Visit, draft: Draft, chosen: Service | None) -> dict[str, str]:
        contact, _ = person(visit)
        problems = {}
        if chosen is None and (draft.service or contact.role != "main"):
            problems["service"] = "choose-service"
        if draft.desk and draft.desk not in self._desks:
            problems["desk"] = "choose-desk"
        if not draft.subject:
            problems["subject"] = "no-subject"
        return problems | self._of_text(visit.form)

    def _of_text(self, form: Form) -> dict[str, str]:
        problems = {}
        text = form.get("text")
        if not text.strip():
            problems["text"] = "no-text"
        elif len(text) > LONGEST_TEXT:
            problems["text"] = "long-text"
        if sum(len(f.octets) for f in form.files) > room(self.panel.settings):
            problems["files"] = "big-files"
        return problems

    def _form(
        self,
        visit: Visit,
        services: Sequence[Service],
        draft: Draft,
        problems: Mapping[str, str] | None = None,
        status: int = 422,
    ) -> Response:
        values: dict[str, Any] = {
            "services": services,
            "desks": self._desks,
            "draft": draft,
            "problems": problems or {},
            "room": room(self.panel.settings) >> 20,
            "files_lost": bool(visit.form.files),
        }
        return self.panel.show(visit, "new.html", status if problems else 200, **values)

    # --- an answer ----------------------------------------------------------------------------

    def answer(self, visit: Visit) -> Response:
        found = self.tickets.found(visit)
        ticket, text = found.row.ticket, visit.form.get("text")
        problem = next(iter(self._of_text(visit.form).values()), "")
        if ticket.desk not in self.panel.settings.desks:
            problem = "no-desk"
        if problem:
            return self.tickets.shown(visit, found, 422, problem=problem, typed=text)
        subject = f"Re: {_TOKENS.sub('', ticket.subject).strip()}"
        sent = self._send(visit, ticket.desk, one_line(subject), text, self._token(ticket))
        if sent is None:
            return self.tickets.shown(visit, found, 503, problem="storage", typed=text)
        return sent

    def _token(self, ticket: Ticket) -> str:
        code = token.code(self.panel.keys, ticket.desk, ticket.number, ticket.epoch)
        return token.render(self.panel.settings.desks[ticket.desk].tag, ticket.number, code)

    def _send(
        self, visit: Visit, desk: str, subject: str, text: str, token: str = ""
    ) -> Response | None:
        """Through the gate and into the queue; None where the store could not keep it."""
        contact, account = person(visit)
        admission = self.panel.enter(
            desk=desk,
            channel="panel",
            account_id=account.id,
            entered_by=contact.address,
            subject=subject,
            text="\n".join(text.splitlines()).encode("utf-8", "replace").decode() + "\n",
            token=token,
            files=visit.form.files,
            once=visit.form.get("once"),
        )
        try:
            (admitted,) = self.panel.stores.intake.admit([admission])
        except StorageError:
            return None
        self.panel.wake()
        return self.panel.to(f"/sent/{admitted.queue_id}")

    # --- what became of it --------------------------------------------------------------------

    async def sent(self, visit: Visit) -> Response:
        """Wait a moment for the worker, then lead to the ticket the message is on."""
        queue_id = visit.request.path_params["queue_id"]
        contact, _ = person(visit)
        look = self.panel.stores.message
        message = await run_in_threadpool(look, queue_id) if _ID.fullmatch(queue_id) else None
        for pause in self.pauses:
            if message is not None and message.state in {"done", "hold"}:
                break
            await asyncio.sleep(pause)
            message = await run_in_threadpool(look, queue_id)
        if message is None or message.state not in {"done", "hold"}:
            page = await run_in_threadpool(self.panel.show, visit, "sent.html", state="working")
            page.headers["Refresh"] = "3"
            return page
        if contact.id != message.contact_id and contact.address != message.entered_by:
            raise HTTPException(404)
        if message.contact_id is None or message.ticket is None:
            return await run_in_threadpool(self.panel.show, visit, "sent.html", state="kept")
        visible = self.panel.stores.panel.ticket
        if await run_in_threadpool(visible, contact.id, message.ticket) is None:
            return await run_in_threadpool(self.panel.show, visit, "sent.html", state="kept")
        return self.panel.to(f"/tickets/{message.ticket}", f"sent-{message.verdict}")


def _draft(form: Form) -> Draft:
    return Draft(
        form.get("desk"), form.get("service"), one_line(form.get("subject")), form.get("text")
    )
