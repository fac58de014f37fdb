"""Tickets of the panel: the list, one of them as a conversation, and its attachments."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response

from mailgate.message import attachment
from mailgate.model.message import Attachment
from mailgate.model.views import BadCursor, PanelTicket
from mailgate.settings import Settings
from mailgate.web.panel.conversation import conversation
from mailgate.web.panel.site import Panel, one_line, person
from mailgate.web.session import Visit

#: Characters of a text that a form takes, and how much larger a mail is than the files in it are
#: (base64, RFC 2045 §6.8).
LONGEST_TEXT = 200_000
_GROWTH = 1.4
_STATES = frozenset({"open", "closed"})
#: What an attachment may do in a browser: nothing (promise M11).
_INERT = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Content-Type": "application/octet-stream",
}


class TicketPages:
    def __init__(self, panel: Panel) -> None:
        self.panel = panel

    def index(self, visit: Visit) -> Response:
        contact, _ = person(visit)
        query = visit.request.query_params
        state = query.get("state") if query.get("state") in _STATES else None
        text = one_line(query.get("q", ""), 100)
        try:
            page = self.panel.stores.panel.tickets(
                contact.id, state=state, text=text, after=query.get("after") or None
            )
        except BadCursor:
            raise HTTPException(404) from None
        asked = {name: value for name, value in (("state", state), ("q", text)) if value}
        return self.panel.show(
            visit,
            "tickets.html",
            page=page,
            state=state,
            text=text,
            later=bool(query.get("after")),
            more=urlencode({**asked, "after": page.next}) if page.next else "",
            asked=asked,
        )

    def one(self, visit: Visit) -> Response:
        return self.shown(visit, self.found(visit))

    def shown(
        self, visit: Visit, ticket: PanelTicket, status: int = 200, **values: str
    ) -> Response:
        """The page of a ticket; with `problem` and `typed` where an answer was not taken."""
        desk = self.panel.settings.desks.get(ticket.row.ticket.desk)
        return self.panel.show(
            visit,
            "ticket.html",
            status,
            ticket=ticket.row.ticket,
            row=ticket.row,
            entries=conversation(ticket),
            may_answer=desk is not None,
            room=room(self.panel.settings) >> 20,
            **({"problem": "", "typed": ""} | values),
        )

    def found(self, visit: Visit) -> PanelTicket:
        """The ticket of the path, if this contact may see it; else there is none (404)."""
        contact, _ = person(visit)
        ticket = self.panel.stores.panel.ticket(contact.id, visit.request.path_params["number"])
        if ticket is None:
            raise HTTPException(404)
        return ticket

    def file(self, visit: Visit) -> Response:
        """An attachment as octets to save, never as a page."""
        path = visit.request.path_params
        contact, _ = person(visit)
        octets = self.panel.stores.panel.octets(contact.id, path["queue_id"])
        found = attachment(octets, path["place"]) if octets is not None else None
        if found is None:
            raise HTTPException(404)
        return Response(found[1], headers={**_INERT, "Content-Disposition": _disposition(found[0])})


def room(settings: Settings) -> int:
    """Octets of files that still make a mail of the size that intake takes."""
    return int((settings.intake.size - LONGEST_TEXT) / _GROWTH)


def _disposition(file: Attachment) -> str:
    """To be saved under its name (RFC 6266 §4.3), which reading has made safe."""
    name = file.filename or "attachment"
    plain = "".join(c if (c.isascii() and c.isalnum()) or c in "._- " else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
