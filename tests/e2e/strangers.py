"""Requests for access tokens from people known and unknown, and what their answers give away (B10).

Each author asks once. Who they are, and whether what they name exists, is drawn for each request
anew, so that load and time of day are the same for all.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any

import yaml
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import create_engine, insert, select

from mailgate.store.people_tables import access_token
from mailgate.store.tables import contact
from tests.e2e.mails import head
from tests.e2e.sender import Dialog, Mail
from tests.e2e.sink import Caught, Sink
from tests.e2e.site import Site
from tests.e2e.visitor import Visitor

TOKENS = "tokens@firma.example"
#: How the token of an existing contact may stand, each with the mail that the truth takes.
STATES = ("never", "expired", "revoked", "unverified", "valid")
#: What may be wrong with a request that names nobody.
WRONG = ("address", "account", "everything")
#: Accounts of these numbers exist, and of those beyond do not; all have as many digits.
FIRST, BEYOND = 10_000, 60_000
#: Seconds between two requests.
PACE = 0.05
_LABELS = ("Firma", "Numer konta", "Adres e-mail", "Wyjaśnienie")
_TOKEN = re.compile(r"#\d+:[0-9a-f]{20}")


@dataclass(frozen=True)
class Ask:
    """One request; `named` is what stands behind it in the directory, or what is wrong with it."""

    author: str
    registered: bool
    named: str
    mail: Mail

    @property
    def exists(self) -> bool:
        return self.named in STATES


@dataclass(frozen=True)
class Answer:
    """What the author of a request got: how many mails, the first of them, how long it took, from
    the 250 and from the moment before the mail was handed over."""

    ask: Ask
    mails: tuple[Caught, ...]
    seconds: float
    whole: float

    @property
    def text(self) -> str:
        """The mail without what is another in each: its number, code, ids, date, the address."""
        (mail, *_) = self.mails
        fields = [f"{name}: {value}" for name, value in mail.message.items() if name != "Date"]
        whole = "\n".join([mail.reverse_path, *fields, "", mail.text])
        whole = _TOKEN.sub("#N:CODE", whole).replace(self.ask.author, "AUTHOR")
        return re.sub(r"(?m)^(Message-ID|In-Reply-To|References|X-Mailgate-\S+): .*", r"\1", whole)

    @property
    def shape(self) -> tuple[str, ...]:
        """Names of the header fields in their order."""
        return tuple(self.mails[0].message.keys())

    @property
    def size(self) -> int:
        """Octets, as they went over the wire."""
        return len(self.mails[0].content)


class Watch(Sink):
    """A relay that notes when each recipient's mails came."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.came: dict[str, list[tuple[float, Caught]]] = {}

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's hook
        at = time.perf_counter()
        content = envelope.original_content or b""
        mail = Caught(envelope.mail_from or "", tuple(envelope.rcpt_tos), content)
        with self._changed:
            for recipient in mail.recipients:
                self.came.setdefault(recipient, []).append((at, mail))
            self._changed.notify_all()
        return "250 2.0.0 kept"

    def first(self, recipient: str, seconds: float = 30) -> float:
        """When the first mail to that recipient came; waits for it."""
        with self._changed:
            if not self._changed.wait_for(lambda: recipient in self.came, seconds):
                raise TimeoutError(f"nothing came for {recipient}")
            return self.came[recipient][0][0]

    def count(self) -> int:
        with self._changed:
            return sum(map(len, self.came.values()))


def house(site: Site, count: int) -> Site:
    """A site with a token desk, and with so many accounts that nobody is asked about twice."""
    site.configure(
        desks={"tokens": {"addresses": [TOKENS], "tag": "Token", "purpose": "tokens"}},
        outbound={"limits": {"links_per_hour": 10 * count}},
        intake={"connections_per_peer": 200},
    )
    site.directory.write_text(yaml.safe_dump({"accounts": list(_accounts(count))}), "utf-8")
    site.must("db", "upgrade", "--first-ticket", str(FIRST))  # all numbers of the same length
    site.must("directory", "import", str(site.directory))
    _give_tokens(site)
    return site


def _accounts(count: int) -> Iterator[dict[str, Any]]:
    for n in range(FIRST, FIRST + count):
        yield {
            "id": f"K{n}",
            "company": f"Klient {n} sp. z o.o.",
            "language": "pl",
            "contacts": [
                {"address": address, "role": role, "name": "Jan Kowalski"}
                for address, role in (
                    (f"szef@klient{n}.example", "main"),
                    (f"jan@klient{n}.example", "additional"),
                    (f"ola@klient{n}.example", "technical"),
                )
            ],
            "services": [],
        }


def state_of(number: int) -> str:
    return STATES[number % len(STATES)]


def _give_tokens(site: Site) -> None:
    """Tokens in every state, as their history would have left them."""
    engine = create_engine(site.database.replace("postgresql:", "postgresql+psycopg:"))
    now = datetime.now(UTC)
    with engine.begin() as connection:
        query = select(contact).where(contact.c.address.like("jan@%"))
        rows = [_token(row, now) for row in connection.execute(query)]
        connection.execute(insert(access_token), [row for row in rows if row])
    engine.dispose()


def _token(row: Any, now: datetime) -> dict[str, Any] | None:
    state = state_of(int(row.account_id[1:]))
    if state == "never":
        return None
    old = state == "expired"
    return {
        "token_sha256": f"{row.id:064x}",
        "contact_id": row.id,
        "account_id": row.account_id,
        "address": row.address,
        "issued_at": now - timedelta(days=100 if old else 10),
        "issued_by": "test",
        "expires_at": now + timedelta(days=-10 if old else 80),
        "verified_at": None if state == "unverified" else now - timedelta(days=9),
        "revoked_at": now - timedelta(days=1) if state == "revoked" else None,
        "revoked_why": "test" if state == "revoked" else "",
    }


def asks(count: int, seed: int) -> Iterator[Ask]:
    """Requests of the same length in the same words; nobody writes or is named twice."""
    dice = random.Random(seed)
    for n in range(count):
        registered = dice.random() < 0.5
        author = f"ola@klient{(FIRST if registered else BEYOND) + n}.example"
        named = state_of(FIRST + n) if dice.random() < 0.5 else dice.choice(WRONG)
        yield Ask(author, registered, named, _mail(n, author, named))


def _mail(n: int, author: str, named: str) -> Mail:
    address = FIRST + n if named in STATES or named == "account" else BEYOND + n
    account = FIRST + n if named in STATES or named == "address" else BEYOND + n
    text = (
        f"Firma: Klient {account} sp. z o.o.\r\nNumer konta: K{account}\r\n"
        f"Adres e-mail: jan@klient{address}.example\r\n"
        "Wyjaśnienie: nie mogę znaleźć maila z kodem, proszę o nowy.\r\n"
    )
    key = f"ask{n + FIRST}@{author.partition('@')[2]}"
    proven = f"Authentication-Results: mx.firma.example; dmarc=pass header.from={key[9:]}\r\n"
    fields = head(key, author, "Kod").replace(b"To: pomoc@", b"To: tokens@")
    return Mail(key, author, (TOKENS,), proven.encode() + fields + text.encode())


def answers(site: Site, watch: Watch, requests: Sequence[Ask]) -> list[Answer]:
    """One request after the other, so slowly that none waits for the work of the one before."""
    handed, taken = [], []
    with Dialog(site.lmtp, lmtp=True) as dialog:
        for ask in requests:
            handed.append(time.perf_counter())
            (reply,) = dialog.send(ask.mail)
            taken.append(time.perf_counter())
            assert reply.startswith(b"250"), reply
            time.sleep(PACE)
    came = [watch.first(ask.author) for ask in requests]
    return [
        Answer(ask, tuple(mail for _, mail in watch.came[ask.author]), at - since, at - before)
        for ask, at, since, before in zip(requests, came, taken, handed, strict=True)
    ]


def at_the_form(site: Site, requests: Sequence[Ask]) -> dict[str, float]:
    """Milliseconds that the open form takes to answer, by whether what is named exists.

    Each comes from an address of loopback of its own, or the limit of one place would be met.
    """
    seconds: dict[bool, list[float]] = {True: [], False: []}
    pages = set()
    for n, ask in enumerate(requests):
        typed = _typed(ask)
        with Visitor(site, n) as visitor:
            hidden = visitor.get("/panel/token").hidden()
            began = time.perf_counter()
            page = visitor.post("/panel/token", {**hidden, **typed})
            seconds[ask.exists].append(time.perf_counter() - began)
        assert page.status == 200, page.text
        pages.add(page.text.replace(typed["address"], "ADDRESS"))
    assert len(pages) == 1, pages
    return {
        "something that exists": 1000 * median(seconds[True]),
        "something that does not": 1000 * median(seconds[False]),
    }


def _typed(ask: Ask) -> dict[str, str]:
    """What somebody types into the form, from the same request by mail."""
    text = ask.mail.content.decode()
    values = [re.search(rf"{label}: (.+)\r\n", text) for label in _LABELS]
    names = ("company", "account", "address", "explanation")
    return {name: value[1] for name, value in zip(names, values, strict=True) if value}


@dataclass(frozen=True)
class Finding:
    """What somebody learns who compares: of texts, header fields and sizes there should be one."""

    texts: int
    shapes: int
    sizes: int
    counts: frozenset[int]
    """How many mails an author got."""
    medians: dict[str, float]
    """Milliseconds until the answer came, two groups after the other."""

    @property
    def gaps(self) -> dict[str, float]:
        """Milliseconds between the medians of two groups."""
        names = list(self.medians)
        return {
            f"{one} / {other}": abs(self.medians[one] - self.medians[other])
            for one, other in zip(names[::2], names[1::2], strict=True)
        }


def compare(found: Sequence[Answer]) -> Finding:
    follows = list(pairwise(found))
    groups = {
        "something that exists": [a for a in found if a.ask.exists],
        "something that does not": [a for a in found if not a.ask.exists],
        "a registered author": [a for a in found if a.ask.registered],
        "a stranger": [a for a in found if not a.ask.registered],
    }
    medians = {n: 1000 * median(a.seconds for a in picked) for n, picked in groups.items()}
    # The next mail may wait for its 250 while what was decided about the one before is written. The
    # MTA sees that; who sent the mail sees when it was sent and when the answer came.
    for name, exists in (("something that exists", True), ("something that does not", False)):
        whole = [b.whole for a, b in follows if a.ask.exists == exists]
        medians[f"next after {name}"] = 1000 * median(whole)
    return Finding(
        texts=len({answer.text for answer in found}),
        shapes=len({answer.shape for answer in found}),
        sizes=len({answer.size for answer in found}),
        counts=frozenset(len(answer.mails) for answer in found),
        medians=medians,
    )
