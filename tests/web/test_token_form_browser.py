"""The open form for access tokens in a real browser without scripts, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from mailgate.message import read
from mailgate.message.token_request import read_request
from tests.web import axe
from tests.web.panel_house import SAM, PanelHouse, make_house
from tests.web.site import Server

pytestmark = pytest.mark.server("chromium")

WORDS = {
    "pl": {
        "link": "Nie mam tokenu",
        "form": "Poproś o token dostępu",
        "address": "Zarejestrowany adres e-mail",
        "company": "Firma",
        "account": "Numer konta",
        "why": "Krótkie wyjaśnienie",
        "send": "Wyślij prośbę",
        "missing": "Podaj nazwę firmy albo numer konta.",
        "sent": "Mamy Twoją prośbę",
    },
    "en": {
        "link": "I have no token",
        "form": "Ask for an access token",
        "address": "Registered e-mail address",
        "company": "Company",
        "account": "Account ID",
        "why": "Short explanation",
        "send": "Send the request",
        "missing": "Please give the company or the account ID.",
        "sent": "We have your request",
    },
}


@pytest.fixture
def house(tmp_path: Path, server: Server) -> Iterator[PanelHouse]:
    made = make_house(tmp_path, server)
    yield made
    made.world.store.close()


def visit(chromium: Browser, house: PanelHouse, language: str, *, scripts: bool = False) -> Page:
    context = chromium.new_context(
        base_url=house.base_url,
        java_script_enabled=scripts,
        locale=language,
        viewport={"width": 360, "height": 740},
        reduced_motion="reduce",
    )
    context.set_default_timeout(5000)
    page = context.new_page()
    page.goto("/panel")
    page.get_by_role("link", name=WORDS[language]["link"]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(WORDS[language]["form"])
    return page


@pytest.mark.parametrize("language", ["pl", "en"])
def test_somebody_without_a_token_asks_for_one(
    chromium: Browser, house: PanelHouse, language: str
) -> None:
    said = WORDS[language]
    page = visit(chromium, house, language)
    page.get_by_label(said["address"], exact=True).fill(SAM)
    page.get_by_label(said["why"], exact=True).fill("I never got one.\nI am new here.")
    page.get_by_role("button", name=said["send"]).click()
    expect(page.get_by_label(said["company"], exact=True)).to_have_accessible_description(
        f"{said['missing']} {page.locator('#company-hint').inner_text()}"
    )
    expect(page.get_by_label(said["address"], exact=True)).to_have_value(SAM)
    page.get_by_label(said["account"], exact=True).fill("2002")
    page.get_by_role("button", name=said["send"]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(said["sent"])
    house.settled()
    (row,) = house.world.store.views.queue(("incoming", "active", "deferred", "hold", "done"))
    (item,) = house.world.store.queue.items([row.queue_id])
    asked = read_request(read(item.content).text, None)
    assert (asked.account, asked.address, asked.language) == ("2002", SAM, language)
    assert asked.explanation == "I never got one. I am new here."
    page.context.close()


@pytest.mark.server("npm")
def test_axe_finds_nothing_serious_on_what_follows_the_form(
    chromium: Browser, house: PanelHouse
) -> None:
    said = WORDS["pl"]
    page = visit(chromium, house, "pl", scripts=True)
    page.get_by_label(said["address"], exact=True).fill(SAM)
    page.get_by_label(said["why"], exact=True).fill("zgubiłem token")
    page.get_by_role("button", name=said["send"]).click()
    expect(page.get_by_text(said["missing"])).to_be_visible()
    assert axe.problems(page) == []
    page.get_by_label(said["company"], exact=True).fill("Northwind")
    page.get_by_role("button", name=said["send"]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(said["sent"])
    assert axe.problems(page) == []
    house.settled()
    page.context.close()
