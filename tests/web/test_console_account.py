"""The console's page of an account: access tokens by when and to whom, and addresses that work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailgate.model.addresses import address_key
from mailgate.store.tables import paused_address
from tests.web.console_house import ConsoleHouse, console_house
from tests.web.site import Server

ANNA = "anna@piekarnia.example"
PAGE = "/console/accounts/1001"


@pytest.fixture
def house(tmp_path: Path, server: Server, console_stock: Path) -> Iterator[ConsoleHouse]:
    with console_house(tmp_path, server, console_stock) as made:
        made.sign_in("kasia")
        yield made


def anna(house: ConsoleHouse) -> int:
    return house.store.lookup.contacts(ANNA)[0].id


def pause(house: ConsoleHouse) -> None:
    now = house.world.now()
    values = {"address_key": address_key(ANNA), "address": ANNA, "paused_at": now}
    with house.store.database.writing() as connection:
        connection.execute(paused_address.insert(), values)


def test_a_token_is_issued_and_shown_by_when_and_to_whom_and_never_itself(
    house: ConsoleHouse,
) -> None:
    page = house.act(f"/console/contacts/{anna(house)}/token", account="1001", why="nowa osoba")
    (made,) = house.store.access_tokens.of_account("1001")
    assert (made.address, made.issued_by, made.scopes) == (
        ANNA, "kasia", ("panel", "tickets:read"),
    )  # fmt: skip
    assert "Nowy token został wysłany" in page.words
    assert "nieużyty" in page.words
    (mail,) = [r for r in house.world.outbox() if r.notice.template == "access-token"]
    token = re.search(r"mgt-[a-z2-7]{26}", house.world.mail(mail).decode("utf-8"))
    assert token
    assert token[0] not in page.text
    assert house.audited()[0] == (
        "kasia", "token-issued", f"contact:{anna(house)}", "nowa osoba",
    )  # fmt: skip


def test_a_token_is_revoked_with_a_reason(house: ConsoleHouse) -> None:
    house.act(f"/console/contacts/{anna(house)}/token", account="1001", why="nowa osoba")
    (made,) = house.store.access_tokens.of_account("1001")
    path = f"/console/tokens/{made.id}/revoke"
    assert house.post(path, account="1001").status == 422
    page = house.act(path, account="1001", why="zgubiony laptop")
    assert "zgubiony laptop" in page.words
    assert house.post(path, account="1001", why="jeszcze raz").status == 422


def test_why_a_token_ended_is_said_in_the_language_of_the_page(house: ConsoleHouse) -> None:
    for _ in range(2):
        page = house.act(f"/console/contacts/{anna(house)}/token", account="1001", why="x")
    assert "wydano nowszy" in page.words
    assert "a newer one was issued" in house.ask(f"{PAGE}?lang=en").words


def test_what_is_of_another_account_is_not_there(house: ConsoleHouse) -> None:
    house.act(f"/console/contacts/{anna(house)}/token", account="1001", why="nowa osoba")
    (made,) = house.store.access_tokens.of_account("1001")
    other = next(e.account.id for e in house.store.directory.export() if e.account.id != "1001")
    for path in (f"contacts/{anna(house)}/token", f"tokens/{made.id}/revoke"):
        for account in (other, "", "9999"):
            assert house.post(f"/console/{path}", account=account, why="x").status == 404
    assert house.ask("/console/accounts/9999").status == 404
    assert house.ask("/console/accounts/").status == 404


def test_a_paused_address_is_named_and_ended_by_staff(house: ConsoleHouse) -> None:
    """Promise A7."""
    pause(house)
    assert "nasza poczta nie dochodzi" in house.ask(PAGE).words
    assert "wstrzymany" in house.ask("/console/state").words
    refused = house.post(f"/console/contacts/{anna(house)}/token", account="1001", why="x")
    assert refused.status == 422
    assert "Token nie został wydany" in refused.words
    path = f"/console/contacts/{anna(house)}/works"
    page = house.act(path, account="1001", why="rozmowa z Anną")
    assert "nasza poczta nie dochodzi" not in page.words
    assert house.store.pauses.all() == []
    assert house.audited()[0][1] == "address-works"
    assert house.post(path, account="1001", why="x").status == 422


def test_a_reader_sees_it_all_and_does_nothing(
    tmp_path: Path, server: Server, console_stock: Path
) -> None:
    with console_house(tmp_path, server, console_stock) as house:
        house.sign_in("rita")
        pause(house)
        page = house.ask(PAGE)
        assert page.status == 200
        assert "<button" not in page.text.partition("<main")[2]
        assert house.post(f"/console/contacts/{anna(house)}/token", why="x").status == 403


def test_the_ticket_leads_to_the_account(house: ConsoleHouse) -> None:
    ticket = house.message(house.mail()).message.ticket
    page = house.ask(f"/console/tickets/{ticket}")
    assert f'href="{PAGE}"' in page.text
    assert ANNA in house.ask(PAGE).words
