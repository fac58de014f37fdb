"""The customer panel in a real browser without scripts, on the real store and the real rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.panel_house import ANNA, JAN, OLA, PanelHouse, Visitor, make_house
from tests.web.site import Server
from tests.web.test_browser import LOW_CONTRAST

pytestmark = pytest.mark.server("chromium")
LINK = r"http://\S+/panel/(?:in|v)/[a-z2-7]+"
CODE = r"Kod:\s+\d{6}"


@pytest.fixture
def house(tmp_path: Path, server: Server) -> Iterator[PanelHouse]:
    made = make_house(tmp_path, server)
    yield made
    made.world.store.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(java_script_enabled=False, locale="pl-PL")
    context.set_default_timeout(5000)
    yield context.new_page()
    context.close()


def sign_in(page: Page, house: PanelHouse, address: str) -> None:
    page.goto(f"{house.base_url}/panel")
    page.get_by_label("Token dostępu").fill(house.token(address))
    page.get_by_role("button", name="Zaloguj się tokenem").click()
    heading(page, "Zgłoszenia")


def heading(page: Page, text: str | re.Pattern[str]) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def flash(page: Page, text: str) -> None:
    expect(page.get_by_role("status")).to_contain_text(text)


def go(page: Page, section: str) -> None:
    page.get_by_role("navigation", name="Działy panelu").get_by_role("link", name=section).click()


def test_signing_in_by_a_mailed_link_and_out_again(page: Page, house: PanelHouse) -> None:
    page.goto(f"{house.base_url}/panel")
    page.get_by_label("Zarejestrowany adres e-mail").fill(ANNA)
    page.get_by_role("button", name="Wyślij mi link").click()
    heading(page, "Sprawdź pocztę")
    house.settled()
    page.goto(house.find(ANNA, LINK))
    page.get_by_role("button", name="Wejdź do panelu").click()
    heading(page, "Zgłoszenia")
    page.get_by_role("button", name="Wyloguj").click()
    flash(page, "Wylogowano.")
    page.goto(f"{house.base_url}/panel/contacts")
    heading(page, "Zaloguj się do panelu klienta")


def test_a_new_ticket_with_a_file_is_authorized_and_answered(
    page: Page, house: PanelHouse, tmp_path: Path
) -> None:
    sign_in(page, house, ANNA)
    expect(page.get_by_text("Nie ma jeszcze żadnych zgłoszeń")).to_be_visible()
    page.get_by_role("link", name="Nowe zgłoszenie").click()
    page.get_by_label("Usługa").select_option(label="piekarnia.example – Domena i poczta")
    page.get_by_label("Temat").fill("Zmiana serwerów DNS")
    page.get_by_label("Treść").fill("Proszę o zmianę.\n\nAnna")
    file = tmp_path / "serwery.txt"
    file.write_text("ns1.example\n")
    page.get_by_label("Załączniki").set_input_files(file)
    page.get_by_role("button", name="Wyślij zgłoszenie").click()
    heading(page, "piekarnia.example: Zmiana serwerów DNS")
    flash(page, "jest autoryzowana")
    message = page.get_by_role("article", name=f"Wiadomość, autor: {ANNA}")
    expect(message).to_contain_text("Autoryzowana")
    with page.expect_download() as download:
        message.get_by_role("link", name="serwery.txt").click()
    assert download.value.suggested_filename == "serwery.txt"
    assert Path(download.value.path()).read_text() == "ns1.example\n"
    page.get_by_label("Treść").fill("Jeszcze jedno.")
    page.get_by_role("button", name="Wyślij odpowiedź").click()
    expect(message).to_have_count(2)
    page.reload()
    expect(message).to_have_count(2)
    go(page, "Zgłoszenia")
    expect(page.get_by_role("link", name="Zmiana serwerów DNS")).to_be_visible()
    expect(page.get_by_text("Wiadomości: 2")).to_be_visible()


@pytest.mark.parametrize(
    ("button", "outcome"),
    [("Tak, to moja wiadomość", "jest autoryzowana"), ("Nie, to nie moja", "za ostrzeżenie")],
)
def test_a_waiting_message_is_confirmed_or_denied(
    page: Page, house: PanelHouse, button: str, outcome: str
) -> None:
    house.mail(ANNA, "Proszę o zmianę pakietu", "Na większy.")
    sign_in(page, house, ANNA)
    go(page, "Do potwierdzenia")
    expect(page.get_by_text("Na większy.")).to_be_visible()
    page.get_by_role("button", name=button).click()
    flash(page, outcome)
    go(page, "Do potwierdzenia")
    expect(page.get_by_text("Żadna wiadomość nie czeka")).to_be_visible()


def test_a_share_makes_the_waiting_mail_of_a_contact_decidable(
    page: Page, house: PanelHouse, chromium: Browser
) -> None:
    house.mail(OLA, "Faktura za piekarnia.example", "Poproszę o fakturę.")
    sign_in(page, house, ANNA)
    page.get_by_role("link", name="Faktura za piekarnia.example").click()
    expect(page.get_by_role("article").first).to_contain_text("Nieautoryzowana")
    page.get_by_role("link", name="udostępnij jej usługę").click()
    heading(page, "Udostępnianie usług")
    box = page.get_by_role("checkbox", name="Ola Nowak Kontakt dodatkowy").first
    box.check()
    expect(page.get_by_text("dostanie").locator("visible=true")).to_have_count(1)
    page.get_by_role("button", name="Zapisz zmiany").click()
    flash(page, "Dostępy nadane: 1, odebrane: 0.")
    expect(box).to_be_checked()
    context = chromium.new_context(java_script_enabled=False, locale="pl-PL")
    hers = context.new_page()
    sign_in(hers, house, OLA)
    go(hers, "Do potwierdzenia")
    hers.get_by_role("button", name="Tak, to moja wiadomość").click()
    flash(hers, "jest autoryzowana")
    context.close()


def test_a_contact_is_added_and_says_yes(page: Page, house: PanelHouse) -> None:
    sign_in(page, house, ANNA)
    go(page, "Kontakty")
    page.get_by_role("link", name="Dodaj kontakt").click()
    page.get_by_label("Adres e-mail").fill(JAN)
    page.get_by_label("Imię i nazwisko").fill("Ewa Lis")
    page.get_by_label("Kontakt techniczny").check()
    page.get_by_role("button", name="Wyślij link").click()
    expect(page.get_by_role("alert")).to_contain_text("ma już jeden z kontaktów")
    expect(page.get_by_label("Imię i nazwisko")).to_have_value("Ewa Lis")
    page.get_by_label("Adres e-mail").fill("ewa@piekarnia.example")
    page.get_by_role("button", name="Wyślij link").click()
    flash(page, "Wysłaliśmy link")
    page.goto(house.find("ewa@piekarnia.example", LINK))
    page.get_by_role("button", name="Tak, to mój adres").click()
    heading(page, "Gotowe, adres jest zapisany")
    page.goto(f"{house.base_url}/panel/contacts")
    expect(page.get_by_role("link", name="Ewa Lis")).to_be_visible()


def test_the_main_address_changes_with_a_yes_from_both(page: Page, house: PanelHouse) -> None:
    new = "anna.nowak@nowa.example"
    sign_in(page, house, ANNA)
    go(page, "Edycja")
    page.get_by_role("link", name="Zmień główny adres konta").click()
    page.get_by_label("Nowy adres").fill(new)
    page.get_by_role("button", name="Wyślij link").click()
    flash(page, "Zmiana wymaga zgody z obu")
    page.goto(house.find(new, LINK))
    page.get_by_role("button", name="Tak, to mój adres").click()
    heading(page, "Dziękujemy, czekamy jeszcze na drugi adres")
    page.goto(house.find(ANNA, LINK))
    page.get_by_role("button", name="Tak, zmieńcie adres").click()
    expect(page.get_by_role("alert")).to_contain_text("Wpisz kod")
    code = house.find(ANNA, CODE)[-6:]
    page.get_by_label("Kod z naszego e-maila").fill(code)
    page.get_by_role("button", name="Tak, zmieńcie adres").click()
    heading(page, "Gotowe, adres jest zapisany")
    assert house.contact(new).role == "main"
    page.goto(f"{house.base_url}/panel/account")
    heading(page, "Zaloguj się do panelu klienta")


def test_the_keyboard_alone_reaches_everything_of_a_page(page: Page, house: PanelHouse) -> None:
    house.mail(ANNA, "Proszę o zmianę pakietu", "Na większy.")
    sign_in(page, house, ANNA)
    page.goto(f"{house.base_url}/panel/tickets/1")
    reached = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        focused = page.locator("*:focus")
        reached.update(focused.evaluate_all("all => all.map(e => e.id || e.textContent.trim())"))
    wanted = page.locator("a, button, input:not([type=hidden]), textarea, select, summary")
    everything = wanted.evaluate_all("all => all.map(e => e.id || e.textContent.trim())")
    assert set(everything) <= reached


# --- every page, in both languages, narrow and wide, light and dark -------------------------------


@pytest.fixture
def furnished(house: PanelHouse) -> tuple[Visitor, list[str], list[str]]:
    """A house in which every page has something to show: pages of Anna, and pages for anybody."""
    anna = Visitor(house).sign_in(ANNA)
    long = "Przeniesienie" + "x" * 120 + " sklepu sklep.piekarnia.example"
    form = {"service": "", "subject": long[:200], "text": "y" * 300}
    anna.upload("/panel/tickets/new", form, ("z" * 150 + ".pdf", b"%PDF"))
    house.mail(ANNA, "Proszę o zmianę pakietu", "Na większy.\n\n> cytat\n")
    house.mail(OLA, "Faktura za piekarnia.example", "Poproszę.")
    anna.send("/panel/contacts/new", ("address", "x" * 60 + "@y.example"), ("role", "technical"))
    main = f"/panel/contacts/{house.contact(ANNA).id}"
    anna.send(f"{main}/address", ("address", "anna@nowa.example"))
    other = f"/panel/contacts/{house.contact(JAN).id}"
    stranger = Visitor(house)
    nonce = stranger.ask("/panel/sign-in").nonce
    house.woken.clear()
    stranger.post("/panel/sign-in/link", None, nonce=nonce, address=JAN)
    house.settled()
    hers = [
        *("/panel/tickets", "/panel/tickets?q=nothing", "/panel/tickets/new"),
        *("/panel/tickets/1?done=sent-authorized", "/panel/tickets/2", "/panel/tickets/3"),
        *("/panel/waiting", "/panel/contacts", "/panel/contacts/new", main, other),
        *(f"{other}/remove", "/panel/sharing", "/panel/account", "/panel/nothing"),
        "/panel/sent/01M7HXZTK8EC6XSB5E",
    ]
    anybodys = [
        *("/panel/sign-in", "/panel/in/nothing", "/panel/v/nothing"),
        *(house.find(who, LINK) for who in (JAN, ANNA, "anna@nowa.example")),
    ]
    return anna, hers, [path.removeprefix(house.base_url) for path in anybodys]


def test_every_page_fits_has_contrast_and_names_its_fields(
    house: PanelHouse, furnished: tuple[Visitor, list[str], list[str]], chromium: Browser
) -> None:
    anna, hers, anybodys = furnished
    cookies = [{"name": n, "value": v, "url": house.base_url} for n, v in anna.cookies.items()]
    for visitors, paths in ((cookies, hers), ([], anybodys)):
        context = chromium.new_context(bypass_csp=True, reduced_motion="reduce")
        context.add_cookies(visitors)  # type: ignore[arg-type] # as playwright wants them
        page = context.new_page()
        for path in paths:
            for language in ("pl", "en"):
                at = f"{path}{'&' if '?' in path else '?'}lang={language}"
                page.goto(house.base_url + at)
                assert page.locator("html").get_attribute("lang") == language
                assert page.evaluate(NAMELESS) == [], at
                for width in (360, 1280):
                    page.set_viewport_size({"width": width, "height": 700})
                    assert page.evaluate("document.documentElement.scrollWidth") <= width, at
                    assert page.evaluate(SMALL) == [], at
                    for scheme in ("light", "dark"):
                        page.emulate_media(color_scheme=scheme)
                        assert page.evaluate(LOW_CONTRAST) == [], at
        context.close()


#: Fields that no label names, and identifiers that stand twice.
NAMELESS = """() => [
  ...[...document.querySelectorAll("input:not([type=hidden]), textarea, select")]
    .filter(e => !e.labels.length && !e.getAttribute("aria-labelledby")),
  ...[...document.querySelectorAll("[id]")]
    .filter(e => document.querySelectorAll("#" + CSS.escape(e.id)).length > 1),
  ...[...document.querySelectorAll("[aria-describedby], [aria-labelledby]")]
    .filter(e => ((e.getAttribute("aria-describedby") || "") + " " +
      (e.getAttribute("aria-labelledby") || "")).trim().split(/\\s+/)
      .some(id => !document.getElementById(id))),
].map(e => e.outerHTML.slice(0, 120))"""

#: Buttons that are too small for a finger (WCAG 2.2, 2.5.8 asks for 24, we for 44).
SMALL = """() => [...document.querySelectorAll("main button, main a.button, .sections a")]
  .filter(e => e.getClientRects().length && e.getBoundingClientRect().height < 40)
  .map(e => e.outerHTML.slice(0, 120))"""
