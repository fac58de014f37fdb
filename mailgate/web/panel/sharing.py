"""Service sharing: which contact has access to which service, as one matrix with one save (A6)."""

from __future__ import annotations

import re

from starlette.exceptions import HTTPException
from starlette.responses import Response

from mailgate.model.directory import AccountEntry
from mailgate.web.panel.contacts import ContactPages
from mailgate.web.panel.site import Panel, main_contact
from mailgate.web.session import Visit

_PAIR = re.compile(r"([0-9]{1,18})-([0-9]{1,18})", re.ASCII)
#: More checkboxes than anybody's matrix has, and fewer than would keep us busy.
FIELDS = 10_000


class SharingPages:
    def __init__(self, panel: Panel, contacts: ContactPages) -> None:
        self.panel = panel
        self.contacts = contacts

    def matrix(self, visit: Visit) -> Response:
        entry = self.contacts.entry(visit)
        if visit.posted:
            return self._save(visit, entry)
        return self.panel.show(
            visit,
            "sharing.html",
            contacts=sorted(
                (c for c in entry.contacts if c.role != "main"), key=lambda c: (c.name, c.address)
            ),
            services=sorted(entry.services, key=lambda s: s.identifier),
            shares=entry.shares,
        )

    def _save(self, visit: Visit, entry: AccountEntry) -> Response:
        """Only what the page showed is changed: a contact that somebody else added meanwhile is
        not taken anything away.
        """
        shown, wanted = _pairs(visit.form.all("shown")), _pairs(visit.form.all("share"))
        known = {(c.id, s.id) for c in entry.contacts for s in entry.services}
        if not wanted <= shown or not shown <= known:
            raise HTTPException(404)
        shares = frozenset((entry.shares - shown) | wanted)
        given, taken = len(shares - entry.shares), len(entry.shares - shares)
        who = main_contact(visit).address
        if not self.panel.stores.edits.set_shares(entry.account.id, shares, who, self.panel.now()):
            raise HTTPException(404)
        self.panel.wake()
        return self.panel.to("/sharing", "shares-saved", given=given, taken=taken)


def _pairs(values: tuple[str, ...]) -> set[tuple[int, int]]:
    """Pairs of contact and service as the checkboxes name them; anything else is not one."""
    found = [_PAIR.fullmatch(value) for value in values]
    if None in found:
        raise HTTPException(404)
    return {(int(match[1]), int(match[2])) for match in found if match}
