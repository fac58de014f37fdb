"""The inbox: every message with its verdict and why, filtered, searched, and kept as views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, cast
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from mailgate.model.decision import VERDICTS
from mailgate.model.views import BadCursor, InboxFilter
from mailgate.web.console.frame import Frame, Incomplete, kept, staff_of
from mailgate.web.console.rights import trouble
from mailgate.web.session import Visit

_STATES = ("incoming", "active", "deferred", "hold", "done")
_LONGEST = 200
#: Messages on one page.
PAGE = 50
_MOST_VIEWS = 50
#: What may stand in the query of a saved view: the names that the page itself understands.
NAMES = ("verdict", "account", "service", "ticket", "desk", "automatic", "state", "label", "q")


@dataclass(frozen=True)
class Inbox:
    frame: Frame

    def routes(self) -> list[Route]:
        page, save, remove = (
            self.frame.endpoint(page) for page in (self.page, self.save, self.remove)
        )
        return [
            Route("/console", page),
            Route("/console/views", save, methods=["POST"]),
            Route("/console/views/{id:int}/remove", remove, methods=["POST"]),
        ]

    def page(self, visit: Visit) -> Response:
        query, now = visit.request.query_params, self.frame.now()
        wanted = wanted_messages(query)
        store, rights = self.frame.store, self.frame.around.rights
        try:
            found = store.inbox.messages(wanted, after=query.get("after") or None, limit=PAGE)
        except BadCursor:
            raise HTTPException(404) from None
        return self.frame.render(
            visit,
            "inbox.html",
            here="inbox",
            rows=found.rows,
            next=found.next,
            wanted=wanted,
            verdicts=VERDICTS,
            counts=store.stats.standing(),
            desks=tuple(self.frame.pages.desks),
            views=store.saved.all(staff_of(visit).id),
            saved=_saved(query),
            narrowed=narrowed(wanted),
            onward=kept(query, drop=("after",)),
            unjudged=kept(query, drop=("after", "verdict")),
            late=len(rights.requests.overdue(now)),
            trouble=trouble(rights, now),
        )

    def save(self, visit: Visit) -> Response:
        name = " ".join(visit.form.get("name").split())[:60]
        if not name:
            raise Incomplete("name")
        query, me = _saved(QueryParams(visit.form.get("query")[:2000])), staff_of(visit).id
        if len(self.frame.store.saved.all(me)) >= _MOST_VIEWS:
            raise Incomplete("views")
        self.frame.store.saved.save(me, name, query)
        return RedirectResponse(f"{self.frame.home}?{query}", 303)

    def remove(self, visit: Visit) -> Response:
        if not self.frame.store.saved.remove(staff_of(visit).id, visit.request.path_params["id"]):
            raise HTTPException(404)
        return RedirectResponse(self.frame.home, 303)


def wanted_messages(query: Mapping[str, str]) -> InboxFilter:
    """The filter that a query asks for; what makes no sense in it asks for anything."""

    def one_of(name: str, allowed: tuple[str, ...]) -> Any:
        return value if (value := query.get(name)) in allowed else None

    automatic = query.get("automatic")
    return InboxFilter(
        verdict=one_of("verdict", cast("tuple[str, ...]", VERDICTS)),
        account_id=_text(query, "account") or None,
        service_id=_number(query, "service"),
        ticket=_number(query, "ticket"),
        desk=_text(query, "desk") or None,
        automatic=None if automatic not in {"yes", "no"} else automatic == "yes",
        state=one_of("state", _STATES),
        label=_text(query, "label") or None,
        text=_text(query, "q"),
    )


def narrowed(wanted: object) -> bool:
    """Whether anything is asked for besides the verdict."""
    named = (f.name for f in fields(wanted) if f.name not in {"verdict", "text"})  # type: ignore[arg-type] # a dataclass
    return any(getattr(wanted, name) is not None for name in named)


def _saved(query: QueryParams) -> str:
    pairs = [(n, query[n].strip()[:_LONGEST]) for n in NAMES if query.get(n, "").strip()]
    return urlencode(pairs)


def _text(query: Mapping[str, str], name: str) -> str:
    return query.get(name, "").strip()[:_LONGEST]


def _number(query: Mapping[str, str], name: str) -> int | None:
    value = query.get(name, "").strip()
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None
