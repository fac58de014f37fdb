"""A console over a real store, filled with stories: what the tests of its pages stand in."""

from __future__ import annotations

import http.client
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from argon2 import PasswordHasher
from starlette.requests import Request
from starlette.responses import Response

from mailgate.clock import random
from mailgate.faces import Faces
from mailgate.intake.gate import Gate
from mailgate.model.envelope import Envelope
from mailgate.model.people import Staff, StaffRole
from mailgate.model.ticket import LinkState
from mailgate.model.views import InboxMessage, TicketFilter
from mailgate.tokens import link as link_tokens
from mailgate.tokens import ticket as token
from mailgate.tokens.password import Passwords
from mailgate.web.app import create
from mailgate.web.session import Sessions
from mailgate.wiring import open_checked_store
from tests.web.site import Server
from tests.world import DESK, KEYS, ROOT, World, make_world, settings

ANNA, JAN, OLA = "anna@piekarnia.example", "jan@webdesign.example", "ola@piekarnia.example"
STRANGER = "anna.nowak@freemail.example"
PASSWORDS = Passwords(random, PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1))
PEOPLE: dict[str, StaffRole] = {"kasia": "agent", "adam": "admin", "rita": "reader"}
NAMES = {"kasia": "Kasia Zielińska", "adam": "Adam Admin", "rita": "Rita Reader"}
PASSED = "mx.desk.example; dmarc=pass header.from={}"


@dataclass
class Answer:
    """What came back; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def title(self) -> str:
        found = re.search(r"<h1[^>]*>(.*?)</h1>", self.text, re.DOTALL)
        assert found, self.text
        return re.sub(r"<[^>]*>", "", found[1]).strip()

    @property
    def words(self) -> str:
        """What a reader reads: no tags, one blank between words."""
        return " ".join(re.sub(r"<[^>]*>", " ", self.text).split())


@dataclass
class ConsoleHouse:
    """One house with its console, and a browser of somebody who works there."""

    world: World
    server: Server
    cookies: dict[str, str] = field(default_factory=dict)
    csrf: str = ""
    sent: int = 0

    def __post_init__(self) -> None:
        base_url = f"http://127.0.0.1:{self.server.port}"
        self.settings = self.world.settings.model_copy(update={"base_url": base_url})
        self.store = self.world.store
        self.base_url = base_url
        self.woken: list[str] = []
        self.sessions = Sessions(
            "staff",
            self.settings,
            self.store.sessions,
            now=self.world.now,
            random=random,
            stranger=lambda _request: Response(status_code=404),
        )
        self.app = self.server.app = create(
            self.settings,
            links=self.store.links,
            view=self.store.confirm_view,
            keys=KEYS,
            now=self.world.now,
            random=random,
            on_decided=lambda: None,
            routes=Faces(
                settings=self.settings,
                store=self.store,
                keys=KEYS,
                now=self.world.now,
                random=random,
                policy=lambda: self.world.policy,
                ready=lambda: {"database": True, "disk": True, "queue": True, "outbox": False},
                wake_workers=self._wake,
                wake_mailer=lambda: self.woken.append("mailer"),
                passwords=PASSWORDS,
                pauses=(),
            ).routes(),
        )

    def _wake(self) -> None:
        """The worker of this house works at once."""
        self.woken.append("workers")
        self.world.work()

    # --- people -------------------------------------------------------------------------------

    def staff(self, login: str = "kasia") -> Staff:
        known = self.store.staff.find(login)
        assert known
        return known.staff

    def sign_in(self, login: str = "kasia") -> None:
        """kasia is an agent, adam an admin, rita a reader."""
        response = Response()
        self.sessions.start(
            Request({"type": "http", "headers": []}),
            response,
            who=login,
            via="password",
            staff_id=self.staff(login).id,
        )
        name, _, value = response.headers["set-cookie"].partition(";")[0].partition("=")
        self.cookies = {name: value}
        found = re.search(r'name="csrf" value="([^"]+)"', self.ask("/console/me").text)
        assert found
        self.csrf = found[1]

    # --- mail ---------------------------------------------------------------------------------

    def mail(
        self,
        author: str = ANNA,
        subject: str = "Prośba o zmianę serwerów DNS",
        text: str = "Dzień dobry,\nproszę o zmianę serwerów DNS.\n\nAnna Nowak\n",
        *,
        name: str = "",
        html: str = "",
        files: Mapping[str, bytes] | None = None,
        proved: bool = True,
        **fields: str,
    ) -> str:
        """One mail through the gate, judged; gives its queue id."""
        self.sent += 1
        self.world.later(minutes=7)
        message = EmailMessage(policy=SMTP)
        if proved:
            message["Authentication-Results"] = PASSED.format(author.partition("@")[2])
        message["Date"] = format_datetime(self.world.now())
        message["From"] = f'"{name}" <{author}>' if name else author
        message["To"] = DESK
        for field_, value in fields.items():
            message[field_.replace("_", "-").title()] = value
        message["Subject"] = subject
        message["Message-ID"] = f"<{self.sent}@{author.partition('@')[2]}>"
        message.set_content(text)
        if html:
            message.add_alternative(html, subtype="html")
        for filename, octets in (files or {}).items():
            message.add_attachment(octets, maintype="application", subtype="pdf", filename=filename)
        return self.admit(message.as_bytes(), author)

    def admit(self, content: bytes, author: str) -> str:
        envelope = Envelope(author, (DESK,), self.world.now(), client="127.0.0.1")
        (admission,) = Gate(self.settings, random).admissions(envelope, content)
        (admitted,) = self.store.intake.admit([admission])
        self.world.work()
        return admitted.queue_id

    def confirm(self, queue_id: str, state: LinkState = "confirmed") -> None:
        """The contact answers the one link for this message that is still open."""
        nonces = [
            row.notice.link_nonce
            for row in self.world.outbox()
            if row.notice.queue_id == queue_id and row.notice.link_nonce
        ]
        shas = [link_tokens.sha256(link_tokens.token(KEYS, nonce)) for nonce in nonces]
        assert any(self.store.links.decide(sha, state, self.world.now()) for sha in shas)
        self.world.work()

    def message(self, queue_id: str) -> InboxMessage:
        found = self.store.inbox.message(queue_id)
        assert found
        return found

    def token(self, number: int) -> str:
        ticket = self.store.lookup.ticket(number)
        assert ticket
        return token.render("Desk", number, token.code(KEYS, ticket.desk, number, ticket.epoch))

    def wanted(self, **asked: str) -> TicketFilter:
        return TicketFilter(**asked)  # type: ignore[arg-type] # its values are words

    def deliver(self) -> None:
        """The relay takes everything that waits."""
        now = self.world.now()
        for row in self.store.outbox.claim_due(now, 1000):
            self.store.outbox.sent(row.notice.id, "250 2.0.0 Ok: queued as 4F1", now)

    def audited(self) -> list[tuple[str, str, str, str]]:
        """Who did what to which, and why; newest first. Without signing in."""
        rows = self.store.audit.entries(limit=1000).rows
        return [
            (row.who, row.what, row.subject, str(row.why.get("reason", "")))
            for row in rows
            if row.what != "signed-in" and row.who != "setup"
        ]

    # --- a browser ----------------------------------------------------------------------------

    def ask(
        self,
        path: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        sent = {"Host": urlsplit(self.base_url).netloc, **(headers or {})}
        if self.cookies:
            sent.setdefault("Cookie", "; ".join(f"{k}={v}" for k, v in self.cookies.items()))
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        try:
            connection.request(method, path, body, sent)
            got = connection.getresponse()
            found = {k.lower(): v for k, v in got.getheaders()}
            return Answer(got.status, found, got.read())
        finally:
            connection.close()

    def post(self, path: str, csrf: str | None = None, **fields: str | list[str]) -> Answer:
        """A form of ours, sent with the session's token."""
        sent = {"csrf": self.csrf if csrf is None else csrf, **fields}
        return self.ask(
            path,
            "POST",
            urlencode(sent, doseq=True).encode(),
            {"Content-Type": "application/x-www-form-urlencoded", "Origin": "null"},
        )

    def act(self, path: str, **fields: str | list[str]) -> Answer:
        """Send a form and follow to what is shown then."""
        got = self.post(path, None, **fields)
        assert got.status == 303, (got.status, got.words[:500])
        return self.ask(got.headers["location"])


def stock(folder: Path) -> Path:
    """A database with the demo's customers and three of our staff, to be copied for each test."""
    world = make_world(folder)
    world.directory(ROOT / "mailgate" / "demo" / "directory.yaml")
    for login, role in PEOPLE.items():
        world.store.staff.add(
            login, NAMES[login], "pl", role, "hash", "SECRET", "setup", world.now()
        )
    world.store.close()
    return folder


@contextmanager
def console_house(folder: Path, server: Server, stocked: Path) -> Iterator[ConsoleHouse]:
    """A house over a copy of the stock."""
    for file in stocked.iterdir():
        shutil.copy(file, folder / file.name)
    chosen = settings(folder)
    world = World(chosen, open_checked_store(chosen))
    try:
        yield ConsoleHouse(world, server)
    finally:
        world.store.close()
