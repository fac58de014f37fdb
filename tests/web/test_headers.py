"""Every answer of every route carries the headers, and no log line carries a token."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import structlog
from starlette.routing import BaseRoute, Mount, Route

from mailgate.model.ports import StorageError
from mailgate.web import mailbox
from tests.web.site import HTTPS, START, Answer, Server, Site

CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
ALWAYS = {
    "content-security-policy": CSP,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "strict-transport-security": "max-age=63072000",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.fixture
def logged() -> Iterator[list[structlog.typing.EventDict]]:
    with structlog.testing.capture_logs() as lines:
        yield lines


def paths(routes: list[BaseRoute], prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    """Every route there is, as a path that can be asked for."""
    for route in routes:
        if isinstance(route, Mount):
            yield from paths(list(route.routes), prefix + route.path)
            yield f"{prefix}{route.path}/mailgate.css", ["GET"]
        elif isinstance(route, Route):
            yield prefix + route.path, sorted(route.methods or ())


def carries_all(got: Answer) -> bool:
    return ALWAYS.items() <= got.headers.items() and "noindex" in got.headers["x-robots-tag"]


def test_every_route_and_every_refusal_carries_the_headers(server: Server) -> None:
    site = Site(base_url=HTTPS).start(server, lambda asked: mailbox.routes(asked, list))
    seen = []
    token = site.link().removeprefix("/c/")
    for template, methods in paths(list(site.app.routes)):
        path = template.replace("{token}", token).replace("{number:int}", "1")
        for method in {*methods, "GET", "HEAD", "OPTIONS", "POST", "BREW"}:
            got = site.ask(path, method)
            assert carries_all(got), (method, path)
            seen.append((template, got.status))
    assert {template for template, _ in seen} >= {"/c/{token}", "/c/{token}/new", "/health/ready"}
    assert {status for _, status in seen} >= {200, 303, 403, 404, 405}


def test_answers_to_what_is_broken_carry_them_too(
    secure: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = secure.link()
    assert carries_all(secure.ask("/nowhere"))
    assert carries_all(secure.ask(path, headers={"Host": "evil.example"}))
    assert carries_all(secure.post(path, {"Content-Length": "1000000"}))
    monkeypatch.setattr(secure.store, "confirmation", lambda _: 1 / 0)
    failed = secure.ask(path)
    assert (failed.status, failed.title) == (500, "Coś się u nas zepsuło")
    assert carries_all(failed)


def test_pages_are_kept_nowhere_and_the_style_is_asked_about_again(secure: Site) -> None:
    assert secure.ask(secure.link()).headers["cache-control"] == "no-store"
    assert secure.ask("/nowhere").headers["cache-control"] == "no-store"
    style = secure.ask("/static/mailgate.css")
    assert style.headers["cache-control"] == "no-cache"
    assert style.headers["content-type"].startswith("text/css")
    again = secure.ask("/static/mailgate.css", headers={"If-None-Match": style.headers["etag"]})
    assert again.status == 304
    assert carries_all(again)


def test_plain_http_promises_no_https(site: Site) -> None:
    assert "strict-transport-security" not in site.ask(site.link()).headers


def test_nothing_of_a_page_comes_from_elsewhere_and_nothing_is_a_script(site: Site) -> None:
    text = site.ask(site.link("code")).text
    assert "<script" not in text
    assert "style=" not in text
    assert "http" not in text.replace(site.base_url, "")


def test_no_token_and_no_code_is_logged_whatever_happens(
    site: Site,
    logged: list[structlog.typing.EventDict],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path = site.link("code")
    token, code = path.removeprefix("/c/"), site.code(path)
    site.answer(path, "confirm", code=code)
    for target in (f"{path}/", f"{path}/new", f"{path}/a/b", f"/static/{token}", f"/{token}"):
        site.ask(target)
    site.ask(path, headers={"Host": token})
    site.ask(path, "BREW")

    def broken(_: str) -> None:
        try:
            raise KeyError(token)
        except KeyError as error:
            raise StorageError(f"no row for {token}") from error

    monkeypatch.setattr(site.store, "confirmation", broken)
    assert site.ask(path).status == 503
    nothing: dict[str, None] = {}
    monkeypatch.setattr(site.store, "confirmation", lambda _: nothing[token])
    assert site.ask(path).status == 500
    said = json.dumps(logged, default=repr) + "".join(capfd.readouterr())
    assert token not in said
    assert code not in said
    failed = [line for line in logged if line["event"] == "http-failed"]
    assert [(f["route"], f["error"]) for f in failed] == [("/c/{token}", "KeyError")]
    answered = [line for line in logged if line["event"] == "confirm-answered"]
    assert [(a["answer"], a["step"]) for a in answered] == [("confirmed", "code")]


def test_trouble_of_the_database_is_a_moment_of_patience_not_a_failure(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(_: str) -> None:
        raise StorageError("database is locked")

    monkeypatch.setattr(site.store, "confirmation", locked)
    got = site.ask(site.link())
    assert (got.status, got.title) == (503, "Chwilowo nie możemy odpowiedzieć")
    assert "locked" not in got.text


def test_health_says_which_check_fails_and_nothing_else(site: Site) -> None:
    assert json.loads(site.ask("/health/live").text) == {"live": True}
    got = site.ask("/health/ready", headers={"Host": "10.0.0.7"})  # a probe asks by address
    assert (got.status, json.loads(got.text)) == (
        200,
        {"ready": True, "checks": {"database": True}},
    )
    site.ready["worker"] = False
    got = site.ask("/health/ready")
    assert got.status == 503
    assert json.loads(got.text)["checks"] == {"database": True, "worker": False}
    assert site.ask("/health/live").status == 200


def test_everything_lies_under_the_path_of_base_url(server: Server) -> None:
    site = Site(base_url="https://firma.example/pomoc").start(server)
    path = "/pomoc" + site.link()
    got = site.ask(path)
    assert got.status == 200
    assert 'href="/pomoc/static/mailgate.css"' in got.text
    assert site.ask("/pomoc/static/mailgate.css").status == 200
    assert site.post(path, None, nonce=got.nonce, choice="deny").headers["location"] == path
    assert site.ask(path.removeprefix("/pomoc")).status == 404
    assert site.ask("/health/live").status == 200


MAIL = (
    "From: pomoc@iq.example\r\nTo: anna.nowak@klient.example\r\n"
    "Subject: =?utf-8?q?Potwierd=C5=BA?= [IQ.pl#7:00112233445566778899]\r\n"
    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: 8bit\r\n\r\n"
    "Otwórz {0}/c/abc234 albo {0}.evil.example/c/x\r\n<b>Pozdrawiamy</b>\r\n"
)


def test_the_demo_shows_each_mail_with_links_of_ours_alone(server: Server) -> None:
    mails: list[mailbox.Caught] = []
    site = Site().start(server, lambda configured: mailbox.routes(configured, lambda: mails))
    assert site.ask("/").headers["location"] == "/mailbox"
    assert "Na razie nic tu nie ma." in site.ask("/mailbox").text
    content = MAIL.format(site.base_url).encode()
    mails.append(mailbox.Caught(START, "anna.nowak@klient.example", content))
    box = site.ask("/mailbox").text
    assert '<a href="/mailbox/1"><bdi>Potwierdź [IQ.pl#7:00112233445566778899]</bdi></a>' in box
    letter = site.ask("/mailbox/1").text
    assert f'<a href="{site.base_url}/c/abc234">' in letter
    assert letter.count('<a href="http') == 1
    assert "&lt;b&gt;Pozdrawiamy" in letter
    assert site.ask("/mailbox/2").status == 404
