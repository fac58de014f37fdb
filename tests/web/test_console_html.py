"""HTML of strangers in a real browser: nothing of it acts, whatever it tries (promise M10).

Two walls stand before it, what is taken out and what the page's policy forbids, and each is shown
to hold without the other. That the corpus would act without them is shown first.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from html import escape
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Error, Frame

from mailgate.clock import random
from mailgate.intake.gate import Gate
from mailgate.model.envelope import Envelope
from mailgate.web.console import message as message_page
from mailgate.web.console.sanitize import Shown, sanitize
from tests.chromium import launched
from tests.web.console_house import ConsoleHouse, console_house
from tests.web.site import Server
from tests.world import DESK

CORPUS = Path(__file__).parent / "hostile_html.txt"
#: Without any wall, and with every power a frame can have but that of leaving the test.
POWERS = "allow-scripts allow-same-origin allow-forms allow-popups allow-modals"
#: Else the browser itself keeps pages from calling on loopback, where home is; and hundreds of
#: frames need no process of their own.
AS_EVER = "--disable-features=LocalNetworkAccessChecks,IsolateSandboxedIframes"
#: What a person presses, and a person who presses everything.
PRESS = """() => { for (const e of document.querySelectorAll("body, body *")) {
  for (const kind of ["mouseover", "click"])
    e.dispatchEvent(new MouseEvent(kind, {bubbles: true, cancelable: true}));
  if (e.click) e.click();
} return document.querySelectorAll("*").length; }"""


class Home:
    """Where the payloads call: counts every connection, asked for anything or not."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.asked: set[int] = set()
        self.connections = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        with client:
            client.settimeout(5)
            try:
                number = client.recv(4096).split(b" ")[1].split(b"/")[1]
                self.asked.add(int(number))
                client.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
            except (OSError, IndexError, ValueError):
                return  # it only connected: preconnect does

    def forget(self) -> None:
        self.asked.clear()
        self.connections = 0

    def close(self) -> None:
        self._listener.close()


def payloads(home: Home) -> list[str]:
    lines = [line for line in CORPUS.read_text("utf-8").split("\n") if line.strip()]
    found = []
    for number, line in enumerate(line for line in lines if not line.startswith("#")):
        for word, means in (
            ("@JS@", f"hit({number})"),
            ("@URL@", f"http://{home.host}/{number}/request"),
            ("@HOST@", home.host),
            ("@N@", str(number)),
            ("␊", "\n"),
            ("␉", "\t"),
            ("␀", "\0"),
        ):
            line = line.replace(word, means)  # noqa: PLW2901 - filled in step by step
        found.append(line)
    return found


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    home = Home()
    yield home
    home.close()


@pytest.fixture(scope="module")
def house(
    server: Server, tmp_path_factory: pytest.TempPathFactory, console_stock: Path
) -> Iterator[ConsoleHouse]:
    with console_house(tmp_path_factory.mktemp("html"), server, console_stock) as house:
        house.sign_in()
        yield house


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with launched(AS_EVER) as browser:
        yield browser


@pytest.fixture
def context(chromium: Browser, house: ConsoleHouse) -> Iterator[BrowserContext]:
    house.server.app = house.app
    context = chromium.new_context()
    for name, value in house.cookies.items():
        context.add_cookies([{"name": name, "value": value, "url": house.base_url}])
    yield context
    context.close()


class Seen:
    """What a page full of frames did on its own, and when everything in it was pressed."""

    def __init__(self, context: BrowserContext, home: Home) -> None:
        self.home = home
        self.page = context.new_page()
        self.hits: set[int] = set()
        self.others: list[str] = []
        self.pressed = 0
        self.page.expose_binding("hit", lambda _source, number: self.hits.add(number))
        context.on("page", lambda popup: self.others.append(f"popup {popup.url}"))
        self.page.on("dialog", self._dialog)
        home.forget()

    def _dialog(self, dialog: Dialog) -> None:
        self.others.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def open(self, frames: list[str], origin: str, **headers: str) -> Seen:
        body = "<!doctype html><title>frames</title>" + "".join(frames)
        address = f"{origin}/frames"
        said = {"Content-Type": "text/html", **headers}
        self.page.route(address, lambda to: to.fulfill(body=body, headers=said))
        self.page.goto(address, wait_until="load", timeout=60_000)
        children = self.page.main_frame.child_frames
        assert len(children) == len(frames)
        before = [frame.url for frame in children]
        for frame in self.page.frames[1:]:
            if frame.url:  # a frame that was never filled has nothing to press, and never answers
                self._press(frame)
        # That nothing happens has no event of its own to wait for.
        self.page.wait_for_timeout(1000)
        assert self.page.url == address
        after = [frame.url for frame in self.page.main_frame.child_frames]
        self.others += [f"{b} -> {a}" for b, a in zip(before, after, strict=True) if a != b]
        return self

    def _press(self, frame: Frame) -> None:
        try:
            self.pressed += frame.evaluate(PRESS)
        except Error:
            self.others.append(f"{frame.url} went away")

    @property
    def acted(self) -> set[int]:
        return self.hits | self.home.asked

    def nothing(self) -> bool:
        """No script ran, nothing was asked for or connected to, nobody was led away."""
        return (self.hits, self.home.connections, self.others) == (set(), 0, [])


@pytest.fixture
def wild(home: Home) -> list[str]:
    return payloads(home)


def letters(house: ConsoleHouse, wild: list[str]) -> list[str]:
    """Each payload as the HTML of a mail that came in; gives the addresses of their frames."""
    head = (
        "From: anna@piekarnia.example\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/html; charset=utf-8\r\n"
    )
    admissions = []
    for number, payload in enumerate(wild):
        content = (
            f"Message-ID: <{number}@x>\r\n{head}Content-Transfer-Encoding: 8bit\r\n\r\n{payload}"
        )
        envelope = Envelope("x@y.example", (DESK,), house.world.now())
        admissions += Gate(house.settings, random).admissions(envelope, content.encode())
    admitted = house.store.intake.admit(admissions)
    house.world.work()
    paths = [f"/console/m/{one.queue_id}/html" for one in admitted]
    assert {house.ask(path).status for path in paths} == {200}
    return [house.base_url + path for path in paths]


@pytest.mark.slow
@pytest.mark.server("chromium")
def test_without_walls_the_corpus_acts(
    context: BrowserContext, house: ConsoleHouse, home: Home, wild: list[str]
) -> None:
    """Else the tests below would show nothing."""
    frames = [f'<iframe sandbox="{POWERS}" srcdoc="{escape(p)}"></iframe>' for p in wild]
    seen = Seen(context, home).open(frames, house.base_url)
    assert len(wild) >= 200
    assert len(seen.acted) >= 200
    assert seen.others


@pytest.mark.slow
@pytest.mark.server("chromium")
def test_behind_both_walls_nothing_acts(
    context: BrowserContext, house: ConsoleHouse, home: Home, wild: list[str]
) -> None:
    urls = letters(house, wild)
    seen = Seen(context, home).open(
        [f'<iframe sandbox src="{u}"></iframe>' for u in urls], house.base_url
    )
    assert seen.pressed > len(wild)
    assert seen.nothing(), (seen.acted, home.connections, seen.others)
    assert all(f.url in urls for f in seen.page.frames[1:])


@pytest.mark.slow
@pytest.mark.server("chromium")
def test_what_is_taken_out_is_wall_enough(
    context: BrowserContext, house: ConsoleHouse, home: Home, wild: list[str]
) -> None:
    frames = [
        f'<iframe sandbox="{POWERS}" srcdoc="{escape(sanitize(p).html)}"></iframe>' for p in wild
    ]
    seen = Seen(context, home).open(frames, house.base_url)
    assert seen.pressed > len(wild)
    assert seen.nothing(), (seen.acted, home.connections, seen.others)


@pytest.mark.slow
@pytest.mark.server("chromium")
def test_what_is_forbidden_is_wall_enough(
    context: BrowserContext,
    house: ConsoleHouse,
    home: Home,
    wild: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The frame's own policy and that of the page around it, with nothing taken out. The browser
    may stop a frame that wants to go elsewhere; then it shows that it did."""
    monkeypatch.setattr(message_page, "sanitize", lambda source: Shown(source, (), 0))
    around = house.ask("/console").headers["content-security-policy"]
    frames = [f'<iframe sandbox src="{url}"></iframe>' for url in letters(house, wild)]
    seen = Seen(context, home).open(frames, house.base_url, **{"Content-Security-Policy": around})
    assert seen.pressed > len(wild)
    assert (seen.hits, home.asked) == (set(), set())
    # No policy forbids a preconnect: a connection on which nothing is asked. It is taken out.
    assert home.connections <= sum("preconnect" in payload for payload in wild)
    stopped = ("chrome-error://chromewebdata/", "about:blank#blocked")
    assert all(other.endswith(stopped) for other in seen.others), seen.others
