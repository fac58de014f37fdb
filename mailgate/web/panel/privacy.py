"""Your data: what is kept about a person, what they ask about it, and the copy they may take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from starlette.exceptions import HTTPException
from starlette.responses import Response

from mailgate.model.directory import Language
from mailgate.model.privacy import REQUEST_KINDS, PrivacyRequest, RequestKind, RequestState
from mailgate.model.privacy_ports import RequestFilter
from mailgate.model.web_ports import Refused
from mailgate.web.copy import CopyResponse
from mailgate.web.panel.site import Panel, person
from mailgate.web.session import Visit
from mailgate.words import words

#: So long after the answer the copy may be taken; what is in it is of that moment.
FRESH = timedelta(days=30)
_LONGEST = 4000
_COPIES = frozenset({"access", "portability"})
_KINDS: dict[str, RequestKind] = {kind: kind for kind in REQUEST_KINDS}
#: What nobody can deal with unless the person says more: Art. 16, and Art. 21(1) "on grounds
#: relating to his or her particular situation".
_NEEDS_WORDS = {"rectify": "say-what", "object": "say-why"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as its person sees it; `until` is set while the copy may be taken."""

    request: PrivacyRequest
    state: RequestState | Literal["withdrawn"]
    until: datetime | None
    copied: bool
    """Whether it is about a copy at all, which may be out of date by now."""


class PrivacyPages:
    """Everybody sees and asks about their own data, a main contact too: the account's data is not
    the main contact's."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel

    def page(self, visit: Visit) -> Response:
        if not visit.posted:
            return self._show(visit)
        kind = _KINDS.get(visit.form.get("kind"))
        text = "\n".join(visit.form.get("text").splitlines()).strip()
        if kind is None:
            return self._show(visit, kind="no-kind")
        if not text and kind in _NEEDS_WORDS:
            return self._show(visit, text=_NEEDS_WORDS[kind])
        if len(text) > _LONGEST:
            return self._show(visit, text="long-words")
        contact, account = person(visit)
        try:
            self.panel.stores.requests.file(
                kind,
                contact.address,
                text,
                contact.address,
                self.panel.now(),
                contact_id=contact.id,
                account_id=account.id,
            )
        except Refused:
            return self._show(visit, kind="many-requests")
        return self.panel.to("/privacy", "privacy-filed")

    def withdraw(self, visit: Visit) -> Response:
        """Take back what nobody has dealt with yet."""
        contact, _ = person(visit)
        request = self._own(visit)
        closed = request.state == "open" and self.panel.stores.requests.close(
            request.id,
            "refused",
            "withdrawn",
            contact.address,
            self.panel.now(),
            lambda _request: None,  # who withdrew it knows
        )
        if not closed:
            return self._show(visit, kind="gone")
        return self.panel.to("/privacy", "privacy-withdrawn")

    def copy(self, visit: Visit) -> Response:
        """The copy, made now. It is asked for with POST, as it writes to the audit log (W2)."""
        contact, _ = person(visit)
        now = self.panel.now()
        asked = asked_for(self._own(visit), now)
        if asked.until is None:
            raise HTTPException(404)
        file = self.panel.stores.make_copy(asked.request, contact.address, now)
        name = words(self._language(visit))["panel.privacy.file_name"]
        return CopyResponse(file, f"{name}-{now:%Y-%m-%d}.zip")

    def _language(self, visit: Visit) -> Language:
        contact, account = person(visit)
        return self.panel.language(visit.request, contact.language or account.language)

    def _own(self, visit: Visit) -> PrivacyRequest:
        number = visit.request.path_params["id"]
        found = next((one for one in self._theirs(visit) if one.id == number), None)
        if found is None:
            raise HTTPException(404)
        return found

    def _theirs(self, visit: Visit) -> tuple[PrivacyRequest, ...]:
        """A contact whose address was replaced may be another person by now: what was asked from
        the old address is not theirs to see."""
        contact, _ = person(visit)
        wanted = RequestFilter(contact_id=contact.id, address=contact.address)
        return tuple(self.panel.stores.requests.all(wanted, limit=100).rows)

    def _show(self, visit: Visit, **problems: str) -> Response:
        now = self.panel.now()
        return self.panel.show(
            visit,
            "privacy.html",
            422 if problems else 200,
            problems=problems,
            kinds=REQUEST_KINDS,
            typed={name: visit.form.get(name) for name in ("kind", "text")},
            requests=[asked_for(one, now) for one in self._theirs(visit)],
            windows=self.panel.settings.privacy,
            span=words(self._language(visit)).span,
            longest=_LONGEST,
        )


def asked_for(request: PrivacyRequest, now: datetime) -> Asked:
    """A request by what its person can still do about it. Staff refuse, by their login; whoever
    withdraws is named by an address."""
    withdrawn = request.state == "refused" and "@" in request.closed_by
    copied = request.kind in _COPIES and request.state == "done"
    until = request.closed_at + FRESH if copied and request.closed_at else None
    return Asked(
        request,
        "withdrawn" if withdrawn else request.state,
        until if until and now < until else None,
        copied,
    )
