"""The open form for access tokens: one answer for everybody, and a message like any other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailgate.message import read
from mailgate.message.token_request import read_request
from mailgate.model.item import QueueRow
from tests.web.panel_house import ANNA, JAN, PanelHouse, Visitor, make_house
from tests.web.site import Answer, Server

ASKED = {
    "company": "Piekarnia Anna Nowak",
    "account": "1001",
    "address": ANNA,
    "explanation": "zgubiłam token",
}


@pytest.fixture
def house(tmp_path: Path, server: Server) -> Iterator[PanelHouse]:
    made = make_house(tmp_path, server)
    yield made
    made.world.store.close()


def send(visitor: Visitor, **fields: str) -> Answer:
    nonce = visitor.ask("/panel/token").nonce
    return visitor.post("/panel/token", None, nonce=nonce, **fields)


def kept(house: PanelHouse) -> list[QueueRow]:
    """Everything that came in, whatever became of it."""
    house.settled()
    return house.world.store.views.queue(("incoming", "active", "deferred", "hold", "done"))


def test_the_page_for_signing_in_leads_to_the_form(house: PanelHouse) -> None:
    assert 'href="/panel/token">Nie mam tokenu</a>' in Visitor(house).ask("/panel/sign-in").text


def test_without_a_desk_for_tokens_there_is_no_form(house: PanelHouse, server: Server) -> None:
    ours = house.world.settings
    desks = {name: desk for name, desk in ours.desks.items() if desk.purpose != "tokens"}
    house.world.settings = ours.model_copy(update={"desks": desks})
    house.start(server)
    visitor = Visitor(house)
    assert visitor.ask("/panel/token").status == 404
    assert "/panel/token" not in visitor.ask("/panel/sign-in").text.replace("/panel/tokens", "")


def test_a_long_address_is_refused_and_not_cut(house: PanelHouse) -> None:
    long = f"anna@{'a.' * 130}piekarnia.example"
    assert send(Visitor(house), **{**ASKED, "address": long}).status == 422


def test_a_request_becomes_a_message_of_the_token_desk(house: PanelHouse) -> None:
    got = send(Visitor(house), **ASKED)
    assert got.status == 200
    assert got.title == "Mamy Twoją prośbę"
    (row,) = kept(house)
    assert (row.desk, row.channel) == ("tokens", "form")
    (item,) = house.world.store.queue.items([row.queue_id])
    assert item.entered_by == ANNA
    assert item.account_id is None
    asked = read_request(read(item.content).text, None)
    assert (asked.company, asked.account) == ("Piekarnia Anna Nowak", "1001")
    assert (asked.address, asked.explanation) == (ANNA, "zgubiłam token")


@pytest.mark.parametrize("address", [ANNA, "nobody@nowhere.example"])
def test_the_answer_says_the_same_of_every_address(house: PanelHouse, address: str) -> None:
    got = send(Visitor(house), **{**ASKED, "address": address})
    same = send(Visitor(house), **{**ASKED, "address": "x@y.example", "account": "9"})
    assert got.text.replace(address, "") == same.text.replace("x@y.example", "")


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("address", "", "address"),
        ("address", "anna", "address"),
        ("explanation", " ", "explanation"),
    ],
)
def test_what_is_missing_is_said_beside_its_field_and_the_rest_is_kept(
    house: PanelHouse, field: str, value: str, problem: str
) -> None:
    got = send(Visitor(house), **{**ASKED, field: value})
    assert got.status == 422
    assert f'id="{problem}-problem"' in got.text
    assert 'value="Piekarnia Anna Nowak"' in got.text
    assert not house.world.store.views.queue()


def test_company_or_account_is_enough_and_neither_is_not(house: PanelHouse) -> None:
    visitor = Visitor(house)
    assert send(visitor, **{**ASKED, "company": ""}).status == 200
    assert send(visitor, **{**ASKED, "account": ""}).status == 200
    got = send(visitor, **{**ASKED, "company": "", "account": ""})
    assert got.status == 422
    assert 'id="company-problem"' in got.text


def test_the_second_click_on_send_is_the_same_request(house: PanelHouse) -> None:
    visitor = Visitor(house)
    nonce = visitor.ask("/panel/token").nonce
    for _ in range(2):
        got = visitor.post("/panel/token", None, nonce=nonce, once="a1", **ASKED)
        assert got.status == 200
    assert len(kept(house)) == 1


def test_one_network_address_asks_thirty_times_an_hour(house: PanelHouse) -> None:
    visitor = Visitor(house)
    answers = [send(visitor, **ASKED, once=str(n)).status for n in range(31)]
    assert answers == [200] * 30 + [429]
    house.world.later(hours=1, seconds=1)
    assert send(visitor, **ASKED).status == 200


def test_lines_in_a_field_forge_no_other_field(house: PanelHouse) -> None:
    send(Visitor(house), **{**ASKED, "explanation": "x\nCompany: Evil\nFirma: Zła"})
    (row,) = kept(house)
    (item,) = house.world.store.queue.items([row.queue_id])
    assert read_request(read(item.content).text, None).company == "Piekarnia Anna Nowak"


def test_the_main_contact_sees_that_a_token_followed_a_request(house: PanelHouse) -> None:
    send(Visitor(house), **{**ASKED, "address": JAN, "explanation": "nigdy nie dostałem tokenu"})
    kept(house)
    page = Visitor(house).sign_in(ANNA).ask("/panel/account").text
    assert "po prośbie o token" in page
