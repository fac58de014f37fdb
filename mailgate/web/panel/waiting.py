"""What waits for this contact's own answer: "I sent this" or not, "I want a token" or not."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.responses import Response

from mailgate import logs
from mailgate.model.ticket import LinkState
from mailgate.model.views import WaitingRow
from mailgate.web.panel.conversation import opened
from mailgate.web.panel.site import Panel, person
from mailgate.web.session import Visit

_CHOICES: dict[str, LinkState] = {"confirm": "confirmed", "deny": "denied"}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that waits, with what it says and whether this contact may open its ticket."""

    row: WaitingRow
    text: str
    visible: bool


class WaitingPages:
    def __init__(self, panel: Panel) -> None:
        self.panel = panel

    def index(self, visit: Visit) -> Response:
        contact, _ = person(visit)
        rows = self.panel.stores.panel.waiting(contact.id)
        found = [self._waiting(contact.id, row) for row in rows]
        return self.panel.show(visit, "waiting.html", waiting=found)

    def _waiting(self, contact_id: int, row: WaitingRow) -> Waiting:
        if row.about != "message":
            return Waiting(row, "", visible=False)
        stores = self.panel.stores
        message = stores.message(row.queue_id)
        visible = row.ticket is not None and bool(stores.panel.ticket(contact_id, row.ticket))
        return Waiting(row, opened(message)[0] if message else "", visible)

    def answer(self, visit: Visit) -> Response:
        """Being signed in shows who answers, so neither link nor code is asked for."""
        contact, _ = person(visit)
        choice = _CHOICES.get(visit.form.get("choice"))
        if choice is None:
            raise HTTPException(400)
        queue_id = visit.request.path_params["queue_id"]
        about_token = self.panel.stores.panel.asked(contact.id, queue_id)
        if not self.panel.stores.panel.answer(contact.id, queue_id, choice, self.panel.now()):
            if not about_token and not self._own(contact.id, queue_id):
                raise HTTPException(404)
            return self.panel.to("/waiting", "answered-before")
        self.panel.wake()
        logs.get("web").info("confirm-answered", queue_id=queue_id, answer=choice, step="panel")
        if about_token:
            return self.panel.to("/waiting", f"token-{choice}")
        if choice == "denied":
            return self.panel.to("/waiting", "denied")
        return self.panel.to(f"/sent/{queue_id}")

    def _own(self, contact_id: int, queue_id: str) -> bool:
        message = self.panel.stores.message(queue_id)
        return message is not None and message.contact_id == contact_id
