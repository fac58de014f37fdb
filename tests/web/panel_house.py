"""A house with a panel: real store, real rules, a worker that works as soon as it is woken."""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

from mailgate.clock import random
from mailgate.intake.entry import entry
from mailgate.model.directory import Contact
from mailgate.model.item import Admission, Admitted
from mailgate.model.notice import OutboxRow
from mailgate.model.people import Scope
from mailgate.model.ports import StorageError
from mailgate.outbound.answer import answers
from mailgate.rights import RightsDesk
from mailgate.settings import Limits
from mailgate.store.directory_files import parse_yaml
from mailgate.web.app import create
from mailgate.web.panel import Stores, routes
from mailgate.wiring import open_store
from tests.web.mails import admitted, issue
from tests.web.site import Answer, Server, Site
from tests.world import KEYS, START, World, settings

DIRECTORY = """\
accounts:
  - id: "1001"
    company: Piekarnia Anna Nowak
    language: pl
    contacts:
      - {address: anna@piekarnia.example, role: main, name: Anna Nowak}
      - {address: jan@webdesign.example, role: technical, name: Jan Kowal}
      - {address: ola@piekarnia.example, role: additional, name: Ola Nowak}
    services:
      - {identifier: piekarnia.example, name: Domena i poczta}
      - {identifier: sklep.piekarnia.example, name: Sklep internetowy}
    shares:
      - {contact: jan@webdesign.example, service: sklep.piekarnia.example}
  - id: "2002"
    company: Northwind Cycles Ltd
    language: en
    contacts:
      - {address: sam@northwind.example, role: main, name: Sam Field}
    services:
      - {identifier: northwind.example, name: Website}
"""
ANNA, JAN, OLA = "anna@piekarnia.example", "jan@webdesign.example", "ola@piekarnia.example"
SAM = "sam@northwind.example"
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "null"}


@dataclass
class PanelHouse:
    """The panel of a small house on a loopback port; its clock is the world's."""

    world: World
    port: int
    base_url: str
    working: bool = True
    lock: threading.Lock = field(default_factory=threading.Lock)
    woken: threading.Event = field(default_factory=threading.Event)
    full: bool = False
    """Whether the database takes no more mail."""

    def wake(self) -> None:
        if self.working:
            with self.lock:
                self.world.work()
        self.woken.set()

    def stores(self) -> Stores:
        store = self.world.store
        house = self

        class Intake:
            def admit(self, batch: Sequence[Admission]) -> list[Admitted]:
                if house.full:
                    raise StorageError
                return store.intake.admit(batch)

        return Stores(
            sessions=store.sessions,
            sign_ins=store.sign_ins,
            access=store.access_tokens,
            attempts=store.attempts,
            panel=store.panel,
            edits=store.edits,
            changes=store.changes,
            intake=Intake(),
            requests=store.privacy_requests,
            make_copy=RightsDesk(self.world.settings, store, KEYS, random).make_copy,
            contacts=store.lookup.contacts,
            account=store.lookup.account,
            message=store.views.message,
        )

    def start(self, server: Server) -> None:
        ours = self.world.settings
        ticks = iter(range(1_000_000))
        panel = routes(
            ours,
            self.stores(),
            keys=KEYS,
            now=self.world.now,
            random=random,
            enter=partial(entry, ours, now=self.world.now, random=random),
            wake=self.wake,
            monotonic=lambda: float(next(ticks)),
            pauses=(0.01, 0.01, 0.05),
        )
        server.app = create(
            ours,
            links=self.world.store.links,
            view=self.world.store.confirm_view,
            keys=KEYS,
            now=self.world.now,
            random=random,
            on_decided=self.wake,
            routes=panel,
            monotonic=lambda: float(next(ticks)),
        )

    def settled(self) -> None:
        """Wait for what is done after an answer went out: every such task ends by waking us."""
        assert self.woken.wait(10)
        self.woken.clear()

    # --- what happens outside of the panel ----------------------------------------------------

    def contact(self, address: str) -> Contact:
        return self.world.store.lookup.contacts(address)[0]

    def mail(self, author: str, subject: str, text: str = "Dzień dobry") -> str:
        """A mail that came in and was judged; gives its queue id."""
        self.world.store.intake.admit([item := admitted(self.world, author, subject, text)])
        with self.lock:
            self.world.work()
        return item.queue_id

    def enter(self, subject: str, text: str) -> str:
        """What staff entered for Anna's account; gives the queue id."""
        item = entry(
            self.world.settings, desk="support", channel="console", account_id="1001",
            entered_by="Kasia", subject=subject, text=text, now=self.world.now, random=random,
        )  # fmt: skip
        self.world.store.intake.admit([item])
        with self.lock:
            self.world.work()
        return item.queue_id

    def answer(self, number: int, to: str, text: str) -> None:
        """What staff answer in a ticket."""
        self.world.later(milliseconds=1)
        found = self.world.store.inbox.ticket(number)
        assert found
        notices = answers(
            found, self.contact(to), [], text=text, signature="Kasia z pomocy",
            settings=self.world.settings, keys=KEYS, now=self.world.now(), random=random,
        )  # fmt: skip
        self.world.store.acts.reply(number, notices, "Kasia", self.world.now())

    def token(self, address: str, scopes: Sequence[Scope] = ("panel",)) -> str:
        """An access token as staff issue it."""
        return issue(self.world, self.contact(address), scopes)

    def letters(self, address: str) -> list[OutboxRow]:
        """Mails of ours to this address, oldest first."""
        rows = [r for r in self.world.outbox() if r.notice.to == address]
        return sorted(rows, key=lambda r: r.notice.id)

    def read(self, row: OutboxRow) -> str:
        message = message_from_bytes(self.world.mail(row), policy=default)
        body = message.get_body(("plain",))
        assert body
        return str(message["Subject"]) + "\n\n" + str(body.get_content())

    def find(self, address: str, pattern: str) -> str:
        """What stands in the newest mail to the address that has such a thing."""
        for row in reversed(self.letters(address)):
            if found := re.search(pattern, self.read(row)):
                return found[0]
        raise AssertionError(f"no mail to {address} has {pattern}")


class Visitor(Site):
    """A browser of one person, without a browser."""

    def __init__(self, house: PanelHouse) -> None:
        self.house = house
        self.base_url = house.base_url
        self.port = house.port
        self.cookies: dict[str, str] = {}

    def ask(self, *arguments: Any, **named: Any) -> Answer:
        """A millisecond later than what was asked before, so that mails have an order."""
        self.house.world.later(milliseconds=1)
        return super().ask(*arguments, **named)

    def start(self, *_: object) -> Visitor:
        return self

    def sign_in(self, address: str) -> Visitor:
        page = self.ask("/panel/sign-in")
        token = self.house.token(address)
        got = self.post("/panel/sign-in/token", None, nonce=page.nonce, token=token)
        assert got.status == 303, got.text
        return self

    def sign_in_again(self, address: str) -> None:
        """By a link, in a browser that has a session: the sign-in page itself would lead on."""
        token, panel = self.house.token(address), "/panel/sign-in/token"
        nonce = Visitor(self.house).ask("/panel/sign-in").cookies[0].partition("=")[2][:32]
        self.cookies["mailgate"] = nonce
        assert self.post(panel, None, nonce=nonce, token=token).status == 303

    def csrf(self) -> str:
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', self.ask("/panel/account").text)
        assert found
        return found[1]

    def send(self, path: str, *fields: tuple[str, str], csrf: str | None = None) -> Answer:
        """Submit a form of a page; `csrf` stands in for the session's own token."""
        token = self.csrf() if csrf is None else csrf
        body = urlencode([("csrf", token), *fields]).encode()
        return self.ask(path, "POST", body, _FORM)

    def upload(self, path: str, fields: dict[str, str], *files: tuple[str, bytes]) -> Answer:
        mark = "----mark"
        parts = [
            f'--{mark}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'.encode()
            for n, v in {"csrf": self.csrf(), **fields}.items()
        ]
        parts += [
            f'--{mark}\r\nContent-Disposition: form-data; name="files"; filename="{n}"\r\n'
            f"Content-Type: application/pdf\r\n\r\n".encode()
            + octets
            + b"\r\n"
            for n, octets in files
        ]
        body = b"".join(parts) + f"--{mark}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={mark}", "Origin": "null"}
        return self.ask(path, "POST", body, kind)

    def follow(self, answer: Answer) -> Answer:
        """Where a redirect leads, as far as it leads."""
        while answer.status == 303:
            answer = self.ask(answer.headers["location"])
        return answer


@functools.cache
def furnished() -> bytes:
    """A database with the directory in it, made once for all houses."""
    with TemporaryDirectory() as folder:
        plain = settings(Path(folder))
        with closing(open_store(plain)) as store:
            store.upgrade()
            store.directory.import_entries(parse_yaml(DIRECTORY, "directory.yaml"), START)
        return (Path(folder) / "mailgate.db").read_bytes()


def make_house(
    folder: Path, server: Server, limits: Limits | None = None, base_url: str = ""
) -> PanelHouse:
    """Our mail is not bounded unless asked: a test does in a second what takes people a day."""
    base_url = base_url or f"http://127.0.0.1:{server.port}"
    (folder / "mailgate.db").write_bytes(furnished())
    plain = settings(folder)
    limits = limits or Limits(**dict.fromkeys(Limits.model_fields, 1000))
    outbound = plain.outbound.model_copy(update={"limits": limits})
    chosen = plain.model_copy(update={"base_url": base_url, "outbound": outbound})
    house = PanelHouse(World(chosen, open_store(chosen)), server.port, base_url)
    house.start(server)
    return house
