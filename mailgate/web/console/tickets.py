"""Tickets: the list, one with its whole timeline, and what staff do to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from mailgate.model.ticket import Ticket
from mailgate.model.views import BadCursor, ConsoleTicket, TicketFilter, TicketView
from mailgate.tokens import ticket as token
from mailgate.tokens.keys import Keys
from mailgate.web.console.frame import Frame, Incomplete, kept, reason_of, staff_of
from mailgate.web.console.rights import marks
from mailgate.web.session import Visit

#: Does it: number, who, why; the ticket afterwards, None where it did not apply.
Act = Callable[[int, str, str], Ticket | None]

_STATES = ("open", "closed")
STANDINGS = ("authorized", "pending", "unauthorized", "none")
#: Events that say nothing beside the row they are about: the answer or the mail is shown itself.
_TWICE = frozenset({"answered", "message-entered"})


@dataclass(frozen=True, slots=True)
class Moment:
    """One entry of a timeline: a message, a mail of ours, or something that was done."""

    at: datetime
    kind: Literal["message", "notice", "event"]
    value: Any


@dataclass(frozen=True)
class Tickets:
    frame: Frame
    keys: Keys

    def routes(self) -> list[Route]:
        store, now = self.frame.store, self.frame.now
        acts: dict[str, Act] = {
            "close": lambda n, who, why: store.tickets.close(n, who, why, now()),
            "reopen": lambda n, who, why: store.tickets.reopen(n, who, why, now()),
            "rotate": lambda n, who, why: store.tickets.rotate(n, who, why, now()),
        }
        return [
            Route("/console/tickets", self.frame.endpoint(self.list)),
            Route("/console/tickets/{number:int}", self.frame.endpoint(self.page)),
            *(
                Route(
                    f"/console/tickets/{{number:int}}/{name}",
                    self.frame.endpoint(self._act(name, act), "agent"),
                    methods=["POST"],
                )
                for name, act in acts.items()
            ),
        ]

    def list(self, visit: Visit) -> Response:
        query = visit.request.query_params
        wanted = wanted_tickets(query)
        try:
            found = self.frame.store.inbox.tickets(wanted, after=query.get("after") or None)
        except BadCursor:
            raise HTTPException(404) from None
        return self.frame.render(
            visit,
            "tickets.html",
            here="tickets",
            rows=found.rows,
            next=found.next,
            wanted=wanted,
            states=_STATES,
            standings=STANDINGS,
            desks=tuple(self.frame.pages.desks),
            onward=kept(query, drop=("after",)),
        )

    def page(self, visit: Visit) -> Response:
        return self.shown(visit, self.find(visit))

    def shown(self, visit: Visit, found: ConsoleTicket, problem: str = "") -> Response:
        """The page of a ticket; with a `problem`, an answer that could not be sent is kept."""
        ticket = found.view.ticket
        desk = self.frame.pages.desks.get(ticket.desk)
        code = token.code(self.keys, ticket.desk, ticket.number, ticket.epoch)
        return self.frame.render(
            visit,
            "ticket.html",
            422 if problem else 200,
            here="tickets",
            problem=problem,
            typed=visit.form.get("text"),
            chosen=(visit.form.get("to"), *visit.form.all("cc")),
            found=found,
            ticket=ticket,
            token=token.render(desk.tag if desk else ticket.desk, ticket.number, code),
            timeline=timeline(found.view),
            signature=staff_of(visit).signature,
            marks=marks(
                self.frame.around.rights.holds,
                (message.author for message in found.view.messages),
                ticket.number,
                ticket.account_id,
            ),
        )

    def find(self, visit: Visit) -> ConsoleTicket:
        number = visit.request.path_params["number"]
        found = self.frame.store.inbox.ticket(number) if number < 1 << 63 else None
        if found is None:
            raise HTTPException(404)
        return found

    def _act(self, name: str, act: Act) -> Callable[[Visit], Response]:
        def page(visit: Visit) -> Response:
            number = self.find(visit).view.ticket.number
            if act(number, staff_of(visit).login, reason_of(visit)) is None:
                raise Incomplete("not-now")
            return self.frame.back(visit, "tickets", number, done=name)

        return page


def wanted_tickets(query: Mapping[str, str]) -> TicketFilter:
    state, standing = query.get("state"), query.get("standing")
    service = query.get("service", "")
    return TicketFilter(
        state=cast("Any", state if state in _STATES else None),
        standing=cast("Any", standing if standing in STANDINGS else None),
        account_id=query.get("account", "").strip()[:200] or None,
        service_id=int(service) if service.isascii() and service.isdigit() else None,
        desk=query.get("desk") or None,
        text=query.get("q", "").strip()[:200],
    )


def timeline(view: TicketView) -> list[Moment]:
    """Mails in both directions and everything that was done, in the order it happened."""
    moments = [
        *(Moment(m.received_at, "message", m) for m in view.messages),
        *(Moment(n.notice.date, "notice", n) for n in view.notices if not n.notice.envelope_to),
        *(Moment(e.at, "event", e) for e in view.events if e.what not in _TWICE),
    ]
    return sorted(moments, key=lambda m: (m.at.replace(microsecond=0), _rank(m)))


def _rank(moment: Moment) -> int:
    """Within one second, which is all that a notice tells: a message, what we asked about it,
    what was done then, and what we told about that."""
    if moment.kind == "notice":
        return 1 if moment.value.notice.link_nonce else 3
    return 0 if moment.kind == "message" else 2
