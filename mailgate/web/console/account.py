"""One account for staff: its contacts, their access tokens, and whether our mail reaches them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from mailgate.clock import Random
from mailgate.model.directory import AccountEntry, Contact
from mailgate.outbound.letters import access_token
from mailgate.settings import Settings
from mailgate.tokens.keys import Keys
from mailgate.web.console.frame import Frame, Incomplete, reason_of, staff_of
from mailgate.web.session import Visit


@dataclass(frozen=True)
class AccountPage:
    """When a token was issued and to whom, never the token: it is mailed to the contact alone."""

    frame: Frame
    settings: Settings
    keys: Keys
    random: Random

    def routes(self) -> list[Route]:
        acts = {
            "/console/contacts/{id:int}/token": self.issue,
            "/console/contacts/{id:int}/works": self.works,
            "/console/tokens/{id:int}/revoke": self.revoke,
        }
        return [
            Route("/console/accounts/{account_id:path}", self.frame.endpoint(self.page)),
            *(
                Route(path, self.frame.endpoint(act, "agent"), methods=["POST"])
                for path, act in acts.items()
            ),
        ]

    def page(self, visit: Visit) -> Response:
        entry = self._entry(visit.request.path_params["account_id"])
        store = self.frame.store
        tokens = store.access_tokens.of_account(entry.account.id)
        paused = store.pauses.among(contact.address for contact in entry.contacts)
        return self.frame.render(
            visit,
            "account.html",
            here="tickets",
            account=entry.account,
            contacts=sorted(entry.contacts, key=lambda c: (c.role != "main", c.address)),
            tokens={c.id: [t for t in tokens if t.contact_id == c.id] for c in entry.contacts},
            former=[t for t in tokens if t.contact_id not in {c.id for c in entry.contacts}],
            paused={one.address: one.paused_at for one in paused},
            now=self.frame.now(),
        )

    def issue(self, visit: Visit) -> Response:
        entry, contact = self._contact(visit)
        who, why, now = staff_of(visit).login, reason_of(visit), self.frame.now()
        sha256, expires, notice = access_token(
            contact, entry.account,
            settings=self.settings, keys=self.keys, now=now, random=self.random,
        )  # fmt: skip
        made = self.frame.store.access_tokens.issue(
            contact.id, sha256, notice, who, now, expires, self.settings.access_tokens.scopes,
            account_id=entry.account.id, why=why,
        )  # fmt: skip
        if made is None:
            raise Incomplete("no-token")
        self.frame.around.wake_mailer()
        return self._back(visit, entry, "token-issued")

    def revoke(self, visit: Visit) -> Response:
        entry = self._entry(visit.form.get("account"))
        tokens, asked = self.frame.store.access_tokens, visit.request.path_params["id"]
        if asked not in {token.id for token in tokens.of_account(entry.account.id)}:
            raise HTTPException(404)
        who, why = staff_of(visit).login, reason_of(visit)
        if not tokens.revoke(asked, who, why, self.frame.now(), entry.account.id):
            raise Incomplete("not-now")
        return self._back(visit, entry, "token-revoked")

    def works(self, visit: Visit) -> Response:
        """Our mail reaches the address again: whoever says so has asked there."""
        entry, contact = self._contact(visit)
        who, why, now = staff_of(visit).login, reason_of(visit), self.frame.now()
        if not self.frame.store.pauses.end(contact.address, who, why, now):
            raise Incomplete("not-now")
        self.frame.around.wake_workers()
        return self._back(visit, entry, "address-works")

    def _entry(self, account_id: str) -> AccountEntry:
        found = self.frame.store.directory.export(account_id) if account_id else []
        if not found:
            raise HTTPException(404)
        return found[0]

    def _contact(self, visit: Visit) -> tuple[AccountEntry, Contact]:
        """The contact, who must be one of the account that the form was shown for."""
        entry, asked = self._entry(visit.form.get("account")), visit.request.path_params["id"]
        found = [contact for contact in entry.contacts if contact.id == asked]
        if not found:
            raise HTTPException(404)
        return entry, found[0]

    def _back(self, visit: Visit, entry: AccountEntry, done: str) -> Response:
        return self.frame.back(visit, "accounts", quote(entry.account.id), done=done)
