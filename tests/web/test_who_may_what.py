"""Every route and everybody who may ask for it: the table is ours, the routes are the router's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import BaseRoute, Mount, Route

from tests.web.house import ANNA, CUSTOMERS, PEOPLE, STAFF, House, Stock, mail

ALL = frozenset(PEOPLE)
NOBODY: frozenset[str] = frozenset()
#: Customers by what they are to account 1001, whose things are asked for.
MAIN = frozenset({"main"})
HOLDERS = frozenset(CUSTOMERS)
ACTING = frozenset({"agent", "admin"})
ADMIN = frozenset({"admin"})
READING = frozenset(STAFF)
MAINS = frozenset({"main", "other"})

#: Who gets further than the door: for each method and path as the router has them. What is there
#: for several people shows each of them their own; an id in a path is always one of account 1001.
MATRIX: dict[str, frozenset[str]] = {
    "GET /health/live": ALL,
    "GET /health/ready": ALL,
    "GET /static/mailgate.css": ALL,
    # whoever has the token of a mail
    "GET /c/{token}": ALL,
    "POST /c/{token}": ALL,
    "POST /c/{token}/new": ALL,
    "GET /panel/in/{token}": ALL,
    "POST /panel/in/{token}": ALL,
    "GET /panel/v/{token}": ALL,
    "POST /panel/v/{token}": ALL,
    # the panel's door; whoever is in is led on
    "GET /panel": ALL,
    "GET /panel/sign-in": ALL,
    "POST /panel/sign-in/token": ALL,
    "POST /panel/sign-in/link": ALL,
    "GET /panel/token": ALL,
    "POST /panel/token": ALL,
    "POST /panel/sign-out": HOLDERS,
    # everybody's own list
    "GET /panel/tickets": HOLDERS,
    "GET /panel/tickets/new": HOLDERS,
    "POST /panel/tickets/new": HOLDERS,
    "GET /panel/waiting": HOLDERS,
    # one thing of account 1001
    "GET /panel/tickets/{number:int}": MAIN,
    "POST /panel/tickets/{number:int}/answer": MAIN,
    "GET /panel/files/{queue_id}/{place:int}": MAIN,
    "GET /panel/sent/{queue_id}": MAIN,
    "POST /panel/waiting/{queue_id}": MAIN,
    # the account: its main contact alone
    "GET /panel/contacts": MAINS,
    "GET /panel/contacts/new": MAINS,
    "POST /panel/contacts/new": MAINS,
    "GET /panel/contacts/{id:int}": MAIN,
    "POST /panel/contacts/{id:int}": MAIN,
    "POST /panel/contacts/{id:int}/address": MAIN,
    "GET /panel/contacts/{id:int}/remove": MAIN,
    "POST /panel/contacts/{id:int}/remove": MAIN,
    "POST /panel/contacts/{id:int}/token": MAIN | {"cc"},  # the contact's own
    "POST /panel/changes/{id:int}/cancel": MAIN,
    "GET /panel/sharing": MAINS,
    "POST /panel/sharing": MAINS,
    "GET /panel/account": HOLDERS,
    "POST /panel/account": MAINS,
    "POST /panel/tokens/{id:int}/revoke": MAIN,
    # everybody's own data
    "GET /panel/privacy": HOLDERS,
    "POST /panel/privacy": HOLDERS,
    "POST /panel/privacy/{id:int}/withdraw": MAIN,
    "POST /panel/privacy/{id:int}/copy": MAIN,
    # the console
    "GET /console/in": ALL,
    "POST /console/in": NOBODY,  # without a password
    "POST /console/out": READING,
    "GET /console": READING,
    "POST /console/views": READING,
    "POST /console/views/{id:int}/remove": ADMIN,  # whose view it is
    "GET /console/m/{queue_id}": READING,
    "GET /console/m/{queue_id}/html": READING,
    "GET /console/m/{queue_id}/raw": READING,
    "GET /console/m/{queue_id}/files/{number:int}": READING,
    "POST /console/m/{queue_id}/release": ACTING,
    "POST /console/m/{queue_id}/drop": ACTING,
    "POST /console/m/{queue_id}/decide": ACTING,
    "POST /console/m/{queue_id}/new-link": ACTING,
    "POST /console/m/{queue_id}/override": ACTING,
    "GET /console/tickets": READING,
    "GET /console/tickets/{number:int}": READING,
    "POST /console/tickets/{number:int}/close": ACTING,
    "POST /console/tickets/{number:int}/reopen": ACTING,
    "POST /console/tickets/{number:int}/rotate": ACTING,
    "POST /console/tickets/{number:int}/answer": ACTING,
    "GET /console/new": ACTING,
    "POST /console/new": ACTING,
    "GET /console/what-if": READING,
    "GET /console/privacy": READING,
    "POST /console/privacy": ADMIN,
    "GET /console/privacy/requests/{id:int}": READING,
    "GET /console/privacy/requests/{id:int}/erase": ADMIN,
    "POST /console/privacy/requests/{id:int}/copy": ADMIN,
    "POST /console/privacy/requests/{id:int}/rectify": ADMIN,
    "POST /console/privacy/requests/{id:int}/restrict": ADMIN,
    "POST /console/privacy/requests/{id:int}/lift": ADMIN,
    "POST /console/privacy/requests/{id:int}/erase": ADMIN,
    "POST /console/privacy/requests/{id:int}/done": ADMIN,
    "POST /console/privacy/requests/{id:int}/refuse": ADMIN,
    "GET /console/privacy/holds": READING,
    "POST /console/privacy/holds": ADMIN,
    "POST /console/privacy/holds/{id:int}/lift": ADMIN,
    "POST /console/privacy/restrictions/{id:int}/lift": ADMIN,
    "GET /console/privacy/retention": READING,
    "GET /console/state": READING,
    "POST /console/outbox/{id}/send": ACTING,
    "GET /console/accounts/{account_id:path}": READING,
    "POST /console/contacts/{id:int}/token": ACTING,
    "POST /console/contacts/{id:int}/works": ACTING,
    "POST /console/tokens/{id:int}/revoke": ACTING,
    "GET /console/audit": READING,
    "GET /console/staff": ADMIN,
    "POST /console/staff": ADMIN,
    "POST /console/staff/{login}/disable": ADMIN,
    "POST /console/staff/{login}/password": ADMIN,
    "GET /console/me": READING,
    "POST /console/me": READING,
    # the API, with a token that may read and act
    "GET /api/v1/openapi.json": ALL,
    "GET /api/v1/me": READING,
    "GET /api/v1/tickets": READING,
    "GET /api/v1/tickets/{number}": READING,
    "GET /api/v1/messages": READING,
    "GET /api/v1/messages/{queue_id}": READING,
    "GET /api/v1/messages/{queue_id}/verdict": READING,
    "GET /api/v1/messages/{queue_id}/raw": READING,
    "GET /api/v1/contacts": READING,
    "GET /api/v1/accounts/{account_id}": READING,
    # the same, with a customer's own token
    "GET /api/v1/my/tickets": HOLDERS,
    "GET /api/v1/my/tickets/{number}": MAIN,
    "GET /api/v1/my/services": HOLDERS,
    "POST /api/v1/my/tickets": HOLDERS,
    "POST /api/v1/tickets/{number}/close": ACTING,
    "POST /api/v1/tickets/{number}/reopen": ACTING,
    "POST /api/v1/tickets/{number}/answers": ACTING,
    "POST /api/v1/messages/{queue_id}/release": ACTING,
    "POST /api/v1/messages/{queue_id}/decide": ACTING,
    "POST /api/v1/messages/{queue_id}/override": ACTING,
}
#: What a form must say to be more than looked at: where it may act, it does.
FORMS: dict[str, dict[str, str]] = {
    "POST /panel/waiting/{queue_id}": {"answer": "confirmed", "choice": "confirm"},
    "POST /panel/sign-in/link": {"address": "anna@piekarnia.example"},
    "POST /panel/sign-in/token": {"token": "mgt-aaaaaaaaaaaaaaaaaaaaaaaaaa"},
    "POST /panel/contacts/{id:int}/remove": {},
    "POST /panel/tickets/{number:int}/answer": {"text": "Tak."},
    "POST /panel/privacy": {"kind": "access"},
    "POST /console/privacy": {"kind": "access", "address": "jan@webdesign.example"},
    "POST /console/privacy/holds": {"on": "account", "named": "1001"},
    "POST /console/privacy/requests/{id:int}/done": {"outcome": "Zrobione."},
    "POST /console/privacy/requests/{id:int}/refuse": {"outcome": "Nie możemy."},
    "POST /console/privacy/requests/{id:int}/erase": {"address": "jan@webdesign.example"},
    "POST /console/views": {"name": "moje", "query": ""},
    "POST /console/staff": {
        "login": "nowa", "name": "Nowa", "role": "admin", "language": "pl",
    },
    "POST /console/contacts/{id:int}/token": {"account": "1001"},
    "POST /console/contacts/{id:int}/works": {"account": "1001"},
    "POST /console/tokens/{id:int}/revoke": {"account": "1001"},
    "POST /console/me": {"name": "Kasia", "language": "pl", "signature": ""},
    "POST /console/m/{queue_id}/override": {"word": "vouches", "value": "vouches"},
    "POST /console/tickets/{number:int}/answer": {"text": "Tak."},
}  # fmt: skip
#: Ids for places in paths; the message and the ticket are Anna's, and shared with nobody.
PLACES = {
    "token": "link",
    "number": "ticket",
    "queue_id": "message",
    "account_id": "account",
    "place": "first",
    "login": "login",
}
OWN_PLACES = {
    ("/panel/in/", "token"): "sign_in",
    ("/panel/v/", "token"): "change_token",
    ("/panel/contacts/", "id"): "contact",
    ("/panel/changes/", "id"): "change",
    ("/panel/tokens/", "id"): "access_id",
    ("/console/tokens/", "id"): "access_id",
    ("/console/contacts/", "id"): "contact",
    ("/panel/privacy/{id:int}/withdraw", "id"): "asked",
    ("/panel/privacy/{id:int}/copy", "id"): "copy",
    ("/console/privacy/requests/{id:int}/copy", "id"): "asks_access",
    ("/console/privacy/requests/{id:int}/erase", "id"): "asks_erase",
    ("/console/privacy/requests/", "id"): "asks_rectify",
    ("/console/privacy/holds/", "id"): "hold",
    ("/console/privacy/restrictions/", "id"): "restriction",
    ("/console/views/", "id"): "view",
    ("/console/outbox/", "id"): "notice",
    ("/console/m/{queue_id}/files/", "number"): "first",
    ("/console/m/{queue_id}/release", "queue_id"): "held",
    ("/console/m/{queue_id}/drop", "queue_id"): "held",
    ("/api/v1/messages/{queue_id}/release", "queue_id"): "held",
    ("/panel/waiting/", "queue_id"): "waiting",
    ("/console/tickets/{number:int}/reopen", "number"): "closed",
    ("/api/v1/tickets/{number}/reopen", "number"): "closed",
    ("/panel/sent/", "queue_id"): "filed",
}
FOREIGN = ({"origin": "https://elsewhere.example"}, {"sec-fetch-site": "cross-site"})


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    return Stock(tmp_path_factory.mktemp("stock"))


@pytest.fixture
def house(stock: Stock, tmp_path: Path) -> Iterator[House]:
    yield from opened(stock, tmp_path)


@pytest.fixture(scope="module")
def quiet(stock: Stock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One for all tests in which nothing is to happen."""
    yield from opened(stock, tmp_path_factory.mktemp("quiet"))


@pytest.fixture(scope="module")
def busy(stock: Stock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One for tests to which it does not matter what others have done."""
    yield from opened(stock, tmp_path_factory.mktemp("busy"))


def opened(stock: Stock, folder: Path) -> Iterator[House]:
    made = stock.copy(folder)
    made.ids |= {"account": "1001", "first": 0, "login": "reader1"}
    made.ids["waiting"] = mail(made.world, ANNA, "piekarnia.example: jeszcze jedna prośba")
    yield made
    made.close()


def rows(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[str]:
    """Method and path of every route of the application."""
    for route in routes:
        if isinstance(route, Mount):
            below = list(rows(route.routes, prefix + route.path))
            yield from below or [f"GET {prefix}{route.path}/mailgate.css"]
        elif isinstance(route, Route):
            for method in sorted(set(route.methods or ()) - {"HEAD"}):
                yield f"{method} {prefix}{route.path}"
        else:
            pytest.fail(f"what is {route!r}?")


def path_of(row: str, ids: dict[str, Any]) -> str:
    template = row.partition(" ")[2]

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        own = (
            v for (start, n), v in OWN_PLACES.items() if n == name and template.startswith(start)
        )
        return str(ids[next(own, None) or PLACES[name]])

    return re.sub(r"\{(\w+)(?::\w+)?\}", fill, template)


def ask(house: House, row: str, who: str, headers: dict[str, str] | None = None) -> Any:
    method, path = row.split(" ", maxsplit=1)[0], path_of(row, house.ids)
    if method == "GET":
        return house.ask(path, who=who, headers=headers)
    if path.startswith("/api/"):
        data = {"why": "bo tak", "value": "vouches", "text": "Tak.", "subject": "Kopia"}
        wanted = {
            "override": ("value", "why"), "answers": ("text",), "tickets": ("subject", "text"),
        }.get(path.split("/")[-1], ("why",))  # fmt: skip
        sent = {name: data[name] for name in wanted}
        return house.ask(path, method, who, data=sent, headers=headers)
    fields = {"csrf": "c5" * 16, "nonce": "0" * 32, "why": "bo tak", **FORMS.get(row, {})}
    return house.ask(path, method, who, form=fields, headers=headers)


def gets_in(method: str, answer: Any) -> bool:
    """Whether more was said than "sign in", "not you", "no such thing" or "not so"."""
    if answer.status == 303 and method == "GET":
        return not re.search(r"/(sign-in|in)(\?|$)", answer.headers["location"])
    assert answer.status < 500, (answer.status, title(answer))
    return answer.status < 400 or answer.status in {409, 410, 422}


def test_every_route_has_a_row_and_every_row_a_route(quiet: House) -> None:
    assert sorted(rows(quiet.app.routes)) == sorted(MATRIX)


@pytest.mark.parametrize("row", [row for row in MATRIX if row.startswith("GET")])
def test_whoever_may_sees_it_and_nobody_else(quiet: House, row: str) -> None:
    """Promise W1; and looking changes nothing, whoever looks (W2)."""
    tried(quiet, row)


@pytest.mark.parametrize("row", [row for row in MATRIX if not row.startswith("GET")])
def test_whoever_may_does_it_and_nobody_else(house: House, row: str) -> None:
    """Promise W1; and who is refused has changed nothing."""
    tried(house, row)


def tried(house: House, row: str) -> None:
    allowed, method = MATRIX[row], row.split(" ", maxsplit=1)[0]
    for who in sorted(PEOPLE, key=lambda w: w in allowed):
        house.cookie(who), house.token(who)
        before = house.state()
        answer = ask(house, row, who)
        assert gets_in(method, answer) == (who in allowed), (who, answer.status, title(answer))
        if who not in allowed or row.startswith("GET"):
            assert house.state() == before, who
        if who in CUSTOMERS and "{" in row and who not in allowed and "/panel/" in row:
            assert answer.status in {403, 404}, who


def title(answer: Any) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", answer.text, re.DOTALL)
    return found[1].strip() if found else answer.headers.get("location", answer.text)[:300]


WRITING = [row for row in MATRIX if not row.startswith("GET")]


@pytest.mark.parametrize("row", WRITING)
def test_what_another_site_sends_is_refused(quiet: House, row: str) -> None:
    """Promise W2."""
    house = quiet
    for who in ("anonymous", "main", "admin"):
        house.cookie(who), house.token(who)
        before = house.state()
        for headers in FOREIGN:
            assert ask(house, row, who, headers).status == 403, (who, headers)
        assert house.state() == before


@pytest.mark.parametrize("row", [r for r in WRITING if "/api/" not in r])
def test_a_form_without_the_token_of_our_page_is_refused(quiet: House, row: str) -> None:
    """Promise W2, for the session's own browser: the cookie alone is not enough."""
    house = quiet
    for who in ("main", "admin"):
        house.cookie(who)
        before = house.state()
        for token in ({}, {"csrf": "", "nonce": ""}, {"csrf": "00" * 16, "nonce": "ff" * 16}):
            form = {"why": "bo tak", **FORMS.get(row, {}), **token}
            got = house.ask(path_of(row, house.ids), "POST", who, form=form)
            assert got.status == 403, (who, token)
        assert house.state() == before


HEADERS = {
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
DIRECTIVES = ("base-uri 'none'", "form-action 'self'")


@pytest.mark.parametrize("row", MATRIX)
def test_every_answer_carries_the_security_headers(busy: House, row: str) -> None:
    """Promise W4, for those who get in as for those who do not."""
    house = busy
    path = path_of(row, house.ids)
    answers = [ask(house, row, who) for who in ("anonymous", "main", "admin")]
    answers += [house.ask(path, "BREW"), house.ask(f"{path}/nowhere", who="admin")]
    for answer in answers:
        assert HEADERS.items() <= answer.headers.items()
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "sandbox" in policy or all(directive in policy for directive in DIRECTIVES)
        assert "frame-ancestors 'none'" in policy or "sandbox" in policy
        assert "noindex" in answer.headers["x-robots-tag"]
        if not path.startswith("/static/"):
            assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("who", ["technical", "cc", *STAFF])
def test_who_was_disabled_is_out_at_once(house: House, who: str) -> None:
    """Promise W3: with the next request."""
    path = "/panel/tickets" if who in CUSTOMERS else "/console"
    house.cookie(who)
    mine, token, world = spent(house, who), house.token(who), house.world
    assert house.ask(path, headers=mine).status == 200
    if who in CUSTOMERS:
        contact = house.contact(who)
        world.store.edits.set_contact(
            contact.account_id,
            contact.id,
            name=contact.name,
            role=contact.role,
            language=None,
            signs_in=False,
            who="tests",
            now=world.now(),
        )
    else:
        login = house.staff(who).login
        if who == "admin":  # the last one stays
            world.store.staff.add("second", "S", "pl", "admin", "x", "x", "tests", world.now())
        assert house.ask("/api/v1/me", headers=token).status == 200
        assert world.store.staff.disable(login, "tests", "gone", world.now())
        assert house.ask("/api/v1/me", headers=token).status == 401
    assert house.ask(path, headers=mine).status == 303


def spent(house: House, who: str) -> dict[str, str]:
    """The cookie that this person had, without signing in anew."""
    kind = "staff" if who in STAFF else "customer"
    return {"cookie": f"mailgate-{kind}={who:_<64}"}


@pytest.mark.parametrize("who", ["main", "agent"])
@pytest.mark.parametrize(("minutes", "step"), [(31, 31), (12 * 60 + 1, 20)])
def test_a_session_idles_out_and_ends_whatever_happens(
    house: House, who: str, minutes: int, step: int
) -> None:
    """Promise W3: 30 minutes without a request, 12 hours with them."""
    path = "/panel/tickets" if who == "main" else "/console"
    house.cookie(who)
    mine = spent(house, who)
    for _ in range((minutes - 2) // step):
        house.world.later(minutes=step)
        assert house.ask(path, headers=mine).status == 200
    house.world.later(minutes=minutes - (minutes - 2) // step * step)
    assert house.ask(path, headers=mine).status == 303
