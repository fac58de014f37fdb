"""The JSON API as a help desk or a script uses it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from mailgate.cli.main import cli
from mailgate.clock import now
from mailgate.model.ports import StorageError
from tests.web.house import ANNA, House, Stock, mail

V1 = "/api/v1"


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    return Stock(tmp_path_factory.mktemp("stock"))


@pytest.fixture
def house(stock: Stock, tmp_path: Path) -> Iterator[House]:
    made = stock.copy(tmp_path)
    yield made
    made.close()


def test_a_token_says_whose_it_is(house: House) -> None:
    got = house.ask(f"{V1}/me", who="agent")
    assert got.status == 200
    me = got.json
    assert (me["login"], me["role"], me["scopes"]) == ("agent1", "agent", ["read", "act"])


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer mga-nobodys2token2nobodys2token",
        "Basic YWdlbnQxOng=",
        "Bearer " + "x" * 5000,
        "Bearer mgt-" + "a" * 26,
    ],
)
def test_without_a_token_of_staff_nothing_is_said(house: House, header: str) -> None:
    got = house.ask(f"{V1}/tickets", headers={"authorization": header})
    assert (got.status, got.json["code"]) == (401, "unauthorized")
    assert got.headers["content-type"] == "application/problem+json"
    assert got.headers["www-authenticate"] == "Bearer"


def test_a_token_that_may_only_read_does_nothing(house: House) -> None:
    token = house.token("agent", "read")
    assert house.ask(f"{V1}/tickets", headers=token).status == 200
    path = f"{V1}/tickets/{house.ids['ticket']}/close"
    got = house.ask(path, "POST", headers=token, data={"why": "bo tak"})
    assert (got.status, got.json["code"]) == (403, "forbidden")


def test_a_token_that_may_only_act_reads_nothing(house: House) -> None:
    assert house.ask(f"{V1}/tickets", headers=house.token("agent", "act")).status == 403


def test_a_reader_gets_no_further_with_any_token(house: House) -> None:
    path = f"{V1}/tickets/{house.ids['ticket']}/close"
    assert house.ask(path, "POST", "reader", data={"why": "bo tak"}).status == 403


def test_a_token_ends_when_it_expires_or_is_revoked(house: House) -> None:
    token = house.token("agent", "read")
    house.world.later(days=31)
    assert house.ask(f"{V1}/me", headers=token).status == 401
    other = house.token("admin", "read")
    (found,) = house.world.store.api_tokens.all(house.staff("admin").id)
    assert house.world.store.api_tokens.revoke(found.id, "tests", house.world.now())
    assert house.ask(f"{V1}/me", headers=other).status == 401


def test_tickets_are_listed_filtered_and_found_by_words(house: House) -> None:
    def numbers(query: str) -> set[int]:
        got = house.ask(f"{V1}/tickets?{query}", who="reader")
        assert got.status == 200, got.text
        return {row["ticket"]["number"] for row in got.json["rows"]}

    ids = house.ids
    assert numbers("") == {ids["ticket"], ids["open"], ids["closed"]}
    assert numbers("state=closed") == {ids["closed"]}
    assert numbers("standing=authorized") == {ids["closed"]}
    assert numbers("text=kopia") == {ids["open"]}
    assert numbers("account=2002") == set()


def test_a_list_goes_on_from_where_it_stopped_until_there_is_no_more(house: House) -> None:
    for n in range(7):
        mail(house.world, ANNA, f"piekarnia.example: sprawa {n}")
    whole = [r["queue_id"] for r in house.ask(f"{V1}/messages", who="reader").json["rows"]]
    got, after = [], ""
    while True:
        page = house.ask(f"{V1}/messages?limit=3{after}", who="reader").json
        got += [row["queue_id"] for row in page["rows"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert got == whole
    assert len(got) == len(set(got)) == 11


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "state=ajar", "sate=open", "after=elsewhere", "text=%00"]
)
def test_a_question_that_makes_no_sense_is_a_mistake_not_an_answer(
    house: House, query: str
) -> None:
    got = house.ask(f"{V1}/tickets?{query}", who="reader")
    assert got.status == 422
    assert got.headers["content-type"] == "application/problem+json"


def test_a_ticket_has_its_token_messages_and_readers(house: House) -> None:
    got = house.ask(f"{V1}/tickets/{house.ids['ticket']}", who="reader").json
    assert got["token"].startswith(f"[Desk#{house.ids['ticket']}:")
    (message,) = got["messages"]
    assert message["author"] == ANNA
    assert [file["filename"] for file in message["attachments"]] == ["umowa.pdf"]
    assert {reader["address"] for reader in got["readers"]} >= {ANNA}


def test_a_verdict_says_why_and_what_would_help(house: House) -> None:
    got = house.ask(f"{V1}/messages/{house.ids['message']}/verdict", who="reader").json
    assert (got["verdict"], got["rule"]) == ("unauthorized", "cc-without-share")
    (reason,) = got["reasons"]
    assert reason["code"] == "cc-without-share"
    assert "kontakt" in reason["text"]
    assert {"name": "cc", "value": "unshared"}.items() <= next(
        fact.items() for fact in got["facts"] if fact["name"] == "cc"
    )
    assert got["tried"][-1]["matched"]
    assert ("cc", "none") in {(miss["fact"], miss["value"]) for miss in got["misses"]}


def test_the_raw_message_comes_octet_for_octet(house: House) -> None:
    got = house.ask(f"{V1}/messages/{house.ids['message']}/raw", who="reader")
    assert got.body == house.world.store.views.octets(house.ids["message"])
    assert got.headers["content-type"] == "message/rfc822"
    assert got.headers["content-disposition"].startswith("attachment")


def test_contacts_and_accounts_say_who_may_ask_for_what(house: House) -> None:
    (anna,) = house.ask(f"{V1}/contacts?address={ANNA}", who="reader").json["rows"]
    assert (anna["role"], anna["account_id"]) == ("main", "1001")
    rows = house.ask(f"{V1}/contacts?limit=2", who="reader").json
    assert len(rows["rows"]) == 2
    more = house.ask(f"{V1}/contacts?limit=2&after={rows['next']}", who="reader").json
    assert len(more["rows"]) == 2
    assert more["next"] is None
    account = house.ask(f"{V1}/accounts/1001", who="reader").json
    assert account["company"] == "Piekarnia Anna Nowak"
    assert len(account["shares"]) == 1
    assert house.ask(f"{V1}/accounts/nobodys", who="reader").status == 404


def test_closing_and_reopening_are_written_down_with_who_and_why(house: House) -> None:
    number = house.ids["ticket"]
    because = {"why": "załatwione telefonicznie"}
    closed = house.ask(f"{V1}/tickets/{number}/close", "POST", "agent", data=because)
    assert (closed.status, closed.json["state"]) == (200, "closed")
    again = house.ask(f"{V1}/tickets/{number}/close", "POST", "agent", data=because)
    assert (again.status, again.json["code"]) == (409, "not-open")
    opened = house.ask(f"{V1}/tickets/{number}/reopen", "POST", "agent", data=because)
    assert opened.json["state"] == "open"
    entries = house.world.store.audit.entries(who="agent1").rows
    assert [e.what for e in entries[:2]] == ["ticket-reopened", "ticket-closed"]
    assert "załatwione telefonicznie" in str(entries[0].why)


def test_an_act_without_a_reason_is_refused(house: House) -> None:
    house.token("agent")
    before = house.state()
    for data in ({}, {"why": ""}, {"why": "   "}, {"why": "x", "who": "somebody"}):
        got = house.ask(f"{V1}/tickets/{house.ids['ticket']}/close", "POST", "agent", data=data)
        assert got.status == 422, data
    assert house.state() == before


def test_an_override_is_heeded_by_the_rules(house: House) -> None:
    path = f"{V1}/messages/{house.ids['message']}"
    says = {"value": "vouches", "why": "rozmawiałam z Anną"}
    got = house.ask(f"{path}/override", "POST", "agent", data=says)
    assert (got.status, got.json["who"]) == (202, "agent1")
    assert house.woken == ["workers"]
    house.world.work()
    verdict = house.ask(f"{path}/verdict", who="agent").json
    assert verdict["verdict"] == "authorized"
    assert verdict["overrides"][0]["why"] == "rozmawiałam z Anną"


def test_what_is_held_is_released_once(house: House) -> None:
    path = f"{V1}/messages/{house.ids['held']}/release"
    assert house.ask(path, "POST", "agent", data={"why": "już działa"}).status == 202
    got = house.ask(path, "POST", "agent", data={"why": "już działa"})
    assert (got.status, got.json["code"]) == (409, "not-held")


def test_an_answer_goes_to_who_asked_with_the_token_and_copies_to_readers_only(
    house: House,
) -> None:
    ids = house.ids
    path = f"{V1}/tickets/{ids['ticket']}/answers"
    got = house.ask(path, "POST", "agent", data={"text": "Zrobione.\nPozdrawiam"})
    assert got.status == 202, got.text
    (row,) = [n for n in house.world.outbox() if n.notice.id in got.json["notices"]]
    assert row.notice.to == ANNA
    octets = house.world.mail(row)
    assert b"Zrobione." in octets
    assert f"[Desk#{ids['ticket']}:".encode() in octets
    refused = house.ask(path, "POST", "agent", data={"text": "Tak.", "cc": [ids["contact"]]})
    assert (refused.status, refused.json["code"]) == (409, "cc-not-allowed")


def test_a_database_that_is_away_is_said_to_be_so(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = house.token("reader")

    def away(*_: object, **__: object) -> None:
        raise StorageError("locked: /var/lib/secret.db")

    monkeypatch.setattr(type(house.world.store.inbox), "tickets", away)
    got = house.ask(f"{V1}/tickets", headers=token)
    assert (got.status, got.json["code"]) == (503, "try-again")
    assert "secret" not in got.text
    assert "retry-after" in got.headers


def test_a_fault_of_ours_tells_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    token = house.token("reader")

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("token mga-secret")

    monkeypatch.setattr(type(house.world.store.inbox), "tickets", broken)
    got = house.ask(f"{V1}/tickets", headers=token)
    assert (got.status, got.json) == (
        500,
        {
            "type": "about:blank",
            "title": "Internal Server Error",
            "status": 500,
            "code": "failed",
            "detail": "",
            "mistakes": [],
        },
    )


def test_the_use_of_a_token_is_noted(house: House) -> None:
    token = house.token("reader")
    house.world.later(minutes=5)
    assert house.ask(f"{V1}/me", headers=token).status == 200
    (found,) = house.world.store.api_tokens.all(house.staff("reader").id)
    assert found.last_used_at == house.world.now()
    assert found.expires_at - found.created_at == timedelta(days=30)


def test_what_is_not_there_is_a_problem_too(house: House) -> None:
    for path in ("/nowhere", "/tickets/999999", "/messages/0123456789ABCDEFGH"):
        got = house.ask(f"{V1}{path}", who="reader")
        assert (got.status, got.headers["content-type"]) == (404, "application/problem+json")
    got = house.ask(f"{V1}/tickets", "DELETE", "reader")
    assert (got.status, got.json["code"]) == (405, "method-not-allowed")


def test_what_is_too_large_is_not_read(house: House) -> None:
    path = f"{V1}/tickets/{house.ids['ticket']}/answers"
    got = house.ask(path, "POST", "agent", data={"text": "ż" * 49_000})
    assert (got.status, got.json["code"]) == (413, "too-large")


def test_a_path_with_a_line_end_in_it_is_a_problem_as_any_other(house: House) -> None:
    got = house.ask(f"{V1}/messages/0123\n456", who="reader")
    assert (got.status, got.headers["content-type"]) == (404, "application/problem+json")


def test_the_command_line_makes_tokens_lists_them_and_ends_them(
    house: House, tmp_path: Path
) -> None:
    config = tmp_path / "mailgate.yaml"
    chosen = house.world.settings.model_dump(mode="json", include={"base_url", "database", "desks"})
    rules = str(house.world.settings.rules)
    config.write_text(json.dumps({**chosen, "keys": "keys", "rules": rules}))

    def say(*words: str) -> str:
        done = CliRunner().invoke(cli, ["--config", str(config), "staff", "token", *words])
        assert done.exit_code == 0, done.output
        return done.output

    said = say("add", "agent1", "--name", "help desk", "--scope", "read", "--by", "tests")
    made = said.split()[1]
    token = {"authorization": f"Bearer {made}"}
    house.world.clock[0] = now()
    assert house.ask(f"{V1}/me", headers=token).json["scopes"] == ["read"]
    (row,) = [json.loads(line) for line in say("list", "agent1", "--json").splitlines()]
    assert (row["name"], row["revoked_at"]) == ("help desk", None)
    assert made not in say("list", "agent1", "--json")
    assert "is revoked" in say("revoke", str(row["number"]), "--by", "tests")
    assert house.ask(f"{V1}/me", headers=token).status == 401
