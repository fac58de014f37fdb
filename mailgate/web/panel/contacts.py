"""Contacts of the account: list, add, change, remove; a new address counts once it is verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from mailgate.model.addresses import parse_address, same_address
from mailgate.model.directory import LANGUAGES, AccountEntry, Contact, Language, Role
from mailgate.model.people import Change, ChangeKind
from mailgate.model.web_ports import Refused
from mailgate.web.forms import Form
from mailgate.web.panel import letters
from mailgate.web.panel.site import Panel, main_contact, one_line
from mailgate.web.session import Visit

_ROLES: Mapping[str, Role] = {"technical": "technical", "additional": "additional"}
_LANGUAGES: Mapping[str, Language] = {language: language for language in LANGUAGES}


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form of a contact, right or wrong."""

    address: str
    name: str
    role: str
    language: str
    signs_in: bool


class ContactPages:
    def __init__(self, panel: Panel) -> None:
        self.panel = panel

    def index(self, visit: Visit) -> Response:
        entry = self.entry(visit)
        return self.panel.show(
            visit,
            "contacts.html",
            contacts=sorted(entry.contacts, key=lambda c: (c.role != "main", c.name, c.address)),
            services={s.id: s for s in entry.services},
            shares=entry.shares,
            changes=self._changes(entry),
        )

    def add(self, visit: Visit) -> Response:
        entry = self.entry(visit)
        typed = _typed(visit.form) if visit.posted else Typed("", "", "", "", signs_in=True)
        problems: dict[str, str] = {}
        if visit.posted:
            if typed.role not in _ROLES:
                problems["role"] = "choose-role"
            found = self._ask(visit, entry, "add", None, typed, problems)
            if found is not None:
                return self.panel.to("/contacts", "address-asked")
        status = 422 if problems else 200
        return self.panel.show(visit, "contact_new.html", status, typed=typed, problems=problems)

    def one(self, visit: Visit) -> Response:
        """Everything of a contact but the address."""
        entry, contact = self._contact(visit)
        typed = _typed(visit.form) if visit.posted else _of(contact)
        if not visit.posted:
            return self._one(visit, entry, contact, typed)
        role = contact.role if contact.role == "main" else _ROLES.get(typed.role)
        if role is None:
            return self._one(visit, entry, contact, typed, {"role": "choose-role"})
        # A main contact who may not sign in could never take that back.
        signs_in = typed.signs_in or contact.role == "main"
        kept = self.panel.stores.edits.set_contact(
            entry.account.id,
            contact.id,
            name=typed.name,
            role=role,
            language=_LANGUAGES.get(typed.language),
            signs_in=signs_in,
            who=main_contact(visit).address,
            now=self.panel.now(),
        )
        return self._done(kept, "contact-saved")

    def address(self, visit: Visit) -> Response:
        """Ask for a new address; of the main contact the old one is asked as well."""
        entry, contact = self._contact(visit)
        typed = _typed(visit.form)
        problems: dict[str, str] = {}
        kind: ChangeKind = "main" if contact.role == "main" else "address"
        if self._ask(visit, entry, kind, contact, typed, problems) is not None:
            return self.panel.to("/contacts", "main-asked" if kind == "main" else "address-asked")
        return self._one(visit, entry, contact, _of(contact), problems, typed.address)

    def remove(self, visit: Visit) -> Response:
        entry, contact = self._contact(visit)
        if contact.role == "main":
            raise HTTPException(404)
        if not visit.posted:
            return self.panel.show(visit, "contact_remove.html", contact=contact)
        edits, who = self.panel.stores.edits, main_contact(visit).address
        kept = edits.remove_contact(entry.account.id, contact.id, who, self.panel.now())
        return self._done(kept, "contact-removed")

    def cancel(self, visit: Visit) -> Response:
        contact = main_contact(visit)
        cancelled = self.panel.stores.changes.cancel(
            visit.request.path_params["id"], contact.account_id, contact.address, self.panel.now()
        )
        if not cancelled:
            raise HTTPException(404)
        return self.panel.to("/contacts", "change-cancelled")

    # --- parts --------------------------------------------------------------------------------

    def entry(self, visit: Visit) -> AccountEntry:
        """The whole account, for its main contact."""
        entry = self.panel.stores.panel.account(main_contact(visit).id)
        if entry is None:
            raise HTTPException(403)
        return entry

    def _contact(self, visit: Visit) -> tuple[AccountEntry, Contact]:
        entry, wanted = self.entry(visit), visit.request.path_params["id"]
        found = next((c for c in entry.contacts if c.id == wanted), None)
        if found is None:
            raise HTTPException(404)
        return entry, found

    def _changes(self, entry: AccountEntry) -> list[Change]:
        return self.panel.stores.changes.of_account(entry.account.id, self.panel.now())

    def _ask(
        self,
        visit: Visit,
        entry: AccountEntry,
        kind: ChangeKind,
        contact: Contact | None,
        typed: Typed,
        problems: dict[str, str],
    ) -> Change | None:
        """Have an address verified; None where `problems` says why not."""
        try:
            address = parse_address(typed.address)
        except ValueError:
            problems["address"] = "bad-address"
        else:
            if self.panel.settings.desk_of(address) is not None:
                problems["address"] = "our-address"
            elif any(same_address(address, c.address) for c in entry.contacts):
                problems["address"] = "address-taken"
        if problems:
            return None
        change = letters.change(
            self.panel, entry, kind, contact, typed.name, address,
            role=_ROLES.get(typed.role, "additional"),
            language=_LANGUAGES.get(typed.language),
            requested_by=main_contact(visit).address,
        )  # fmt: skip
        try:
            asked = self.panel.stores.changes.ask(
                change, letters.of_change(self.panel, entry, change), self.panel.now()
            )
        except Refused as refused:
            problems["address"] = refused.code
            return None
        self.panel.wake()
        return asked

    def _one(
        self,
        visit: Visit,
        entry: AccountEntry,
        contact: Contact,
        typed: Typed,
        problems: Mapping[str, str] | None = None,
        new_address: str = "",
    ) -> Response:
        values: dict[str, Any] = {
            "contact": contact,
            "typed": typed,
            "problems": problems or {},
            "new_address": new_address,
            "changes": [c for c in self._changes(entry) if c.contact_id == contact.id],
            "services": [s for s in entry.services if (contact.id, s.id) in entry.shares],
        }
        return self.panel.show(visit, "contact.html", 422 if problems else 200, **values)

    def _done(self, kept: bool, done: str) -> Response:
        if not kept:
            raise HTTPException(404)
        self.panel.wake()
        return self.panel.to("/contacts", done)


def _typed(form: Form) -> Typed:
    return Typed(
        one_line(form.get("address"), 320),
        one_line(form.get("name"), 100),
        form.get("role"),
        form.get("language"),
        bool(form.get("signs-in")),
    )


def _of(contact: Contact) -> Typed:
    return Typed(
        contact.address, contact.name, contact.role, contact.language or "", contact.signs_in
    )
