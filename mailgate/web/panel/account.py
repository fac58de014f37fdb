"""The account: company, language, who may sign in, access tokens, and what each role may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from mailgate.model.directory import LANGUAGES, Language
from mailgate.web.panel import letters
from mailgate.web.panel.contacts import ContactPages
from mailgate.web.panel.site import Panel, main_contact, one_line, person
from mailgate.web.session import Visit

_LANGUAGES: Mapping[str, Language] = {language: language for language in LANGUAGES}


class AccountPages:
    def __init__(self, panel: Panel, contacts: ContactPages) -> None:
        self.panel = panel
        self.contacts = contacts

    def page(self, visit: Visit) -> Response:
        """The main contact edits the account; others see who they are and what they may do."""
        _, account = person(visit)
        if not visit.posted:
            return self._show(visit, account.company, account.language)
        contact = main_contact(visit)
        company = one_line(visit.form.get("company"))
        language = _LANGUAGES.get(visit.form.get("language"))
        if not company or language is None:
            return self._show(visit, company, visit.form.get("language"), "no-company")
        kept = self.panel.stores.edits.set_account(
            account.id, company, language, contact.address, self.panel.now()
        )
        if not kept:
            raise HTTPException(404)
        self.panel.wake()
        return self.panel.to("/account", "account-saved")

    def revoke(self, visit: Visit) -> Response:
        """The main contact ends any token of the account, everybody else their own."""
        contact, account = person(visit)
        token_id, access = visit.request.path_params["id"], self.panel.stores.access
        if contact.role != "main" and token_id not in {t.id for t in access.of_contact(contact.id)}:
            raise HTTPException(404)
        now = self.panel.now()
        if not access.revoke(token_id, contact.address, "in the panel", now, account.id):
            raise HTTPException(404)
        return self.panel.to("/account", "token-revoked")

    def send_token(self, visit: Visit) -> Response:
        """Mail a new token: to oneself, or as the main contact to anybody of the account (B2, B5).

        It goes to the registered address alone, and ends the earlier one.
        """
        contact, account = person(visit)
        whom = contact
        if (asked := visit.request.path_params["id"]) != contact.id:
            people = self.contacts.entry(visit).contacts if contact.role == "main" else ()
            found = [one for one in people if one.id == asked]
            if not found:
                raise HTTPException(404)
            whom = found[0]
        token = letters.token(self.panel, whom, account)
        made = self.panel.stores.access.issue(
            whom.id, token.token_sha256, token.notice, contact.address, self.panel.now(),
            token.expires_at, token.scopes, account_id=account.id,
            kept_session=visit.who.session.token_sha256 if whom is contact else "",
        )  # fmt: skip
        self.panel.wake()
        return self.panel.to("/account", "token-sent" if made else "token-not-sent")

    def _show(self, visit: Visit, company: str, language: str, problem: str = "") -> Response:
        contact, account = person(visit)
        access = self.panel.stores.access
        main = contact.role == "main"
        tokens = access.of_account(account.id) if main else access.of_contact(contact.id)
        values: dict[str, Any] = {
            "company": company,
            "chosen": language,
            "problem": problem,
            "tokens": tokens,
            "now": self.panel.now(),
            "shared": self.panel.stores.panel.services(contact.id),
            "people": self.contacts.entry(visit).contacts if main else (),
        }
        return self.panel.show(visit, "account.html", 422 if problem else 200, **values)
