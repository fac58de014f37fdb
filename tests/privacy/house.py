"""A house with two customers, in which people write, staff answer and rights are asked for."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTPUTF8
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.sql import Select

from mailgate.clock import queue_id, random
from mailgate.model.directory import Contact
from mailgate.model.envelope import Envelope
from mailgate.model.item import Admission
from mailgate.model.notice import Notice
from mailgate.model.privacy import PrivacyRequest, Removal
from mailgate.model.views import MessageView
from mailgate.outbound.answer import answers
from mailgate.outbound.letters import access_token
from mailgate.outbound.render import render
from mailgate.rights import RightsDesk
from mailgate.store import Store
from mailgate.store.tables import contact
from mailgate.tokens import ticket as tokens
from tests.store.builders import entry
from tests.world import DESK, KEYS, World, make_world

ANNA, JAN, OLA = "anna@piekarnia.example", "jan@webdesign.example", "ola@piekarnia.example"
EWA = "ewa@kwiaciarnia.example"
SHOP = "sklep.piekarnia.example"
STAFF = "kasia"


@dataclass
class House:
    """`world` has the clock and the worker, `desk` what pages and commands share."""

    world: World
    desk: RightsDesk

    @property
    def store(self) -> Store:
        return self.world.store

    @property
    def now(self) -> Any:
        return self.world.now()

    def write(
        self,
        sender: str,
        text: str = "Proszę o pomoc.",
        *,
        subject: str = "Pytanie",
        cc: str | None = None,
        proven: bool = True,
        **fields: str,
    ) -> MessageView:
        """One mail, admitted and decided."""
        mail = EmailMessage()
        mail["From"] = sender
        mail["To"] = fields.pop("to", DESK)
        if cc:
            mail["Cc"] = cc
        mail["Subject"] = subject
        mail["Date"] = self.now
        mail["Message-ID"] = f"<{queue_id(self.now, random).lower()}@mail.example>"
        for name, value in fields.items():
            mail[name.replace("_", "-")] = value
        mail.set_content(text)
        octets = mail.as_bytes(policy=SMTPUTF8)
        if proven:
            domain = sender.rpartition("@")[2].rstrip(">")
            said = f"Authentication-Results: mx.desk.example; dmarc=pass header.from={domain}\r\n"
            octets = said.encode() + octets
        return self.admit(octets, sender)

    def admit(self, octets: bytes, sender: str, *, decide: bool = True) -> MessageView:
        self.world.later(seconds=1)
        made = queue_id(self.now, random)
        digest = sha256(octets).hexdigest()
        envelope = Envelope(sender, (DESK,), self.now, "127.0.0.1", "mx.desk.example")
        key = sha256(made.encode()).hexdigest()
        admission = Admission(made, key, "support", "email", envelope, octets, digest)
        self.store.intake.admit([admission])
        if decide:
            self.world.work()
        found = self.store.views.message(made)
        assert found is not None or not decide
        return found  # type: ignore[return-value] # None only where the caller asked for it

    def answer(self, ticket: int, text: str) -> None:
        """Staff answer the ticket's opener, or whoever may read it."""
        found = self.store.inbox.ticket(ticket)
        assert found is not None
        reader = next(r.contact for r in found.readers if r.opener)
        notices = answers(
            found,
            reader,
            [],
            text=text,
            signature="",
            settings=self.world.settings,
            keys=KEYS,
            now=self.now,
            random=random,
        )
        self.store.acts.reply(ticket, notices, STAFF, self.now)

    def contact(self, address: str) -> Contact:
        (found,) = self.store.persons.contacts(address)
        return found

    def directory(self) -> list[str]:
        with self.store.database.reading() as connection:
            return list(connection.execute(select(contact.c.address)).scalars())

    def rows(self, query: Select[Any]) -> list[Any]:
        with self.store.database.reading() as connection:
            return list(connection.execute(query))

    def erase(self, address: str, *, ends: bool = False, account_id: str | None = None) -> Removal:
        request = self.ask_erasure(address, ends=ends, account_id=account_id)
        return self.run(request)

    def ask_erasure(
        self, address: str, *, ends: bool = False, account_id: str | None = None
    ) -> PrivacyRequest:
        store = self.store
        asked = store.privacy_requests.file(
            "erase", address, "Usuńcie moje dane.", STAFF, self.now, account_id=account_id
        )
        approved = store.erasure.approve(asked.id, STAFF, "sprawdzone", self.now, ends=ends)
        assert approved is not None
        return approved

    def run(self, request: PrivacyRequest) -> Removal:
        answer = self.desk.answered(request, self.now)
        return self.store.erasure.run(request.id, self.now, answer)

    def export(self, address: str, account_id: str | None = None) -> zipfile.ZipFile:
        out = BytesIO()
        self.desk.pack(out, address, account_id, self.now)
        return zipfile.ZipFile(out)

    def subject_of(self, mail: MessageView) -> str:
        """A subject that puts an answer on the ticket of this message."""
        assert mail.ticket is not None
        code = tokens.code(KEYS, "support", mail.ticket, 0)
        return f"Re: co innego {tokens.render('Desk', mail.ticket, code)}"

    def sent(self) -> list[Notice]:
        return [row.notice for row in self.world.outbox()]


def issue_token(house: House, address: str) -> str:
    """Issue an access token to a contact; gives the token as the mail has it."""
    contact = house.contact(address)
    account = house.store.lookup.account(contact.account_id)
    assert account is not None
    digest, ends, notice = access_token(
        contact, account, settings=house.world.settings, keys=KEYS, now=house.now, random=random
    )
    house.store.access_tokens.issue(contact.id, digest, notice, STAFF, house.now, ends)
    written = render(notice, house.world.settings, KEYS, house.world.templates)
    return written.secrets[0]


def make_house(folder: Path, database: str | None = None) -> House:
    world = make_world(folder, database)
    baker = entry(
        "1001",
        [(ANNA, "main"), (JAN, "technical"), (OLA, "additional")],
        [SHOP],
        [(JAN, SHOP)],
    )
    florist = entry("1002", [(EWA, "main")], [], company="Kwiaciarnia Ewa Lis")
    world.store.directory.import_entries([baker, florist], world.now())
    return House(world, RightsDesk(world.settings, world.store, KEYS, random))
