"""The web application on a loopback port, over a store of a few lines, and a client for it."""

from __future__ import annotations

import http.client
import re
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

import uvicorn
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from mailgate import clock
from mailgate.model.confirmation import Confirmation
from mailgate.model.ticket import Link, LinkState, Step
from mailgate.settings import Desk, Settings
from mailgate.tokens import link as link_tokens
from mailgate.tokens.keys import Keys
from mailgate.web.app import create

START = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
KEYS = Keys((bytes(range(32)),))
HTTPS = "https://pomoc.example"


class Store:
    """Links and what the page shows of them; a worker that judges at once, if it is told to."""

    def __init__(self) -> None:
        self.rows: dict[str, Confirmation] = {}
        self.lock = threading.Lock()
        self.verdict: tuple[str, tuple[str, ...]] | None = ("authorized", ("confirmed-by-contact",))
        self.looks = 0
        self.judged_at_look = 0
        self.decided: list[str] = []
        self.renewed: list[str] = []

    def find(self, token_sha256: str) -> Link | None:
        row = self.rows.get(token_sha256)
        return row.link if row else None

    def confirmation(self, token_sha256: str) -> Confirmation | None:
        with self.lock:
            row = self.rows.get(token_sha256)
            self.looks += 1
            if row and row.verdict is None and self.verdict and self.looks >= self.judged_at_look:
                verdict, reasons = self.verdict
                row = replace(row, verdict=verdict, reasons=reasons)  # type: ignore[arg-type] # a str
            return row

    def _change(self, token_sha256: str, **values: Any) -> None:
        row = self.rows[token_sha256]
        self.rows[token_sha256] = replace(row, link=replace(row.link, **values))

    def decide(self, token_sha256: str, state: LinkState, now: datetime) -> bool:
        with self.lock:
            row = self.rows[token_sha256]
            if row.link.state != "open" or now >= row.link.expires_at:
                return False
            self._change(token_sha256, state=state, decided_at=now)
            self.rows[token_sha256] = replace(self.rows[token_sha256], verdict=None)
            self.decided.append(state)
            return True

    def count_try(self, token_sha256: str) -> int:
        with self.lock:
            tries = self.rows[token_sha256].link.tries + 1
            self._change(token_sha256, tries=tries)
            return tries

    def request_new(self, token_sha256: str, now: datetime) -> bool:  # noqa: ARG002 - the port's
        with self.lock:
            if self.rows[token_sha256].link.state != "open":
                return False
            self._change(token_sha256, state="superseded")
            self.renewed.append(token_sha256)
            return True


@dataclass
class Answer:
    """What came back; header names in lower case."""

    status: int
    headers: dict[str, str]
    cookies: list[str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def nonce(self) -> str:
        match = re.search(r'name="nonce" value="([0-9a-f]*)"', self.text)
        assert match, "the page has no form"
        return match[1]

    @property
    def title(self) -> str:
        match = re.search(r"<h1[^>]*>(?:<bdi>)?(.*?)</", self.text, re.DOTALL)
        assert match, self.text
        return match[1]


def settings(base_url: str, timezone: str) -> Settings:
    return Settings(
        base_url=base_url,
        database="sqlite:///unused.db",
        keys=Path("unused"),
        rules=Path("unused"),
        desks={"support": Desk(addresses=["pomoc@iq.example"], tag="IQ.pl", name="Pomoc IQ.pl")},
        timezone=timezone,
    )


class Server:
    """A web server that stays up while one application after another takes its turn."""

    def __init__(self, certificate: Path | None = None, key: Path | None = None) -> None:
        self.app: ASGIApp | None = None
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # from here on a client may connect; it waits until the server runs
        self.port: int = listener.getsockname()[1]
        config = uvicorn.Config(
            self._turn,
            interface="asgi3",
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            ssl_certfile=certificate,
            ssl_keyfile=key,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listener]})
        self._thread.start()

    async def _turn(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app
        await self.app(scope, receive, send)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        assert not self._thread.is_alive()


@dataclass
class Site:
    """An application with its turn on the server, and a client of it.

    `at` is its clock; between two requests the rate limit sees `tick` seconds go by.
    """

    base_url: str = ""
    timezone: str = "UTC"
    ready: dict[str, bool] = field(default_factory=lambda: {"database": True})
    at: datetime = START
    ticks: float = 0.0
    tick: float = 1.0
    woken: int = 0
    pauses: Sequence[float] = (0.001, 0.001, 0.001)

    def __post_init__(self) -> None:
        self.store = Store()
        self.cookies: dict[str, str] = {}

    def start(
        self, server: Server, routes: Callable[[Settings], Sequence[BaseRoute]] | None = None
    ) -> Self:
        self.port = server.port
        self.base_url = self.base_url or f"http://127.0.0.1:{self.port}"
        configured = settings(self.base_url, self.timezone)
        self.app = server.app = create(
            configured,
            links=self.store,
            view=self.store,
            keys=KEYS,
            now=lambda: self.at,
            random=clock.random,
            on_decided=self._wake,
            ready=lambda: self.ready,
            routes=routes(configured) if routes else (),
            monotonic=self._monotonic,
            pauses=self.pauses,
        )
        return self

    def _wake(self) -> None:
        self.woken += 1

    def _monotonic(self) -> float:
        self.ticks += self.tick
        return self.ticks

    def link(self, step: Step = "click", **values: Any) -> str:
        """Put an open link into the store; gives the path of its page."""
        nonce = link_tokens.new_nonce(clock.random)
        token = link_tokens.token(KEYS, nonce)
        names = Link.__dataclass_fields__
        link = Link(
            token_sha256=link_tokens.sha256(token),
            nonce=nonce,
            queue_id="01JD0000000000000A",
            content_sha256="0" * 64,
            contact_id=7,
            address="anna.nowak@klient.example",
            step=step,
            state="open",
            tries=0,
            created_at=START - timedelta(minutes=5),
            expires_at=START + timedelta(hours=24),
        )
        shown = Confirmation(
            link=replace(link, **{k: v for k, v in values.items() if k in names}),
            name="Anna Nowak",
            company="Nowak i Wspólnicy sp. z o.o.",
            desk="support",
            subject="Proszę o przeniesienie domeny nowak-wspolnicy.pl",
            received_at=START - timedelta(minutes=5),
            language="pl",
            ticket=23328,
            by_staff=False,
            verdict="pending",
            reasons=("main-contact-must-confirm",),
        )
        others = {k: v for k, v in values.items() if k not in names}
        self.store.rows[link.token_sha256] = replace(shown, **others)
        return f"/c/{token}"

    def row(self, path: str) -> Confirmation:
        return self.store.rows[link_tokens.sha256(path.split("/")[2].partition("?")[0])]

    def code(self, path: str) -> str:
        return link_tokens.code(KEYS, self.row(path).link.nonce)

    def ask(
        self,
        path: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request as a browser would send it, with the cookies it has."""
        sent = {"Host": urlsplit(self.base_url).netloc, **(headers or {})}
        if self.cookies:
            sent.setdefault("Cookie", "; ".join(f"{k}={v}" for k, v in self.cookies.items()))
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, sent)
            got = connection.getresponse()
            found = {k.lower(): v for k, v in got.getheaders()}
            cookies = got.headers.get_all("set-cookie") or []
            octets = got.read()
        finally:
            connection.close()
        for cookie in cookies:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return Answer(got.status, found, cookies, octets)

    def post(self, path: str, headers: Mapping[str, str] | None = None, **fields: str) -> Answer:
        body = urlencode(fields).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.ask(path, "POST", body, {**kind, "Origin": "null", **(headers or {})})

    def answer(self, path: str, choice: str, **fields: str) -> Answer:
        """Open the page, press a button, and follow to what is shown then."""
        nonce = self.ask(path).nonce
        got = self.post(path, None, nonce=nonce, choice=choice, **fields)
        return self.ask(got.headers["location"]) if got.status == 303 else got
