"""The whole site over a real store with a few stories in it, and people who ask for its pages."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlencode, urlsplit

from argon2 import PasswordHasher
from sqlalchemy import text
from starlette.applications import Starlette

from mailgate.clock import queue_id, random
from mailgate.faces import Faces
from mailgate.intake.entry import entry
from mailgate.intake.gate import Gate
from mailgate.model.envelope import Envelope
from mailgate.model.notice import Notice
from mailgate.model.people import SCOPES, Session, Staff, StaffRole
from mailgate.model.privacy import RequestKind
from mailgate.store.directory_files import parse_yaml
from mailgate.store.people_tables import access_token
from mailgate.tokens import access, link, message_id
from mailgate.tokens import change as change_tokens
from mailgate.tokens.password import Passwords
from mailgate.tokens.session import sign_in_token
from mailgate.web.app import create
from mailgate.wiring import open_checked_store
from tests.world import DESK, KEYS, World, make_world, settings

ANNA, JAN, OLA = "anna@piekarnia.example", "jan@webdesign.example", "ola@piekarnia.example"
SAM = "sam@northwind.example"
#: Who asks: the main contact of account 1001; of the same account a technical contact with a share
#: of another service, and a contact who is only in CC; the main contact of another account; staff.
CUSTOMERS = {"main": ANNA, "technical": JAN, "cc": OLA, "other": SAM}
STAFF: tuple[StaffRole, ...] = get_args(StaffRole)
PEOPLE = ("anonymous", *CUSTOMERS, *STAFF)
PASSWORD, SECRET = "kawa-na-tarasie", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PASSWORDS = Passwords(random, PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1))
CSRF = "c5" * 16

MAIL = """\
Authentication-Results: mx.desk.example; dmarc=pass (p=reject) header.from={domain}
Message-ID: <{key}@{domain}>
Date: Mon, 16 Nov 2026 10:21:00 +0000
From: {name} <{author}>
To: {desk}
Cc: {cc}
Subject: {subject}
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: multipart/alternative; boundary=a

--a
Content-Type: text/plain; charset=utf-8

{body}
--a
Content-Type: text/html; charset=utf-8

<p>{body} <a href="https://elsewhere.example/">tutaj</a><img src="https://elsewhere.example/p"></p>
--a--
--b
Content-Type: application/pdf
Content-Disposition: attachment; filename=umowa.pdf
Content-Transfer-Encoding: base64

JVBERi0xLjQKJcOkw7zDtsOfCg==
--b--
"""


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
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class House:
    """`ids` name what the stories made: ticket, message, contact … of account 1001."""

    world: World
    app: Starlette
    ids: dict[str, Any] = field(default_factory=dict)
    woken: list[str] = field(default_factory=list)

    def close(self) -> None:
        self.world.store.close()

    # --- asking -------------------------------------------------------------------------------

    def ask(
        self,
        path: str,
        method: str = "GET",
        who: str = "anonymous",
        *,
        form: Mapping[str, str] | None = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        api: bool | None = None,
    ) -> Answer:
        """One request, as the browser or the script of that person would send it."""
        sent = {"host": urlsplit(self.world.settings.base_url).netloc}
        api = path.startswith("/api/") if api is None else api
        sent |= self.token(who) if api else self.cookie(who)
        body = b""
        if form is not None:
            body = urlencode(form).encode()
            sent["content-type"] = "application/x-www-form-urlencoded"
        elif data is not None:
            body = json.dumps(data).encode()
            sent["content-type"] = "application/json"
        sent |= headers or {}
        # In a thread of its own: a test that drives a browser has a loop running in this one.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(
                lambda: asyncio.run(_call(self.app, method, path, sent, body))
            ).result()

    def post(self, path: str, who: str, **fields: str) -> Answer:
        """A form of one of our own pages."""
        return self.ask(path, "POST", who, form={"csrf": CSRF, "nonce": "0" * 32, **fields})

    def cookie(self, who: str) -> dict[str, str]:
        """A session that is there already; signing in has tests of its own."""
        if who == "anonymous":
            return {"cookie": "mailgate=" + "0" * 32}
        kind = "staff" if who in STAFF else "customer"
        token = f"{who:_<64}"
        sha = access.sha256(token)
        now = self.world.now()
        if self.world.store.sessions.find(sha, now, timedelta(minutes=30)) is None:
            session = Session(
                token_sha256=sha,
                kind=kind,  # type: ignore[arg-type] # one of the two
                via="password" if kind == "staff" else "link",
                csrf=CSRF,
                created_at=now,
                seen_at=now,
                ends_at=now + timedelta(hours=12),
                contact_id=self.contact(who).id if kind == "customer" else None,
                staff_id=self.staff(who).id if kind == "staff" else None,
            )
            self.world.store.sessions.start(session, who)
        return {"cookie": f"mailgate-{kind}={token}; mailgate={'0' * 32}"}

    def token(self, who: str, *scopes: str) -> dict[str, str]:
        """A token for the API: one of staff, or the access token of a customer. A customer's is
        there already and was used; issuing and verifying have tests of their own."""
        if who == "anonymous":
            return {}
        if who not in STAFF:
            return self._access_token(who, scopes or SCOPES)
        made = f"mga-{who:a<26}" if not scopes else access.api_token(random)
        sha, now = access.sha256(made), self.world.now()
        tokens = self.world.store.api_tokens
        if tokens.find(sha, now) is None:
            until = now + timedelta(days=30)
            asked = scopes or ("read", "act")
            tokens.issue(self.staff(who).id, who, sha, asked, "tests", now, until)
        return {"authorization": f"Bearer {made}"}

    def _access_token(self, who: str, scopes: Sequence[str]) -> dict[str, str]:
        made = "mgt-" + "".join(c for c in f"{who}{''.join(scopes)}" if c.isalpha()).ljust(26, "a")
        made = made[:30]
        sha, now, contact = access.sha256(made), self.world.now(), self.contact(who)
        if self.world.store.access_tokens.use(sha, now, None) is None:
            values = {
                "token_sha256": sha,
                "contact_id": contact.id,
                "account_id": contact.account_id,
                "address": contact.address,
                "issued_at": now,
                "issued_by": "tests",
                "expires_at": now + timedelta(days=90),
                "verified_at": now,
                "last_used_at": now,
                "scopes": list(scopes),
            }
            with self.world.store.database.writing() as connection:
                connection.execute(access_token.insert(), values)
        return {"authorization": f"Bearer {made}"}

    # --- who and what -------------------------------------------------------------------------

    def contact(self, who: str) -> Any:
        return self.world.store.lookup.contacts(CUSTOMERS[who])[0]

    def staff(self, role: str) -> Staff:
        found = self.world.store.staff.find(f"{role}1")
        assert found
        return found.staff

    def state(self) -> dict[str, Any]:
        """All that the database holds, but for who was seen when and how often somebody tried."""
        quiet = {"session": ("seen_at",), "api_token": ("last_used_at",)}
        kept = {}
        with self.world.store.database.reading() as connection:
            query = "SELECT name FROM sqlite_master WHERE type = 'table'"
            for (table,) in connection.execute(text(query)).all():
                if table == "attempt" or table.startswith(("sqlite_", "search_")):
                    continue
                rows = connection.execute(text(f'SELECT * FROM "{table}"')).mappings()  # noqa: S608 - our own tables
                drop = quiet.get(table, ())
                kept[table] = sorted(
                    repr({k: v for k, v in row.items() if k not in drop}) for row in rows
                )
        return kept


async def _call(
    app: Starlette, method: str, path: str, headers: Mapping[str, str], body: bytes
) -> Answer:
    target, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": target,
        "raw_path": target.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8025),
    }
    heard = [{"type": "http.request", "body": body, "more_body": False}]
    said: list[Any] = []

    async def receive() -> Any:
        return heard.pop(0) if heard else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        said.append(message)

    await app(scope, receive, send)
    start = next(m for m in said if m["type"] == "http.response.start")
    found = {k.decode().lower(): v.decode() for k, v in start["headers"]}
    octets = b"".join(m.get("body", b"") for m in said if m["type"] == "http.response.body")
    return Answer(start["status"], found, octets)


# --- building -------------------------------------------------------------------------------------


def furnish(world: World) -> House:
    """Put the pages over a world that has its stories already."""
    house = House(world, Starlette())
    faces = Faces(
        settings=world.settings,
        store=world.store,
        keys=KEYS,
        now=world.now,
        random=random,
        policy=lambda: world.policy,
        ready=lambda: {"database": True},
        wake_workers=lambda: house.woken.append("workers"),
        wake_mailer=lambda: house.woken.append("mailer"),
        passwords=PASSWORDS,
        pauses=(),
    )
    ticks = iter(range(10**9))
    house.app = create(
        world.settings,
        links=world.store.links,
        view=world.store.confirm_view,
        keys=KEYS,
        now=world.now,
        random=random,
        on_decided=lambda: house.woken.append("workers"),
        routes=faces.routes(),
        monotonic=lambda: float(next(ticks)),
        pauses=(),
    )
    return house


def told(folder: Path) -> tuple[World, dict[str, Any]]:
    """A new database with its stories."""
    world = make_world(folder)
    name = "directory.yaml"
    entries = parse_yaml((files("mailgate.demo") / name).read_text("utf-8"), name)
    world.store.directory.import_entries(entries, world.now())
    for role in STAFF:
        hashed = PASSWORDS.hash(PASSWORD)
        world.store.staff.add(
            f"{role}1", f"Kasia {role}", "pl", role, hashed, SECRET, "tests", world.now()
        )
    house = furnish(world)
    ids = house.ids
    ids["message"] = mail(world, ANNA, "piekarnia.example: zmiana DNS", cc=OLA)
    ids["shared"] = mail(world, JAN, "sklep.piekarnia.example: kopia bazy")
    ids["held"] = _held(world)
    filed = entry(
        world.settings,
        desk="support",
        channel="panel",
        account_id="1001",
        entered_by=ANNA,
        subject="Nowe hasło",
        text="Proszę o reset hasła.",
        now=world.now,
        random=random,
    )
    (admitted,) = world.store.intake.admit([filed])
    world.work()
    ids["filed"] = admitted.queue_id
    for name_, message in (("ticket", "message"), ("closed", "filed"), ("open", "shared")):
        found = world.store.views.message(ids[message])
        assert found, message
        ids[name_] = found.ticket
    assert world.store.tickets.close(ids["closed"], "tests", "done", world.now())
    asking = next(n for n in world.outbox() if n.notice.link_nonce)
    ids["link"] = link.token(KEYS, asking.notice.link_nonce or "")
    ids["notice"] = asking.notice.id
    world.store.outbox.claim_due(world.now(), 10)
    world.store.outbox.failed(ids["notice"], "550 5.1.1 no such user", world.now())
    _people(house)
    return world, ids


def _people(house: House) -> None:
    """A token, a change that waits, a way in by mail, a saved view."""
    world, ids = house.world, house.ids
    anna, ola = house.contact("main"), house.contact("cc")
    ids |= {"main_id": anna.id, "contact": ola.id}
    nonce, unique = access.new_nonce(random), queue_id(world.now(), random)
    host = world.settings.outbound.hostname
    notice = Notice(
        id=unique,
        template="access-token",
        language="pl",
        desk="support",
        to=ANNA,
        to_name="Anna Nowak",
        contact_id=anna.id,
        queue_id=None,
        ticket=None,
        message_id=message_id.make(KEYS, None, anna.id, unique, host),
        date=world.now(),
        values={"company": "Piekarnia", "expires": world.now().isoformat()},
        link_nonce=nonce,
    )
    ids["access"] = access.token(KEYS, nonce)
    issued = world.store.access_tokens.issue(
        anna.id,
        access.sha256(ids["access"]),
        notice,
        "tests",
        world.now(),
        world.now() + timedelta(days=90),
    )
    assert issued
    ids["access_id"] = issued.id
    asked = house.post(
        "/panel/contacts/new",
        "main",
        address="nowy@piekarnia.example",
        name="Nowy",
        role="technical",
        signs_in="on",
    )
    assert asked.status == 303, asked.text
    (waits,) = world.store.changes.of_account("1001", world.now())
    ids["change"] = waits.id
    mailed = house.post("/panel/sign-in/link", "anonymous", address=ANNA)
    assert mailed.status == 200, mailed.text
    nonces = {n.notice.template: n.notice.link_nonce or "" for n in world.outbox()}
    ids["sign_in"] = sign_in_token(KEYS, nonces["sign-in-link"])
    ids["change_token"] = change_tokens.token(KEYS, nonces["verify-address"], "new")
    _rights(house)
    ids["view"] = world.store.saved.save(house.staff("admin").id, "moje", "verdict=held").id


def _rights(house: House) -> None:
    """Requests about personal data: two of the main contact, one answered, with a copy to take, and
    one of each kind that staff work off; a hold and a restriction."""
    world, anna, jan = house.world, house.contact("main"), house.contact("technical")
    requests, holds, now = world.store.privacy_requests, world.store.privacy_holds, world.now()

    def asks(kind: RequestKind, who: Any) -> int:
        address, account = who.address, who.account_id
        filed = requests.file(
            kind, address, "", address, now, contact_id=who.id, account_id=account
        )
        return filed.id

    house.ids |= {
        "asked": asks("erase", anna),
        "copy": asks("access", anna),
        **{f"asks_{kind}": asks(kind, jan) for kind in ("access", "rectify", "erase", "restrict")},
        "technical_id": jan.id,
    }
    requests.close(house.ids["copy"], "done", "Oto kopia.", "tests", now, lambda _request: None)
    house.ids["hold"] = holds.hold("FV/7", "tests", now, ticket=house.ids["ticket"]).id
    house.ids["restriction"] = holds.restrict(OLA, "spór", "tests", now).id


def mail(world: World, author: str, subject: str, cc: str = "") -> str:
    domain, name = author.partition("@")[2], author.partition("@")[0].title()
    content = MAIL.format(
        domain=domain,
        key=queue_id(world.now(), random),
        name=name,
        author=author,
        desk=DESK,
        cc=cc or DESK,
        subject=subject,
        body="Proszę o zmianę serwerów DNS.",
    )
    envelope = Envelope(author, (DESK,), world.now(), client="127.0.0.1", helo="mx.desk.example")
    octets = content.replace("\n", "\r\n").encode()
    (admission,) = Gate(world.settings, random).admissions(envelope, octets)
    (admitted,) = world.store.intake.admit([admission])
    world.work()
    return admitted.queue_id


def _held(world: World) -> str:
    envelope = Envelope(ANNA, (DESK,), world.now())
    octets = b"Subject: [Desk#1:0123456789abcdef0123] nie do zrobienia\r\n\r\nTekst.\r\n"
    (admission,) = Gate(world.settings, random).admissions(envelope, octets)
    world.store.intake.admit([admission])
    item = world.store.queue.claim("tests", world.now())
    assert item
    world.store.queue.hold(item, "it broke")
    return item.queue_id


class Stock:
    """One house that was built once; each test gets a copy of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        world, self.ids = told(folder)
        world.store.close()

    def copy(self, folder: Path) -> House:
        for file in self.folder.iterdir():
            shutil.copy(file, folder / file.name)
        chosen = settings(folder)
        house = furnish(World(chosen, open_checked_store(chosen)))
        house.ids |= self.ids
        return house
