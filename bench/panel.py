"""Pages over 100,000 tickets on SQLite: how long lists and searches take, and what they ask."""

from __future__ import annotations

import random as chance
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

import structlog
from sqlalchemy import event, func, insert, select, text

from mailgate.clock import queue_id
from mailgate.clock import random as unpredictable
from mailgate.store.people_tables import search as search_table
from mailgate.store.search import mark, words
from mailgate.store.tables import account, contact, content, item, message, service, share, ticket
from tests.web.house import ANNA, JAN, Stock
from tests.world import START

TICKETS, ACCOUNTS, AT_ONCE, ROUNDS = 100_000, 2_000, 5_000, 40
#: Words as they come in language: the first of them in every third mail, the last in a few.
WORDS = [f"slowo{n}" for n in range(3_000)]
VERDICTS = ("authorized", "authorized", "pending", "unauthorized", "filed")
STANDINGS = {"filed": "none"}
#: Steps of SQLite's virtual machine between two counts; a row that is looked at takes 10 to 50.
STEPS = 100


def texts(dice: chance.Random) -> str:
    return " ".join(WORDS[min(int(dice.paretovariate(0.4)) - 1, 2_999)] for _ in range(40))


def fill(connection: Any) -> None:
    """Tickets with one message each; every thousandth is the bakery's, and shared with Jan."""
    dice = chance.Random(1)
    (sha,) = connection.execute(select(content.c.sha256).limit(1)).scalars()
    number = connection.execute(select(func.max(ticket.c.number))).scalar_one()
    connection.execute(
        insert(account),
        [
            {"id": f"b{n}", "company": f"Firma {n}", "language": "pl", "updated_at": START}
            for n in range(ACCOUNTS)
        ],
    )
    anna = connection.execute(select(contact.c.id).where(contact.c.address == ANNA)).scalar_one()
    jan = connection.execute(select(contact.c.id).where(contact.c.address == JAN)).scalar_one()
    shop = connection.execute(
        select(share.c.service_id).join(service).where(share.c.contact_id == jan)
    ).scalar_one()
    for begin in range(0, TICKETS, AT_ONCE):
        rows: dict[str, list[dict[str, Any]]] = {"t": [], "i": [], "m": [], "s": []}
        for n in range(begin, begin + AT_ONCE):
            number += 1
            ours = n % 1000 == 0
            whose = "1001" if ours else f"b{n % ACCOUNTS}"
            at = START - timedelta(minutes=TICKETS - n)
            one(rows, dice, number, n, whose, (anna, shop) if ours else (None, None), at, sha)
        for table, key in ((ticket, "t"), (item, "i"), (message, "m"), (search_table, "s")):
            connection.execute(insert(table), rows[key])


def one(
    rows: dict[str, list[dict[str, Any]]],
    dice: chance.Random,
    number: int,
    n: int,
    whose: str,
    bakery: tuple[int | None, int | None],
    at: Any,
    sha: str,
) -> None:
    """One ticket and its message, with the words and marks that find it."""
    verdict, body, id_ = VERDICTS[n % 5], texts(dice), queue_id(at, unpredictable)
    opener, shop = bakery
    state = "open" if n % 10 < 3 else "closed"
    rows["t"].append(
        {
            "number": number, "desk": "support", "subject": body[:60], "state": state,
            "standing": STANDINGS.get(verdict, verdict), "epoch": 0, "language": "pl",
            "account_id": whose, "service_id": shop, "opener_id": opener,
            "created_at": at, "updated_at": at,
        }
    )  # fmt: skip
    rows["i"].append(
        {
            "queue_id": id_, "dedup_key": id_, "desk": "support", "channel": "email", "sha256": sha,
            "reverse_path": "x@y.example", "recipients": [], "received_at": at, "client": "",
            "helo": "", "protocol": "smtp", "tls": False, "entered_by": "", "account_id": whose,
            "state": "done",
        }
    )  # fmt: skip
    rows["m"].append(
        {
            "queue_id": id_, "ticket": number, "account_id": whose, "contact_id": opener,
            "author": f"klient{n}@firma.example", "author_key": f"klient{n}@firma.example",
            "message_id": f"{n}@firma.example", "subject": body[:60], "date": at,
            "received_at": at, "text": body, "reply_text": body, "verdict": verdict,
            "rule": "main-contact", "reasons": ["main-contact-must-confirm"], "labels": [],
            "facts": {}, "code": "absent", "decided_at": at,
        }
    )  # fmt: skip
    marks = [mark("account", whose), mark("verdict", verdict), mark("desk", "support")]
    rows["s"].append({"queue_id": id_, "words": " ".join([*marks, *words(body)])})


class Count:
    """What a page asks of the database: statements, and steps of SQLite's machine."""

    def __init__(self, engine: Any) -> None:
        self.statements = self.steps = 0
        event.listen(engine, "before_cursor_execute", self._statement)
        event.listen(engine, "checkout", self._watch)

    def _statement(self, *_: Any) -> None:
        self.statements += 1

    def _watch(self, connection: Any, *_: Any) -> None:
        connection.set_progress_handler(self._step, STEPS)

    def _step(self) -> int:
        self.steps += STEPS
        return 0


def pages(last: int) -> Iterator[tuple[str, str, Callable[[int], str]]]:
    """A name, who asks, and the address of the n-th time."""
    yield "console: inbox", "reader", lambda n: f"/console?verdict={'' if n % 2 else 'pending'}"
    yield (
        "console: tickets",
        "reader",
        lambda n: f"/console/tickets?state={'open' if n % 2 else ''}",
    )
    yield "console: search, a frequent word", "reader", lambda _: "/console?q=slowo0"
    yield "console: search, a rare word", "reader", lambda n: f"/console?q={WORDS[2000 + n]}"
    yield "console: search, two words", "reader", lambda n: f"/console?q=slowo0+{WORDS[20 + n]}"
    yield "console: tickets by words", "reader", lambda n: f"/console/tickets?q={WORDS[5 + n]}"
    yield "console: one ticket", "reader", lambda n: f"/console/tickets/{last - 1000 - n}"
    yield "panel: tickets, main contact", "main", lambda _: "/panel/tickets"
    yield "panel: tickets, one share", "technical", lambda _: "/panel/tickets"
    yield "panel: search", "main", lambda n: f"/panel/tickets?q={WORDS[n]}"
    yield "API: messages", "reader", lambda _: "/api/v1/messages"
    yield "API: search", "reader", lambda n: f"/api/v1/messages?text={WORDS[20 + n]}"


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("ERROR"))
    with TemporaryDirectory() as built, TemporaryDirectory() as folder:
        house = Stock(Path(built)).copy(Path(folder))
        database = house.world.store.database
        begin = time.perf_counter()
        with database.writing() as connection:
            fill(connection)
        with database.writing() as connection:
            connection.execute(text("ANALYZE"))
            last = connection.execute(select(func.max(ticket.c.number))).scalar_one()
        print(f"{TICKETS:,} tickets in {time.perf_counter() - begin:.0f} s")
        count = Count(database.engine)
        for name, who, address in pages(last):
            house.ask(address(0), who=who)  # templates, caches
            count.statements = count.steps = 0
            took = []
            for n in range(ROUNDS):
                start = time.perf_counter()
                got = house.ask(address(n), who=who)
                took.append((time.perf_counter() - start) * 1000)
                assert got.status == 200, (name, got.status)
            print(
                f"{name:34} median {median(took):6.1f} ms, p95 {quantiles(took, n=20)[-1]:6.1f} ms,"
                f" {count.statements / ROUNDS:4.1f} queries, {count.steps // ROUNDS:9,} steps"
            )
        house.close()


if __name__ == "__main__":
    main()
