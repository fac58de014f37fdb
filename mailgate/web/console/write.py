"""What staff write: an answer to the customer, and a ticket entered in the customer's name (A9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response
from starlette.routing import Route

from mailgate.clock import Random
from mailgate.model.directory import AccountEntry, Contact
from mailgate.model.views import ConsoleTicket
from mailgate.model.web_ports import Refused
from mailgate.outbound.answer import answers
from mailgate.settings import Settings
from mailgate.tokens.keys import Keys
from mailgate.web.console.acts import wait_for_verdict
from mailgate.web.console.frame import Frame, Incomplete, staff_of
from mailgate.web.console.tickets import Tickets
from mailgate.web.session import Visit

#: A form may have 64 KiB; this is as much in any script.
_LONGEST_TEXT = 20_000
_LONGEST_SUBJECT = 200


@dataclass(frozen=True)
class Write:
    frame: Frame
    tickets: Tickets
    settings: Settings
    keys: Keys
    random: Random
    pauses: Sequence[float]

    def routes(self) -> list[Route]:
        return [
            Route(
                "/console/tickets/{number:int}/answer",
                self.frame.endpoint(self.answer, "agent"),
                methods=["POST"],
            ),
            Route("/console/new", self.frame.endpoint(self.new, "agent"), methods=["GET", "POST"]),
        ]

    # --- an answer ----------------------------------------------------------------------------

    def answer(self, visit: Visit) -> Response:
        """A mail to a reader of the ticket, with its token; copies only to those it is shared
        with. The store looks once more whether each of them may have it."""
        found = self.tickets.find(visit)
        try:
            self._send(visit, found)
        except Incomplete as problem:
            return self.tickets.shown(visit, found, problem.code)
        self.frame.around.wake_mailer()
        return self.frame.back(visit, "tickets", found.view.ticket.number, done="answered")

    def _send(self, visit: Visit, found: ConsoleTicket) -> None:
        text = _text(visit)
        to, cc = _readers(found, visit.form.get("to"), visit.form.all("cc"))
        staff, now = staff_of(visit), self.frame.now()
        notices = answers(
            found,
            to,
            cc,
            text=text,
            signature=staff.signature,
            settings=self.settings,
            keys=self.keys,
            now=now,
            random=self.random,
        )
        try:
            self.frame.store.acts.reply(found.view.ticket.number, notices, staff.login, now)
        except Refused as refused:
            raise Incomplete(refused.code) from None

    # --- a ticket for a customer --------------------------------------------------------------

    def new(self, visit: Visit) -> Response:
        """Whatever is entered here is unauthorized until the account's main contact confirms it:
        the rules say so, this page does not."""
        if not visit.posted:
            query = visit.request.query_params
            return self._form(visit, self._account(query.get("account", "")))
        form = visit.form
        entry = self._account(form.get("account"))
        if entry is None:
            return self._form(visit, None, "account")
        subject = " ".join(form.get("subject").split())[:_LONGEST_SUBJECT]
        desk, text = form.get("desk"), form.get("text").strip()
        if not subject or not text or desk not in self.settings.desks:
            return self._form(visit, entry, "incomplete")
        queue_id = self._enter(visit, entry, desk, subject, text[:_LONGEST_TEXT])
        self.frame.around.wake_workers()
        wait_for_verdict(self.frame, queue_id, self.pauses)
        return self.frame.back(visit, "m", queue_id, done="entered")

    def _enter(self, visit: Visit, entry: AccountEntry, desk: str, subject: str, text: str) -> str:
        chosen = visit.form.get("service")
        service = next((s for s in entry.services if str(s.id) == chosen), None)
        if service and service.identifier.lower() not in f"{subject}\n{text}".lower():
            subject = f"{service.identifier}: {subject}"  # it is found by its name, as in a mail
        admission = self.frame.around.enter(
            desk=desk,
            channel="console",
            account_id=entry.account.id,
            entered_by=staff_of(visit).login,
            subject=subject,
            text="\n".join(text.splitlines()) + "\n",
        )
        (admitted,) = self.frame.store.intake.admit([admission])
        return admitted.queue_id

    def _account(self, named: str) -> AccountEntry | None:
        named = named.strip()[:200]
        if not named:
            return None
        directory = self.frame.store.directory
        found = directory.of_address(named) if "@" in named else directory.export(named)
        return found[0] if found else None

    def _form(self, visit: Visit, entry: AccountEntry | None, problem: str = "") -> Response:
        form, query = visit.form, visit.request.query_params
        named = form.get("account") or query.get("account", "")
        if named and entry is None:
            problem = "account"
        return self.frame.render(
            visit,
            "new.html",
            422 if visit.posted else 200,
            here="new",
            account=entry,
            named_account=named[:200],
            problem=problem,
            desks=self.settings.desks,
            typed={n: form.get(n) for n in ("service", "subject", "text", "desk")},
        )


def _text(visit: Visit) -> str:
    text = "\n".join(visit.form.get("text").splitlines()).strip()
    if not text:
        raise Incomplete("text")
    if len(text) > _LONGEST_TEXT:
        raise Incomplete("too-long")
    return text


def _readers(
    found: ConsoleTicket, to: str, cc: Sequence[str]
) -> tuple[Contact, tuple[Contact, ...]]:
    """Whom the answer goes to, and who gets a copy; all must be readers of the ticket."""
    readers = {str(reader.contact.id): reader.contact for reader in found.readers}
    if to not in readers:
        raise Incomplete("to-not-allowed")
    if not set(cc) <= readers.keys():
        raise Incomplete("cc-not-allowed")
    return readers[to], tuple(readers[one] for one in dict.fromkeys(cc) if one != to)
