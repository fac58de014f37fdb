"""Promise W7: what opens something is in the mail that carries it, and nowhere else."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.browser import code_in
from tests.e2e.sink import Caught, Sink
from tests.e2e.site import Daemon, Site
from tests.e2e.strangers import FIRST, STATES, house
from tests.e2e.visitor import Page, Visitor

_TOKEN = re.compile(r"\bmgt-[a-z2-7]{26}\b")
_LINK = re.compile(r"^\s*(https?://\S+/(?:c|panel/in)/([a-z2-7]+)\S*)\s*$", re.MULTILINE)
#: Six digits by themselves: not a part of a hash, of a time, or of a longer number.
_SIX = re.compile(r"(?<![0-9A-Za-z.:+\-])(\d{3})[ \-]?(\d{3})(?![0-9A-Za-z])")


@dataclass
class Secrets:
    """What was mailed or set as a cookie, and the pages that refused something."""

    long: set[str] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)
    refusals: list[str] = field(default_factory=list)

    def refused(self, page: Page, *statuses: int) -> None:
        assert page.status in statuses, (page.status, page.text)
        self.refusals.append(page.text)


@pytest.fixture
def site(tmp_path: Path, people: int) -> Iterator[Site]:
    made = house(Site(tmp_path), people * len(STATES))
    yield made
    made.end()


@pytest.fixture
def people(full: bool) -> int:
    """Seven secrets each: 10,000 in all."""
    return 1430 if full else 12


@pytest.mark.slow
def test_no_token_and_no_code_is_anywhere_but_in_its_mail(
    site: Site, people: int, tmp_path: Path
) -> None:
    with Sink(site.relay[1]) as sink:
        with Daemon(site) as daemon, ThreadPoolExecutor(24) as several:
            numbers = range(FIRST, FIRST + people * len(STATES), len(STATES))
            found = list(several.map(lambda n: one_person(site, sink, n), numbers))
            processes = process_list(daemon.process.pid)
            open_files = [p.read_bytes() for p in tmp_path.glob("mailgate.db*")]
        mails = b"".join(mail.content for mail in sink.caught)
    long = set().union(*(secrets.long for secrets in found))
    codes = set().union(*(secrets.codes for secrets in found))
    assert len(long) == 6 * people
    places = {
        "log": site.log.read_bytes(),
        "error pages": "\n".join(p for secrets in found for p in secrets.refusals).encode(),
        "process list": processes,
        "database while it runs": b"".join(open_files),
        "database": (tmp_path / "mailgate.db").read_bytes(),
    }
    assert occurrences(long, mails, tmp_path) > 0, "the search itself finds nothing"
    assert {name: occurrences(long, held, tmp_path) for name, held in places.items()} == (
        dict.fromkeys(places, 0)
    )
    places["database"] = columns(tmp_path / "mailgate.db")
    del places["database while it runs"]  # octets of pages: six digits stand there by chance
    assert codes & set(six(mails)) == codes, "the search itself finds nothing"
    assert [name for name, held in places.items() if not codes.isdisjoint(six(held))] == []


def one_person(site: Site, sink: Sink, number: int) -> Secrets:
    """Asks for a token, signs in by token and by link, asks again, and confirms it with a code."""
    secrets = Secrets()
    with Visitor(site, number - FIRST) as visitor:
        visit(visitor, secrets, sink, number)
    return secrets


def visit(visitor: Visitor, secrets: Secrets, sink: Sink, number: int) -> None:
    address = f"jan@klient{number}.example"
    ask(visitor, number)
    token = token_in(sink.wait_for(address)[0])
    in_by_token(visitor, secrets, token)
    in_by_link(visitor, secrets, sink, address)
    ask(visitor, number)
    asked = sink.wait_for(address, count=3)[2]
    confirm(visitor, secrets, asked)
    secrets.long.add(token_in(sink.wait_for(address, count=4)[3]))
    secrets.refused(visitor.get("/api/v1/tickets", Authorization=f"Bearer {token}"), 401)


def ask(visitor: Visitor, number: int) -> None:
    typed = {
        "company": f"Klient {number} sp. z o.o.",
        "account": f"K{number}",
        "address": f"jan@klient{number}.example",
        "explanation": "nie mogę znaleźć maila z kodem",
    }
    page = visitor.fill_in("/panel/token", typed)
    assert page.status == 200, page.text


def in_by_token(visitor: Visitor, secrets: Secrets, token: str) -> None:
    secrets.long.add(token)
    wrong = {"token": token[:-1]}
    secrets.refused(visitor.fill_in("/panel/sign-in", wrong, "/panel/sign-in/token"), 422)
    secrets.refused(visitor.post("/panel/sign-in/token", {"token": token}), 403)
    secrets.refused(visitor.get(f"/panel/{token}"), 404)
    page = visitor.fill_in("/panel/sign-in", {"token": token}, "/panel/sign-in/token")
    assert page.status == 303, page.text
    keep_session(visitor, secrets)


def in_by_link(visitor: Visitor, secrets: Secrets, sink: Sink, address: str) -> None:
    visitor.fill_in("/panel/sign-in", {"address": address}, "/panel/sign-in/link")
    path, token = link_in(sink.wait_for(address, count=2)[1])
    secrets.long.add(token)
    secrets.refused(visitor.get(f"{path}x"), 404, 410)
    secrets.refused(visitor.post(path, {}), 403)
    assert visitor.fill_in(path, {}).status == 303
    secrets.refused(visitor.get(path), 410)
    keep_session(visitor, secrets)


def confirm(visitor: Visitor, secrets: Secrets, asked: Caught) -> None:
    path, token = link_in(asked)
    code = (code_in(asked) or "").replace(" ", "")
    assert code, asked.text
    secrets.long.add(token)
    secrets.codes.add(code)
    secrets.refused(visitor.get(f"{path}x"), 404)
    answer = {"code": code, "choice": "confirm"}
    secrets.refused(visitor.post(path, answer, Origin="https://elsewhere.example"), 403)
    secrets.refused(visitor.get(path, Host="elsewhere.example"), 400)
    assert visitor.fill_in(path, answer).status == 303


def keep_session(visitor: Visitor, secrets: Secrets) -> None:
    """The cookie opens the panel, so it is a secret too; then the person is signed out."""
    secrets.long.add(visitor.cookies["mailgate-customer"])
    page = visitor.get("/panel/tickets")
    assert page.status == 200, page.text
    hidden = page.hidden("/panel/sign-out")
    assert visitor.post("/panel/sign-out", hidden).status == 303


def token_in(mail: Caught) -> str:
    (token,) = set(_TOKEN.findall(mail.text))
    return str(token)


def link_in(mail: Caught) -> tuple[str, str]:
    """Path and token of the link in a mail."""
    (found,) = _LINK.findall(mail.text)
    return urlsplit(found[0]).path, found[1]


def process_list(leader: int) -> bytes:
    """Arguments and environment of every process of the house."""
    seen = b""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(process.name)) == leader:
                seen += (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:  # it has ended meanwhile
            continue
    assert b"serve" in seen
    return seen


def occurrences(secrets: set[str], held: bytes, folder: Path) -> int:
    """How many lines hold one of the secrets."""
    patterns, place = folder / "patterns", folder / "held"
    patterns.write_text("\n".join(sorted(secrets)), encoding="ascii")
    place.write_bytes(held)
    command = ["grep", "--text", "--count", "--fixed-strings", f"--file={patterns}", str(place)]
    return int(subprocess.run(command, capture_output=True, text=True).stdout)


def columns(file: Path) -> bytes:
    """Everything in the database but the content of mail and the index of words."""
    left_out = ('INSERT INTO "content"', 'INSERT INTO "search_fts')
    with sqlite3.connect(file) as database:
        lines = (line for line in database.iterdump() if not line.startswith(left_out))
        return "\n".join(lines).encode()


def six(held: bytes) -> Iterator[str]:
    for found in _SIX.finditer(held.decode("utf-8", "replace")):
        yield found[1] + found[2]
