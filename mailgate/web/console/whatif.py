"""What if: what a share, a contact or an answer would change, before anyone changes anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from mailgate.model.addresses import parse_address
from mailgate.model.directory import AccountEntry, Contact, Role
from mailgate.model.people import StaffWord
from mailgate.model.supposition import Answer, Supposition
from mailgate.model.views import InboxMessage
from mailgate.web.console.frame import Frame
from mailgate.web.session import Visit

#: So many waiting messages are judged for one page.
MOST = 200
#: The id of a contact who is only supposed.
SUPPOSED = -1
_ROLES: dict[str, Role] = {"technical": "technical", "additional": "additional"}


@dataclass(frozen=True)
class WhatIfPage:
    """A form that is sent with GET: it asks, and changes nothing."""

    frame: Frame

    def routes(self) -> list[Route]:
        return [Route("/console/what-if", self.frame.endpoint(self.page))]

    def page(self, visit: Visit) -> Response:
        query = visit.request.query_params
        message = self._message(query.get("m", ""))
        entry = self._account(query.get("account", ""), message)
        supposed, problem = supposition(query, entry, message)
        waiting = self.frame.store.inbox.undecided(MOST) if supposed else []
        asked = list(dict.fromkeys([*([message.message.queue_id] if message else []), *waiting]))
        found = self.frame.around.what_if.suppose(asked, supposed) if supposed else []
        this = message.message.queue_id if message else ""
        return self.frame.render(
            visit,
            "what_if.html",
            here="what-if",
            focus=message,
            account=entry,
            query=query,
            supposed=supposed,
            problem=problem,
            pairs=_pairs(query, entry),
            this=next((one for one in found if one.queue_id == this), None),
            others=[one for one in found if one.changed and one.queue_id != this],
            judged=len(found),
            most=len(waiting) >= MOST,
        )

    def _message(self, queue_id: str) -> InboxMessage | None:
        if not queue_id:
            return None
        found = self.frame.store.inbox.message(queue_id)
        # What a worker fell over is not judged in this process, which has no supervisor.
        if found is None or "processing-failed" in found.message.reasons:
            raise HTTPException(404)
        return found

    def _account(self, named: str, message: InboxMessage | None) -> AccountEntry | None:
        """The account by its id or by an address of it; else that of the message."""
        named = named.strip()[:200]
        directory = self.frame.store.directory
        if not named:
            named = message.account.id if message and message.account else ""
        if not named:
            return None
        found = directory.of_address(named) if "@" in named else directory.export(named)
        return found[0] if found else None


def supposition(
    query: QueryParams, entry: AccountEntry | None, message: InboxMessage | None
) -> tuple[Supposition, str]:
    """What the form supposes, and what is wrong with it, if anything."""
    pairs = _pairs(query, entry)
    contacts, problem = _new_contact(query, entry)
    real = entry.shares if entry else frozenset()
    queue_id = message.message.queue_id if message else ""
    answer, word = query.get("answer"), query.get("word")
    return (
        Supposition(
            given=pairs - real,
            taken=real - pairs,
            contacts=contacts,
            answers=_said(queue_id, answer, {"confirmed", "denied"}),
            words=cast(
                "Mapping[str, StaffWord]", _said(queue_id, word, {"vouches", "refuses", "none"})
            ),
        ),
        problem,
    )


def _said(queue_id: str, value: str | None, allowed: set[str]) -> Mapping[str, Answer]:
    if queue_id and value in allowed:
        return {queue_id: cast("Answer", value)}
    return {}


def _pairs(query: QueryParams, entry: AccountEntry | None) -> frozenset[tuple[int, int]]:
    """The boxes that are ticked, as pairs of this account; before anything was asked, as it is."""
    if entry is None:
        return frozenset()
    if query.get("asked") != entry.account.id:
        return entry.shares
    contacts = {c.id for c in entry.contacts if c.role != "main"}
    if query.get("address", "").strip():
        contacts.add(SUPPOSED)
    services = {s.id for s in entry.services}
    return frozenset(
        pair
        for pair in _numbers(query.getlist("share"))
        if pair[0] in contacts and pair[1] in services
    )


def _numbers(values: list[str]) -> Iterator[tuple[int, int]]:
    for value in values[:5000]:
        contact, _, service = value.partition(":")
        try:
            yield int(contact[:20]), int(service[:20])
        except ValueError:
            continue  # not a box of our form


def _new_contact(query: QueryParams, entry: AccountEntry | None) -> tuple[tuple[Contact, ...], str]:
    given = query.get("address", "").strip()
    if not given or entry is None:
        return (), ""
    try:
        address = parse_address(given[:320])
    except ValueError:
        return (), "bad-address"
    role = _ROLES.get(query.get("role", ""), "additional")
    return (Contact(SUPPOSED, entry.account.id, address, role),), ""
