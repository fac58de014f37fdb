"""Questions about access tokens: on the page of a link and in the panel, also in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.token_mail import about, send
from tests.web.panel_house import ANNA, JAN, OLA, SAM, PanelHouse, Visitor, make_house
from tests.web.site import Answer, Server
from tests.web.test_browser import LOW_CONTRAST

STRANGER = "ktos@obcy.example"
LINK = r"http://\S+/c/[a-z2-7]+"


@pytest.fixture
def house(tmp_path: Path, server: Server) -> Iterator[PanelHouse]:
    made = make_house(tmp_path, server)
    yield made
    made.world.store.close()


def asked(house: PanelHouse, author: str, address: str = OLA) -> str:
    """A request while there is a token that was never used: its owner is asked."""
    house.token(address)
    return send(house.world, author, about(address))


def asked_of_the_manager(house: PanelHouse) -> str:
    house.token(OLA)
    ola = house.contact(OLA)
    (token,) = house.world.store.access_tokens.of_contact(ola.id)
    now = house.world.now()
    assert house.world.store.access_tokens.revoke(token.id, "kasia", "lost", now)
    return send(house.world, STRANGER, about(OLA).replace("nie mam tokenu", "<b>pilne</b>!"))


def path(house: PanelHouse, address: str) -> str:
    return house.find(address, LINK).removeprefix(house.base_url)


def code(house: PanelHouse, address: str) -> str:
    return re.sub(r"\D", "", house.find(address, r"\s\d{6}\s"))


def answered(house: PanelHouse, address: str, choice: str, **fields: str) -> Answer:
    visitor, page = Visitor(house), path(house, address)
    nonce = visitor.ask(page).nonce
    got = visitor.post(page, None, nonce=nonce, choice=choice, **fields)
    return visitor.follow(got)


def tokens(house: PanelHouse, address: str) -> int:
    """How many tokens this address has been mailed."""
    return sum(row.notice.template == "access-token" for row in house.letters(address))


# --- by link --------------------------------------------------------------------------------------


def test_the_page_asks_whether_a_token_is_wanted_and_shows_nothing_of_the_message(
    house: PanelHouse,
) -> None:
    asked(house, STRANGER)
    got = Visitor(house).ask(path(house, OLA))
    assert got.title == "Czy prosisz o nowy token dostępu?"
    assert STRANGER in got.text
    assert "Piekarnia Anna Nowak" in got.text
    assert "nie mam tokenu" not in got.text


def test_a_yes_mails_the_new_token_and_the_page_says_where_to(house: PanelHouse) -> None:
    asked(house, OLA)
    got = answered(house, OLA, "confirm")
    assert got.title == "Nowy token jest w drodze"
    assert f"na adres {OLA}" in got.text
    assert tokens(house, OLA) == 2


def test_a_no_changes_nothing_and_is_thanked_for(house: PanelHouse) -> None:
    asked(house, OLA)
    assert answered(house, OLA, "deny").title == "Dziękujemy za ostrzeżenie"
    assert tokens(house, OLA) == 1


def test_a_token_that_the_limits_keep_back_is_not_promised(house: PanelHouse) -> None:
    asked(house, OLA)
    for _ in range(10):
        house.token(JAN)
    assert answered(house, OLA, "confirm").title == "Tokenu jeszcze nie wysłaliśmy"
    assert tokens(house, OLA) == 1


def test_the_manager_sees_whom_it_is_for_and_answers_with_the_code(house: PanelHouse) -> None:
    asked_of_the_manager(house)
    visitor, page = Visitor(house), path(house, ANNA)
    shown = visitor.ask(page)
    assert shown.title == "Czy ta osoba może dostać nowy token dostępu?"
    for words in (OLA, "Ola Nowak", "unieważniony", "&lt;b&gt;pilne&lt;/b&gt;!", STRANGER):
        assert words in shown.text
    refused = visitor.post(page, None, nonce=shown.nonce, choice="confirm")
    assert refused.status == 422
    got = answered(house, ANNA, "confirm", code=code(house, ANNA))
    assert got.title == "Nowy token jest w drodze"
    assert f"na adres {OLA}" in got.text
    assert tokens(house, OLA) == 2


def test_what_the_manager_refuses_is_told_to_the_owner(house: PanelHouse) -> None:
    asked_of_the_manager(house)
    got = answered(house, ANNA, "deny", code=code(house, ANNA))
    assert got.title == "Zapisaliśmy Twoją odmowę"
    assert f"na adres {OLA}" in got.text
    assert [row.notice.template for row in house.letters(OLA)][-1] == "token-refused"
    assert tokens(house, OLA) == 1


def test_a_link_that_came_too_late_is_mailed_anew_to_the_same_address(house: PanelHouse) -> None:
    asked(house, OLA)
    house.world.later(hours=25)
    visitor, page = Visitor(house), path(house, OLA)
    over = visitor.ask(page)
    assert (over.status, over.title) == (410, "Ten link wygasł")
    assert "nowego tokenu nie ma" in over.text
    visitor.post(page + "/new", None, nonce=over.nonce)
    assert path(house, OLA) != page
    assert answered(house, OLA, "confirm").title == "Nowy token jest w drodze"


# --- in the panel ---------------------------------------------------------------------------------


def test_the_panel_asks_its_contact_the_same_and_no_code(house: PanelHouse) -> None:
    queue_id = asked_of_the_manager(house)
    anna = Visitor(house).sign_in(ANNA)
    page = anna.ask("/panel/waiting")
    for words in ("Prośba o token dostępu", OLA, "Ola Nowak", "&lt;b&gt;pilne&lt;/b&gt;!"):
        assert words in page.text
    got = anna.follow(anna.send(f"/panel/waiting/{queue_id}", ("choice", "confirm")))
    assert "Zapisaliśmy Twoją zgodę" in got.text
    assert tokens(house, OLA) == 2
    again = anna.follow(anna.send(f"/panel/waiting/{queue_id}", ("choice", "deny")))
    assert "ktoś już odpowiedział" in again.text
    assert tokens(house, OLA) == 2


@pytest.mark.parametrize("who", [OLA, JAN, SAM])
def test_nobody_else_is_asked_or_can_answer(house: PanelHouse, who: str) -> None:
    queue_id = asked_of_the_manager(house)
    visitor = Visitor(house).sign_in(who)
    before = tokens(house, OLA)
    assert "Prośba o token dostępu" not in visitor.ask("/panel/waiting").text
    got = visitor.send(f"/panel/waiting/{queue_id}", ("choice", "confirm"))
    assert got.status == 404
    assert tokens(house, OLA) == before


def test_whoever_asked_for_somebody_else_cannot_answer_in_their_place(house: PanelHouse) -> None:
    queue_id = asked(house, JAN, OLA)
    jan = Visitor(house).sign_in(JAN)
    assert "Czy ta wiadomość jest od Ciebie?" not in jan.ask("/panel/waiting").text
    jan.send(f"/panel/waiting/{queue_id}", ("choice", "confirm"))
    assert tokens(house, OLA) == 1


# --- in a browser ---------------------------------------------------------------------------------


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(java_script_enabled=False, locale="pl-PL")
    context.set_default_timeout(5000)
    yield context.new_page()
    context.close()


@pytest.mark.server("chromium")
def test_the_manager_decides_in_a_browser(house: PanelHouse, page: Page) -> None:
    asked_of_the_manager(house)
    page.goto(house.base_url + path(house, ANNA))
    page.get_by_label("Kod z naszego e-maila").fill(code(house, ANNA))
    page.get_by_role("button", name="Tak, wyślijcie token").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nowy token jest w drodze")
    assert tokens(house, OLA) == 2


@pytest.mark.server("chromium")
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("language", ["pl", "en"])
def test_no_page_needs_scrolling_sideways_and_all_text_has_contrast(
    house: PanelHouse, chromium: Browser, width: int, language: str
) -> None:
    asked_of_the_manager(house)
    house.world.later(minutes=1)
    asked(house, STRANGER, ANNA)
    page = chromium.new_page(viewport={"width": width, "height": 800})
    of_manager = next(row for row in house.letters(ANNA) if row.notice.template == "token-approval")
    manager = re.search(LINK, house.read(of_manager))
    assert manager
    assert manager[0] != house.find(ANNA, LINK)
    for address in (house.find(ANNA, LINK), manager[0]):
        page.goto(f"{address}?lang={language}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(LOW_CONTRAST) == []
    page.close()
