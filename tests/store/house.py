"""Two customers with tickets of theirs, for tests of what pages ask: the baker and the florist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mailgate.model.decision import Verdict
from mailgate.model.directory import Contact, Service
from mailgate.model.message import Mailbox
from mailgate.model.ticket import Ticket
from mailgate.store import Store
from tests.store.builders import NOW, admission, decide, entry, take

ANNA, JAN, OLA = "anna@piekarnia.example", "jan@webdesign.example", "ola@piekarnia.example"
FLORIST = "ewa@kwiaciarnia.example"
SHOP, MAIL = "sklep.piekarnia.example", "poczta.piekarnia.example"


@dataclass
class House:
    """`contacts` by address, `services` by identifier."""

    store: Store
    contacts: dict[str, Contact]
    services: dict[str, Service]

    def id(self, address: str) -> int:
        return self.contacts[address].id

    def service(self, identifier: str) -> int:
        return self.services[identifier].id

    def receive(
        self,
        text: str,
        verdict: Verdict = "authorized",
        *,
        sender: str | None = ANNA,
        ticket: Ticket | None = None,
        service: str | None = None,
        account: str | None = None,
        admitted: dict[str, Any] | None = None,
        **how: Any,
    ) -> str:
        """One message decided, as from this contact; gives its queue id."""
        offered = admission(text, **(admitted or {}))
        (made,) = self.store.intake.admit([offered])
        contact = self.contacts[sender] if sender else None
        case = {
            "service_id": self.service(service) if service else None,
            "account_id": account or (contact.account_id if contact else None),
        }
        author = sender or "stranger@freemail.example"
        how = {"subject": text, "author": author, "from_": (Mailbox("", author),), **how}
        item = take(self.store, made.queue_id)
        decide(self.store, item, verdict, contact=contact, ticket=ticket, case=case, **how)
        return made.queue_id

    def ticket(self, text: str, *args: Any, **how: Any) -> Ticket:
        """A ticket opened by one message."""
        view = self.store.views.message(self.receive(text, *args, **how))
        assert view is not None
        assert view.ticket is not None
        found = self.store.lookup.ticket(view.ticket)
        assert found is not None
        return found


def make_house(store: Store) -> House:
    baker = entry(
        "1001",
        [(ANNA, "main"), (JAN, "technical"), (OLA, "additional")],
        [SHOP, MAIL],
        [(JAN, SHOP)],
    )
    florist = entry(
        "1002", [(FLORIST, "main")], ["kwiaciarnia.example"], company="Kwiaciarnia Ewa Lis"
    )
    store.directory.import_entries([baker, florist], NOW)
    entries = store.directory.export()
    return House(
        store,
        {c.address: c for e in entries for c in e.contacts},
        {s.identifier: s for e in entries for s in e.services},
    )
