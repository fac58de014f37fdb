"""The API with a customer's own access token: what it reads, what it writes, and no further."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailgate.settings import Web
from tests.web.house import ANNA, JAN, House, Stock, furnish, mail

MY = "/api/v1/my"
ASK = {"subject": "Kopia zapasowa", "text": "Proszę o kopię."}


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    return Stock(tmp_path_factory.mktemp("stock"))


@pytest.fixture
def house(stock: Stock, tmp_path: Path) -> Iterator[House]:
    made = stock.copy(tmp_path)
    yield made
    made.close()


def numbers(house: House, who: str, query: str = "") -> set[int]:
    got = house.ask(f"{MY}/tickets{query}", who=who)
    assert got.status == 200, got.text
    return {row["ticket"]["number"] for row in got.json["rows"]}


def write(house: House, who: str = "main", key: str = "", **data: Any) -> Any:
    headers = {"idempotency-key": key} if key else {}
    return house.ask(f"{MY}/tickets", "POST", who, data={**ASK, **data}, headers=headers)


def test_the_main_contact_reads_the_account_and_others_what_is_shared_with_them(
    house: House,
) -> None:
    ids = house.ids
    assert {ids["ticket"], ids["open"], ids["closed"]} <= numbers(house, "main")
    assert ids["ticket"] not in numbers(house, "technical")
    assert numbers(house, "other") == set()
    assert numbers(house, "main", "?state=closed") == {ids["closed"]}
    assert house.ask(f"{MY}/tickets?after=x", who="main").status == 422


def test_one_ticket_has_its_messages_with_reasons_and_nothing_of_the_inside(house: House) -> None:
    got = house.ask(f"{MY}/tickets/{house.ids['ticket']}", who="main")
    assert got.status == 200
    message = next(m for m in got.json["messages"] if m["queue_id"] == house.ids["message"])
    assert message["author"] == ANNA
    assert all(reason["text"] for reason in message["reasons"])
    assert not {"facts", "rule", "labels", "history"} & set(message)
    assert house.ask(f"{MY}/tickets/{house.ids['ticket']}", who="other").status == 404


def test_what_waits_for_the_reader_is_named(house: House) -> None:
    waits = mail(house.world, ANNA, "piekarnia.example: jeszcze jedna")
    (number,) = numbers(house, "main", "?text=jeszcze")
    assert house.ask(f"{MY}/tickets/{number}", who="main").json["waiting"] == [waits]


def test_services_are_those_one_may_write_about(house: House) -> None:
    mine = house.ask(f"{MY}/services", who="main").json["rows"]
    shared = house.ask(f"{MY}/services", who="technical").json["rows"]
    assert {s["id"] for s in shared} < {s["id"] for s in mine}


def test_what_is_written_goes_the_way_of_every_message(house: House) -> None:
    got = write(house)
    assert got.status == 202, got.text
    assert house.woken == ["workers"]
    house.world.work()
    message = house.world.store.views.message(got.json["queue_id"])
    assert message is not None
    assert (message.channel, message.entered_by, message.account_id) == ("api", ANNA, "1001")
    assert (message.subject, message.verdict) == ("Kopia zapasowa", "pending"), (
        "a token alone is no yes of the person"
    )
    link = [r for r in house.world.outbox() if r.notice.queue_id == message.queue_id]
    assert [(r.notice.to, r.notice.template) for r in link] == [(ANNA, "authorization-link")]


def test_a_contact_writes_about_what_is_shared_and_nothing_else(house: House) -> None:
    (shared,) = house.ask(f"{MY}/services", who="technical").json["rows"]
    mine = house.ask(f"{MY}/services", who="main").json["rows"]
    other = next(s for s in mine if s["id"] != shared["id"])
    got = write(house, "technical", service=shared["id"])
    house.world.work()
    message = house.world.store.views.message(got.json["queue_id"])
    assert message is not None
    assert message.subject == f"{shared['identifier']}: Kopia zapasowa"
    assert message.author == JAN
    refused = write(house, "technical", service=other["id"])
    assert (refused.status, refused.json["code"]) == (409, "no-such-service")


def test_the_same_key_is_the_same_request(house: House) -> None:
    first, again = (write(house, key="job-17").json["queue_id"] for _ in range(2))
    assert first == again
    assert write(house, key="job-18").json["queue_id"] != first
    assert write(house, key="job-17", text="Inna.").json["queue_id"] != first
    assert write(house, "technical", key="job-17").json["queue_id"] != first


@pytest.mark.parametrize(
    ("field", "value"),
    [("subject", "a\r\nBcc: x@y.example"), ("subject", " "), ("text", " "), ("text", "a\x00")],
)
def test_what_is_no_request_is_refused(house: House, field: str, value: str) -> None:
    assert write(house, **{field: value}).status == 422


def test_it_is_for_a_desk_of_requests(house: House) -> None:
    assert write(house, desk="support").status == 202
    for desk in ("tokens", "nowhere"):
        assert (write(house, desk=desk).status, write(house, desk=desk).json["code"]) == (
            409,
            "no-such-desk",
        )


def test_each_scope_is_for_its_own(house: House) -> None:
    reads, writes = house.token("main", "tickets:read"), house.token("main", "tickets:write")
    panel = house.token("main", "panel")
    for headers, status in ((reads, 200), (writes, 403), (panel, 403)):
        for path in ("tickets", f"tickets/{house.ids['ticket']}", "services"):
            assert house.ask(f"{MY}/{path}", headers=headers).status == status, (path, status)
    for headers, status in ((reads, 403), (writes, 202), (panel, 403)):
        got = house.ask(f"{MY}/tickets", "POST", data=ASK, headers=headers)
        assert got.status == status


def test_no_token_opens_what_is_for_the_other_kind(house: House) -> None:
    for path, who in (
        ("/api/v1/tickets", "main"),
        ("/api/v1/me", "main"),
        (f"{MY}/tickets", "admin"),
    ):
        got = house.ask(path, who=who)
        assert (got.status, got.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("end", ["expired", "revoked", "removed", "shut out"])
def test_a_token_ends_with_its_time_with_its_contact_and_by_a_word(house: House, end: str) -> None:
    token = house.token("technical", "tickets:read")
    assert house.ask(f"{MY}/tickets", headers=token).status == 200
    store, now, jan = house.world.store, house.world.now(), house.contact("technical")
    made = store.access_tokens.of_contact(jan.id)[0]
    if end == "expired":
        house.world.clock[0] = made.expires_at
    elif end == "revoked":
        assert store.access_tokens.revoke(made.id, "kasia", "lost", now)
    elif end == "removed":
        assert store.edits.remove_contact("1001", jan.id, "kasia", now)
    else:
        assert store.edits.set_contact(
            "1001", jan.id, name="Jan", role="technical", language=None, signs_in=False,
            who="kasia", now=now,
        )  # fmt: skip
    assert house.ask(f"{MY}/tickets", headers=token).status == 401


def test_who_asks_too_often_is_told_when_to_come_back(house: House) -> None:
    """Promise W9; each token has its own budget, and so have those who bring none."""
    few = {"web": Web(api_per_minute=6)}
    house.world.settings = house.world.settings.model_copy(update=few)
    small = furnish(house.world)
    for _ in range(6):
        assert small.ask(f"{MY}/tickets", who="main").status == 200
    refused = small.ask(f"{MY}/tickets", who="main")
    assert (refused.status, refused.json["code"]) == (429, "too-many-requests")
    assert refused.headers["retry-after"] == "10"
    assert small.ask(f"{MY}/tickets", who="technical").status == 200
    assert small.ask("/api/v1/me", who="agent").status == 200
    assert [small.ask(f"{MY}/tickets").status for _ in range(7)] == [401] * 6 + [429]
