"""The door of the console: who gets in, who does not, and what those who do not are told."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from statistics import median
from typing import Any
from urllib.parse import quote

import pytest
from argon2 import PasswordHasher
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route

from mailgate.clock import random
from mailgate.model.people import Bound, Credentials, Session, SignedIn, Staff
from mailgate.settings import Settings
from mailgate.tokens import totp
from mailgate.tokens.password import Passwords
from mailgate.web.console import signin
from mailgate.web.console.frame import stranger
from mailgate.web.session import Sessions, Visit
from tests.web.site import HTTPS, KEYS, START, Answer, Server, Site

#: As production, only cheaper.
PASSWORDS = Passwords(random, PasswordHasher(time_cost=2, memory_cost=8192, parallelism=1))
SECRET = totp.new_secret(random)
KASIA = Staff(1, "kasia", "Katarzyna Lis", "pl", "agent", totp=True, created_at=START)
PASSWORD = "kawa-na-tarasie"


@dataclass
class People:
    """Staff, sessions and attempts in memory."""

    kasia: Credentials = field(
        default_factory=lambda: Credentials(KASIA, PASSWORDS.hash(PASSWORD), SECRET, 0)
    )
    sessions: dict[str, Session] = field(default_factory=dict)
    tries: dict[str, list[datetime]] = field(default_factory=dict)
    lock: Any = field(default_factory=threading.Lock)

    def find(self, login: str) -> Credentials | None:
        return self.kasia if login == "kasia" else None

    def take_step(self, staff_id: int, step: int) -> bool:  # noqa: ARG002 - the port's
        with self.lock:
            fresh = step > self.kasia.totp_last_step
            if fresh:
                self.kasia = replace(self.kasia, totp_last_step=step)
            return fresh

    def begin(self, bounds: tuple[Bound, ...], now: datetime) -> bool:
        for b in bounds:
            recent = [at for at in self.tries.get(b.key, []) if at > now - b.within]
            if len(recent) >= b.failures:
                return False
        for b in bounds:
            self.tries.setdefault(b.key, []).append(now)
        return True

    def succeeded(self, keys: list[str]) -> None:
        for key in keys:
            self.tries.pop(key, None)


class Rows:
    """The session store over the same people."""

    def __init__(self, people: People) -> None:
        self.people = people

    def start(self, session: Session, who: str) -> None:  # noqa: ARG002 - the port's
        self.people.sessions[session.token_sha256] = session

    def find(self, sha: str, now: datetime, idle: timedelta) -> SignedIn | None:  # noqa: ARG002 - the port's
        found = self.people.sessions.get(sha)
        return SignedIn(found, staff=self.people.kasia.staff) if found else None

    def end(self, sha: str, now: datetime) -> None:  # noqa: ARG002 - the port's
        self.people.sessions.pop(sha, None)

    def end_all(self, **_: int | None) -> int:
        return 0


@pytest.fixture
def people() -> People:
    return People()


@pytest.fixture
def door(server: Server, people: People) -> Site:
    return opened(Site(), server, people)


def opened(site: Site, server: Server, people: People) -> Site:
    def routes(settings: Settings) -> list[BaseRoute]:
        sessions = Sessions(
            "staff",
            settings,
            Rows(people),
            now=lambda: site.at,
            random=random,
            stranger=stranger("/console"),
        )

        def hello(visit: Visit) -> PlainTextResponse:
            return PlainTextResponse(f"csrf={visit.csrf}")

        inside = Route("/console", sessions.guarded(hello))
        door = signin.routes(
            settings,
            sessions,
            staff=people,  # type: ignore[arg-type] # a fake
            attempts=people,  # type: ignore[arg-type] # a fake
            keys=KEYS,
            now=lambda: site.at,
            random=random,
            passwords=PASSWORDS,
        )
        return [*door, inside]

    return site.start(server, routes)


def enter(site: Site, path: str = "/console/in", **fields: str) -> Answer:
    nonce = site.ask(path).nonce
    right = {"login": "kasia", "password": PASSWORD, "code": totp.code(SECRET, site.at)}
    return site.post(path, None, nonce=nonce, **(right | fields))


def test_password_and_code_let_in_and_a_session_begins(door: Site, people: People) -> None:
    got = enter(door)
    assert (got.status, got.headers["location"]) == (303, "/console")
    assert door.ask("/console").status == 200
    (session,) = people.sessions.values()
    assert (session.kind, session.via, session.staff_id) == ("staff", "password", 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "kawa-na-balkonie"},
        {"code": "000000"},
        {"code": ""},
        {"login": "nobody"},
        {"login": ""},
        {"login": "kasia' OR 1=1 --"},
        {"password": "x" * 20_000},
    ],
)
def test_whatever_is_wrong_the_page_says_the_same(
    door: Site, people: People, wrong: dict[str, str]
) -> None:
    plain = enter(door, password="wrong")
    got = enter(door, **wrong)
    assert got.status == plain.status == 403
    assert said(got) == said(plain)
    assert not people.sessions


def said(answer: Answer) -> str:
    """A page without what the person typed and without its nonce."""
    return re.sub(r'value="[^"]*"', "", answer.text)


def test_somebody_disabled_is_a_stranger(door: Site, people: People) -> None:
    gone = replace(people.kasia.staff, disabled_at=START)
    people.kasia = replace(people.kasia, staff=gone)
    assert enter(door).status == 403


def test_a_code_lets_in_once(door: Site) -> None:
    assert enter(door).status == 303
    door.cookies.clear()
    assert enter(door).status == 403
    door.at += timedelta(seconds=30)
    assert enter(door).status == 303


def test_a_code_older_than_the_last_used_one_lets_nobody_in(door: Site) -> None:
    before = totp.code(SECRET, door.at)
    door.at += timedelta(seconds=30)
    assert enter(door).status == 303
    door.cookies.clear()
    assert enter(door, code=before).status == 403


def test_after_ten_failures_a_login_waits_a_quarter_of_an_hour_known_or_not(
    door: Site, people: People
) -> None:
    pages = {}
    for login in ("kasia", "nobody"):
        for _ in range(10):
            assert enter(door, login=login, password="wrong").status == 403
        got = enter(door, login=login)
        assert (got.status, got.headers["retry-after"]) == (429, "900")
        pages[login] = said(got)
    assert pages["kasia"] == pages["nobody"]
    door.at += timedelta(minutes=15, seconds=1)
    assert enter(door).status == 303


def test_a_login_may_be_written_in_capitals(door: Site) -> None:
    assert enter(door, login=" Kasia").status == 303


def test_writing_a_login_in_capitals_gives_no_more_tries(door: Site) -> None:
    for login in ("kasia", "KASIA", " Kasia ") * 4:
        last = enter(door, login=login, password="wrong")
    assert last.status == 429


def test_strangers_cannot_lock_somebody_out_of_her_own_browser(
    door: Site, server: Server, people: People
) -> None:
    assert enter(door).status == 303
    stranger_ = opened(Site(), server, people)
    for _ in range(11):
        locked = enter(stranger_, password="wrong")
    assert locked.status == 429
    opened(door, server, people)  # her own browser has its turn again
    del door.cookies["mailgate-staff"]
    door.at += timedelta(seconds=60)
    assert enter(door).status == 303


def test_the_cookie_of_a_known_browser_is_of_no_use_for_another_login(
    door: Site, people: People
) -> None:
    assert enter(door).status == 303
    del door.cookies["mailgate-staff"]
    for _ in range(10):
        enter(door, login="ola", password="wrong")
    assert enter(door, login="ola", password="wrong").status == 429
    assert [key for key in people.tries if "device" in key] == []


def test_a_hundred_failures_from_one_place_in_an_hour_are_enough(
    door: Site, people: People
) -> None:
    people.tries["staff client 127.0.0.1"] = [door.at] * 100
    assert enter(door, login="fresh").status == 429
    door.at += timedelta(hours=1, seconds=1)
    assert enter(door).status == 303


def test_an_unknown_login_takes_as_long_as_a_wrong_password(door: Site) -> None:
    nonce = door.ask("/console/in").nonce

    def seconds(login: str) -> float:
        start = time.perf_counter()
        door.post("/console/in", None, nonce=nonce, login=login, password="x", code="123456")
        return time.perf_counter() - start

    pairs = []
    for _ in range(30):
        pairs.append((seconds("kasia"), seconds("nobody")))
        door.at += timedelta(hours=1)  # no throttling here
    ratio = median(unknown for _, unknown in pairs) / median(known for known, _ in pairs)
    assert 0.75 < ratio < 1.33, ratio


def test_signing_in_ends_the_session_that_the_browser_had(door: Site, people: People) -> None:
    enter(door)
    first = set(people.sessions)
    door.at += timedelta(seconds=60)
    nonce = door.cookies["mailgate"]
    door.post(
        "/console/in",
        None,
        nonce=nonce,
        login="kasia",
        password=PASSWORD,
        code=totp.code(SECRET, door.at),
    )
    assert len(people.sessions) == 1
    assert not first & set(people.sessions)


def test_signing_out_needs_the_token_of_the_session_and_ends_it(door: Site, people: People) -> None:
    enter(door)
    assert door.post("/console/out").status == 403
    assert len(people.sessions) == 1
    csrf = door.ask("/console").text.removeprefix("csrf=")
    got = door.post("/console/out", None, csrf=csrf)
    assert (got.status, got.headers["location"]) == (303, "/console/in")
    assert not people.sessions
    assert door.ask("/console").status == 303


@pytest.mark.parametrize(
    ("wanted", "led"),
    [
        ("/console/tickets?state=open", "/console/tickets?state=open"),
        ("/console", "/console"),
        ("https://elsewhere.example/", "/console"),
        ("//elsewhere.example/console/", "/console"),
        ("/console\\@elsewhere.example", "/console"),
        ("/consoleelsewhere", "/console"),
        ("/console/\r\nSet-Cookie: a=b", "/console"),
    ],
)
def test_the_door_leads_back_to_where_one_was_going_and_nowhere_else(
    door: Site, wanted: str, led: str
) -> None:
    got = enter(door, f"/console/in?next={quote(wanted, safe='')}")
    assert got.headers["location"] == led


def test_a_form_of_another_site_or_without_nonce_is_refused(door: Site, people: People) -> None:
    nonce = door.ask("/console/in").nonce
    form = {"login": "kasia", "password": PASSWORD, "code": totp.code(SECRET, door.at)}
    foreign = {"Origin": "https://elsewhere.example"}
    assert door.post("/console/in", foreign, nonce=nonce, **form).status == 403
    assert door.post("/console/in", None, **form).status == 403
    assert not people.sessions


def test_who_is_in_is_not_asked_again(door: Site) -> None:
    enter(door)
    assert door.ask("/console/in?next=/console/house").headers["location"] == "/console/house"


def test_cookies_of_the_door_are_kept_to_this_host_and_from_scripts(
    server: Server, people: People
) -> None:
    site = opened(Site(base_url=HTTPS), server, people)
    got = enter(site)
    assert {c.partition("=")[0] for c in got.cookies} == {
        "__Host-mailgate-staff",
        "__Host-mailgate-device",
    }
    for cookie in got.cookies:
        assert "; HttpOnly" in cookie
        assert "; Secure" in cookie
        assert "; Path=/" in cookie
        assert re.search(r"; SameSite=(lax|strict)", cookie, re.IGNORECASE)


def test_the_door_speaks_polish_and_english(door: Site) -> None:
    assert door.ask("/console/in?lang=pl").title == "Zaloguj się do konsoli"
    assert door.ask("/console/in?lang=en").title == "Sign in to the console"
