"""Whose token a request names, and how it stands: by the directory, and only where it is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailgate.gather.token import company_words
from mailgate.tokens import ticket
from tests.token_mail import about, send
from tests.world import KEYS, ROOT, World, make_world

EWA, OLA = "ewa@biuro.example", "ola@piekarnia.example"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path)
    made.directory(ROOT / "tests" / "cases" / "world.yaml")
    yield made
    made.store.close()


def state(world: World, text: str, author: str = "ktos@obcy.example") -> str:
    view = world.store.views.message(send(world, author, text))
    assert view
    assert view.facts["token.request"] == "complete"
    return str(view.facts["token.state"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Northwind Cycles Ltd", "northwind cycles"),
        ("Kwiaciarnia Róża Sp. z o.o.", "KWIACIARNIA ROZA, sp. z o. o."),
        ("Łąki i Sady S.A.", "Laki i Sady SA"),
        ("A-Z Service", "A Z SERVICE"),
    ],
)
def test_two_spellings_of_a_company_are_one(one: str, other: str) -> None:
    assert company_words(one) == company_words(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Kwiaciarnia", "Kwiaciarnia Druga"), ("Sp. z o.o.", "S.A."), ("Nowak", "Nowakowski")],
)
def test_two_companies_are_not_one(one: str, other: str) -> None:
    assert company_words(one) != company_words(other)


def test_one_address_of_two_accounts_needs_the_account_or_the_company(world: World) -> None:
    assert state(world, about(EWA, "Kwiaciarnia", "")) == "never"
    assert state(world, about(EWA, "", "3004")) == "never"
    assert state(world, about(EWA, "Inna firma", "9999")) == "unknown"
    assert {row.notice.to for row in world.outbox()} == {EWA, "ktos@obcy.example"}


def test_the_right_address_with_another_account_is_nobody(world: World) -> None:
    assert state(world, about(OLA, "", "2002")) == "unknown"
    assert state(world, about(OLA, "Northwind Cycles Ltd", "")) == "unknown"


def test_an_account_that_is_wrong_does_not_hide_a_company_that_is_right(world: World) -> None:
    assert state(world, about(OLA, "piekarnia anna nowak", "1O01")) == "never"


def test_the_directory_is_not_asked_before_the_request_is_complete(world: World) -> None:
    view = world.store.views.message(send(world, OLA, "Proszę o token dla ola@piekarnia.example."))
    assert view
    assert view.facts["token.request"] == "incomplete"
    assert view.facts["token.state"] == "unknown"


def test_what_another_wrote_on_the_ticket_completes_nothing(world: World) -> None:
    """Whoever has the code of a ticket is not told, and does not add, what its author wrote."""
    first = world.store.views.message(send(world, "a@obcy.example", f"Konto nr 1001, adres {OLA}"))
    assert first
    assert first.ticket
    code = ticket.render("DeskT", first.ticket, ticket.code(KEYS, "tokens", first.ticket, 0))
    world.later(minutes=1)
    later = send(world, "b@obcy.example", "Bo mój token wygasł wczoraj rano.", subject=code)
    second = world.store.views.message(later)
    assert second
    assert second.ticket == first.ticket
    assert second.facts["token.request"] == "unclear"
