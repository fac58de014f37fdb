"""Scanners, bots, other sites and impatient clients: none of them can answer for a person."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from http import HTTPStatus

import pytest

from mailgate.web.forms import origin
from mailgate.web.guard import RateLimit
from tests.web.site import HTTPS, Server, Site
from tests.web.test_confirm import wrong

SCANNERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126.0 Safari/537.36 OneOutlook/1.2024",
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    "Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
    "Microsoft Office/16.0 (Microsoft Outlook 16.0; Pro)",
    "Mimecast/1.0 (URL Protect)",
    "Barracuda Sentinel (EE)",
    "Proofpoint URL Defense",
    "BitDefender-Link-Scanner",
    "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "WhatsApp/2.23.20.0",
    "facebookexternalhit/1.1",
    "Googlebot/2.1 (+http://www.google.com/bot.html)",
    "curl/8.5.0",
    "python-requests/2.32",
    "",
)


@pytest.mark.parametrize("step", ["click", "code"])
def test_no_scanner_changes_anything_by_looking(site: Site, step: str) -> None:
    path = site.link(step)  # type: ignore[arg-type] # a str
    before = site.row(path)
    for agent in SCANNERS:
        for method in ("GET", "HEAD", "OPTIONS", "PROPFIND", "PUT", "DELETE"):
            for purpose in ({}, {"Sec-Purpose": "prefetch"}):
                got = site.ask(path, method, headers={"User-Agent": agent, **purpose})
                assert got.status == (200 if method in {"GET", "HEAD"} else 405)
        site.ask(f"{path}?choice=confirm&nonce={'0' * 32}")
    assert site.row(path) == before
    assert (site.store.decided, site.store.renewed, site.woken) == ([], [], 0)


def test_of_a_hundred_answers_at_once_exactly_one_counts(site: Site) -> None:
    path = site.link()
    nonce = site.ask(path).nonce
    ready = threading.Barrier(20)
    statuses: list[int] = []

    def five_times(choice: str) -> None:
        ready.wait()
        statuses.extend(site.post(path, None, nonce=nonce, choice=choice).status for _ in range(5))

    threads = [
        threading.Thread(target=five_times, args=(c,))
        for c in ("confirm", "deny")
        for _ in "x" * 10
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(statuses) == {303: 100}
    assert len(site.store.decided) == 1
    assert site.woken == 1


def test_codes_guessed_all_at_once_are_no_more_tries_than_one_by_one(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = site.link("code", tries=4)
    nonce, stale = site.ask(path).nonce, site.row(path)
    # Both requests looked at the link before either was counted.
    monkeypatch.setattr(site.store, "confirmation", lambda _: stale)
    for code in (wrong(site.code(path)), site.code(path)):
        site.post(path, None, nonce=nonce, choice="confirm", code=code)
    assert site.row(path).link.tries == 6
    assert site.store.decided == []


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "http://pomoc.example"},
    {"Origin": "https://pomoc.example.evil.example"},
    {"Origin": "https://pomoc.example:8443"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "cross-site", "Origin": HTTPS},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.parametrize("to", ["", "/new"])
def test_an_answer_that_another_site_sends_is_refused(
    secure: Site, headers: dict[str, str], to: str
) -> None:
    path = secure.link(expires_at=secure.at + timedelta(hours=0 if to else 1))
    nonce = secure.ask(path).nonce
    got = secure.post(path + to, headers, nonce=nonce, choice="confirm")
    assert (got.status, got.title) == (403, "Nie przyjęliśmy tej odpowiedzi")
    assert (secure.store.decided, secure.store.renewed) == ([], [])


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": HTTPS},
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
        {"Origin": HTTPS, "Sec-Fetch-Site": "same-origin"},
    ],
    ids=str,
)
def test_an_answer_from_our_own_page_is_taken(secure: Site, headers: dict[str, str]) -> None:
    path = secure.link()
    secure.post(path, headers, nonce=secure.ask(path).nonce, choice="confirm")
    assert secure.store.decided == ["confirmed"]


@pytest.mark.parametrize("nonce", ["", "0" * 32, "ż", None])
@pytest.mark.parametrize("to", ["", "/new"])
def test_an_answer_without_the_nonce_of_the_page_is_refused_and_can_be_given_again(
    site: Site, nonce: str | None, to: str
) -> None:
    path = site.link(expires_at=site.at + timedelta(hours=0 if to else 1))
    site.ask(path)
    fields = {} if nonce is None else {"nonce": nonce}
    got = site.post(path + to, None, choice="confirm", **fields)
    assert got.status == 403
    assert "Niczego jeszcze nie zapisaliśmy" in got.text
    assert (site.store.decided, site.store.renewed) == ([], [])
    assert site.post(path + to, None, choice="confirm", nonce=got.nonce).status == 303


def test_a_nonce_without_its_cookie_is_refused(site: Site) -> None:
    path = site.link()
    nonce = site.ask(path).nonce
    site.cookies.clear()
    assert site.post(path, None, nonce=nonce, choice="confirm").status == 403
    site.cookies = {"mailgate": ""}
    assert site.post(path, None, nonce="", choice="confirm").status == 403
    assert site.store.decided == []


def test_an_answer_to_a_link_nobody_made_is_refused(site: Site) -> None:
    assert site.post("/c/aaaa", None, choice="confirm").status == 403


def test_two_open_pages_do_not_undo_each_other(site: Site) -> None:
    first, second = site.link(), site.link()
    one, two = site.ask(first).nonce, site.ask(second).nonce
    assert site.post(first, None, nonce=one, choice="confirm").status == 303
    assert site.post(second, None, nonce=two, choice="deny").status == 303
    assert site.store.decided == ["confirmed", "denied"]


def test_the_cookie_is_for_this_host_alone_and_for_no_script(secure: Site) -> None:
    got = secure.ask(secure.link())
    (cookie,) = got.cookies
    name, *attributes = (part.strip() for part in cookie.split(";"))
    assert name == f"__Host-mailgate={got.nonce}"
    assert {a.lower() for a in attributes} == {"secure", "httponly", "samesite=strict", "path=/"}


def test_a_planted_cookie_that_is_no_nonce_of_ours_is_replaced(site: Site) -> None:
    site.cookies = {"mailgate": "<b>planted</b>"}
    got = site.ask(site.link())
    assert "planted" not in got.text
    assert len(got.nonce) == 32


@pytest.mark.parametrize("host", ["evil.example", "", "pomoc.example.evil.example", "localhost"])
def test_a_host_that_is_not_ours_gets_nothing(secure: Site, host: str) -> None:
    got = secure.ask(secure.link(), headers={"Host": host})
    assert got.status == 400
    assert "evil" not in got.text


@pytest.mark.parametrize("base_url", ["http://[::1]:8025", "https://Pomoc.Example", HTTPS])
def test_our_own_host_is_known_however_it_is_written(server: Server, base_url: str) -> None:
    site = Site(base_url=base_url).start(server)
    assert site.ask(site.link()).status == 200


def test_no_answer_repeats_the_host_it_was_asked_by(secure: Site) -> None:
    path = secure.link()
    host = {"Host": "pomoc.example:666"}
    got = secure.post(path, {**host, "Origin": HTTPS}, nonce=secure.ask(path).nonce, choice="deny")
    assert got.headers["location"] == path
    for target in (path, f"{path}/", "/static", "/nowhere"):
        got = secure.ask(target, headers=host)
        assert "666" not in got.text + str(got.headers)


def test_a_form_larger_than_any_of_ours_is_refused(site: Site) -> None:
    path = site.link()
    nonce = site.ask(path).nonce
    got = site.post(path, None, nonce=nonce, choice="confirm", more="x" * (64 << 10))
    assert got.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert site.store.decided == []


def test_a_body_that_hides_its_size_is_refused_too(site: Site) -> None:
    path = site.link()
    chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Transfer-Encoding": "chunked"}
    got = site.ask(path, "POST", chunk * 3 + b"0\r\n\r\n", {**kind, "Origin": "null"})
    assert got.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--x\r\nnonsense"),
        ("application/json", b"{}"),
        ("application/x-www-form-urlencoded", b"%ff=%80&" * 100),
    ],
)
def test_a_body_that_is_no_form_of_ours_is_refused(site: Site, kind: str, body: bytes) -> None:
    got = site.ask(site.link(), "POST", body, {"Content-Type": kind, "Origin": "null"})
    assert got.status in {400, 403}


def test_a_client_that_asks_too_often_waits(site: Site) -> None:
    site.tick = 0.0
    path = site.link()
    statuses = [site.ask(path).status for _ in range(31)]
    assert statuses == [200] * 30 + [429]
    refused = site.ask(path)
    assert (refused.title, refused.headers["retry-after"]) == ("Za dużo prób naraz", "1")
    assert site.ask("/health/live").status == 200
    site.ticks += 1.0
    assert site.ask(path).status == 200


def test_what_is_kept_of_clients_is_bounded_and_the_busy_one_stays_known() -> None:
    limit = RateLimit(_unused, rate=3, monotonic=lambda: 0.0, clients=100)
    for _ in range(3):
        assert limit.take("192.0.2.1")
    for number in range(99):
        assert limit.take(f"other {number}")
    assert not limit.take("192.0.2.1")
    assert len(limit.buckets) == 100


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://Pomoc.Example/help", "https://pomoc.example"),
        ("https://pomoc.example:443", "https://pomoc.example"),
        ("https://pomoc.example:8443", "https://pomoc.example:8443"),
        ("http://[::1]:8025", "http://[::1]:8025"),
    ],
)
def test_an_origin_is_what_browsers_send(url: str, expected: str) -> None:
    assert origin(url) == expected


async def _unused(_scope: object, _receive: object, _send: object) -> None:
    raise AssertionError
