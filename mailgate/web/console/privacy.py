"""Requests about personal data: those that wait, by their deadline, one of them, and a new one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from mailgate.model.addresses import parse_address
from mailgate.model.directory import LANGUAGES, Contact
from mailgate.model.privacy import REQUEST_KINDS, PrivacyRequest, RequestKind
from mailgate.model.privacy_ports import RequestFilter
from mailgate.model.views import BadCursor
from mailgate.settings import Privacy
from mailgate.web.console.frame import Frame, kept, staff_of
from mailgate.web.console.rights import trouble
from mailgate.web.session import Visit

Urgency = Literal["overdue", "late", "soon", "answered"]
LONGEST = 4000
_KINDS: dict[str, RequestKind] = {kind: kind for kind in REQUEST_KINDS}
#: What staff can do about a request of each kind, besides answering it. What is disputed may be
#: restricted until the dispute is settled (GDPR Art. 18(1)(a) and (d)).
TOOLS: Mapping[RequestKind, tuple[str, ...]] = {
    "access": ("copy",),
    "portability": ("copy",),
    "rectify": ("rectify", "restrict"),
    "erase": ("erase", "restrict"),
    "restrict": ("restrict",),
    "object": ("restrict",),
}


@dataclass(frozen=True, slots=True)
class Due:
    """A request with how much time is left, for a list that is worked off from the top."""

    request: PrivacyRequest
    urgency: Urgency
    days: int
    """Until the deadline, or since it."""


def due(request: PrivacyRequest, now: datetime, windows: Privacy) -> Due:
    """How urgent it is: past its deadline, past the day of the alert (promise G6), or neither."""
    days = abs(request.due_at - now).days
    if request.closed_at is not None:
        return Due(request, "answered", days)
    if now >= request.due_at:
        return Due(request, "overdue", days)
    late = now >= request.filed_at + windows.alert_after
    return Due(request, "late" if late else "soon", days)


class _Problem(Exception):
    """What is wrong with a new request, as a key of the texts."""

    @property
    def code(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True)
class RequestPages:
    frame: Frame
    windows: Privacy

    def routes(self) -> list[Route]:
        file = self.frame.endpoint(self.file, "admin")
        return [
            Route("/console/privacy", self.frame.endpoint(self.page)),
            Route("/console/privacy", file, methods=["POST"]),
            Route("/console/privacy/requests/{id:int}", self.frame.endpoint(self.one)),
        ]

    # --- the list -----------------------------------------------------------------------------

    def page(self, visit: Visit, problem: str = "") -> Response:
        query, rights = visit.request.query_params, self.frame.around.rights
        answered, after = query.get("answered") == "yes", query.get("after") or None
        try:
            found = rights.requests.all(RequestFilter(undone=not answered), after=after)
        except BadCursor:
            raise HTTPException(404) from None
        now = self.frame.now()
        return self.frame.render(
            visit,
            "privacy.html",
            422 if problem else 200,
            here="privacy",
            rows=[due(request, now, self.windows) for request in found.rows],
            next=found.next,
            onward=kept(query, drop=("after",)),
            answered=answered,
            kinds=REQUEST_KINDS,
            problem=problem,
            typed={name: visit.form.get(name) for name in ("address", "account", "kind", "text")},
            longest=LONGEST,
            trouble=trouble(rights, now),
        )

    def file(self, visit: Visit) -> Response:
        """For somebody who asked by mail or on the phone: the month runs from then on."""
        try:
            request = self._filed(visit)
        except _Problem as problem:
            return self.page(visit, problem.code)
        return self.frame.back(visit, "privacy", "requests", request.id, done="privacy-filed")

    def _filed(self, visit: Visit) -> PrivacyRequest:
        form = visit.form
        kind, text = _KINDS.get(form.get("kind")), "\n".join(form.get("text").splitlines()).strip()
        try:
            address = parse_address(form.get("address").strip()[:320])
        except ValueError:
            raise _Problem("bad-address") from None
        if kind is None or len(text) > LONGEST:
            raise _Problem("kind" if kind is None else "too-long")
        named = form.get("account").strip()[:200]
        contact = self._contact(address, named)
        return self.frame.around.rights.requests.file(
            kind,
            address,
            text,
            staff_of(visit).login,
            self.frame.now(),
            contact_id=contact.id if contact else None,
            account_id=named or None,  # none named: all that the person is
        )

    def _contact(self, address: str, named: str) -> Contact | None:
        """Whom the panel shows the request to; somebody unknown may ask as well."""
        found = self.frame.around.rights.people.contacts(address, named or None)
        if named and not found:
            raise _Problem("not-of-account")
        return found[0] if len(found) == 1 else None

    # --- one ----------------------------------------------------------------------------------

    def one(self, visit: Visit) -> Response:
        return self.shown(visit, self.find(visit))

    def find(self, visit: Visit) -> PrivacyRequest:
        found = self.frame.around.rights.requests.get(visit.request.path_params["id"])
        if found is None:
            raise HTTPException(404)
        return found

    def shown(self, visit: Visit, request: PrivacyRequest, problem: str = "") -> Response:
        """The page of a request; with a `problem`, what was typed is kept."""
        rights, now = self.frame.around.rights, self.frame.now()
        person = (request.address, request.account_id)
        contacts = rights.people.contacts(*person)
        ids = {one.id for one in contacts} | {request.contact_id or 0}
        return self.frame.render(
            visit,
            "privacy_request.html",
            422 if problem else 200,
            here="privacy",
            due=due(request, now, self.windows),
            request=request,
            tools=TOOLS[request.kind],
            contacts=[(one, self.frame.store.lookup.account(one.account_id)) for one in contacts],
            known=rights.people.known(*person),
            holds=rights.holds.holds_on(*person),
            restriction=rights.holds.restricted(request.address),
            corrections=[
                each for one in sorted(ids) for each in rights.corrections.corrections(one)
            ],
            history=self.frame.store.audit.entries(subject=f"request:{request.id}").rows,
            problem=problem,
            typed={name: values[0] for name, values in visit.form.fields.items()},
            languages_spoken=LANGUAGES,
            longest=LONGEST,
        )
