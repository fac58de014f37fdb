"""The staff console in a real browser: by hand, by keyboard, in both languages, wide and narrow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.web.console_house import ANNA, JAN, OLA, STRANGER, ConsoleHouse, console_house
from tests.web.site import Server
from tests.web.test_browser import LOW_CONTRAST, heading

pytestmark = pytest.mark.server("chromium")

HTML = (
    "<h2>Zamówienie</h2><p>Proszę o <a href='https://bank.example/x'>fakturę</a>.</p>"
    "<img src='http://127.0.0.1:1/pixel' alt='logo'><script>parent.document.title='x'</script>"
)
LONG = "x" * 90 + "@" + "y" * 90 + ".example"


@pytest.fixture
def house(server: Server, tmp_path: Path, console_stock: Path) -> Iterator[ConsoleHouse]:
    with console_house(tmp_path, server, console_stock) as house:
        house.sign_in()
        yield house


def entered(house: ConsoleHouse, browser: Browser, **options: object) -> BrowserContext:
    """A browser that is signed in."""
    context = browser.new_context(**options)  # type: ignore[arg-type] # of new_context
    context.set_default_timeout(5000)
    for name, value in house.cookies.items():
        context.add_cookies([{"name": name, "value": value, "url": house.base_url}])
    return context


@pytest.fixture
def page(house: ConsoleHouse, chromium: Browser) -> Iterator[Page]:
    """Without scripts: nothing on our pages needs any."""
    context = entered(house, chromium, java_script_enabled=False)
    yield context.new_page()
    context.close()


def test_an_agent_releases_what_is_held_and_says_why(house: ConsoleHouse, page: Page) -> None:
    subject = "[Desk#1:00000000000000000001] [Desk#2:00000000000000000002]"
    queue_id = house.mail(subject=subject)
    page.goto(f"{house.base_url}/console?verdict=held")
    page.get_by_role("link", name="[Desk#1] [Desk#2]").click()
    expect(page.locator(".band h2")).to_contain_text("Wiadomość wstrzymano")
    page.get_by_label("Dlaczego").first.fill("Klientka potwierdziła przez telefon")
    page.get_by_role("button", name="Zwolnij").click()
    expect(page.get_by_role("status")).to_have_text("Zwolniono.")
    expect(page.locator("main")).to_contain_text("Klientka potwierdziła przez telefon")
    assert house.audited()[0][:3] == ("kasia", "item-released", f"message:{queue_id}")


def test_an_act_without_a_reason_is_not_even_sent(house: ConsoleHouse, page: Page) -> None:
    queue_id = house.mail()
    page.goto(f"{house.base_url}/console/m/{queue_id}")
    page.locator("summary", has_text="Oceń ponownie").click()
    act = page.locator("details.act", has_text="Oceń ponownie")
    act.get_by_role("button").click()
    expect(act.get_by_label("Dlaczego")).to_be_focused()
    assert [row for row in house.audited() if row[0] == "kasia"] == []


def test_an_agent_vouches_with_a_reason(house: ConsoleHouse, page: Page) -> None:
    queue_id = house.mail(author=OLA, subject="Faktura za piekarnia.example")
    page.goto(f"{house.base_url}/console/m/{queue_id}")
    expect(page.locator(".band h2")).to_have_text("Wiadomość nie jest autoryzowana")
    page.locator("summary", has_text="Ręcz albo odmów").click()
    act = page.locator("details.act", has_text="Ręcz albo odmów")
    act.get_by_text("To ich wiadomość").click()
    act.get_by_label("Dlaczego").fill("Oddzwoniłam na numer z umowy")
    act.get_by_role("button").click()
    expect(page.locator(".band h2")).to_have_text("Wiadomość jest autoryzowana")
    expect(page.locator(".band")).to_contain_text("Oddzwoniłam na numer z umowy")


def test_an_agent_answers_and_the_answer_stands_in_the_ticket(
    house: ConsoleHouse, page: Page
) -> None:
    queue_id = house.mail(subject="sklep.piekarnia.example: kopia")
    page.goto(f"{house.base_url}/console/m/{queue_id}")
    page.get_by_role("link", name="Odpowiedz").click()
    page.get_by_label(JAN).check()
    page.get_by_label("Twoja odpowiedź").fill("Kopia jest gotowa.")
    page.get_by_role("button", name="Wyślij odpowiedź").click()
    expect(page.get_by_role("status")).to_have_text("Twoja odpowiedź jest w drodze.")
    expect(page.locator(".timeline .out", has_text="Kopia jest gotowa.")).to_contain_text(JAN)
    sent = [row for row in house.world.outbox() if row.notice.template == "staff-answer"]
    assert {row.notice.envelope_to or row.notice.to for row in sent} == {ANNA, JAN}


def test_an_agent_enters_a_ticket_and_it_stays_unauthorized(
    house: ConsoleHouse, page: Page
) -> None:
    page.goto(f"{house.base_url}/console")
    page.get_by_role("link", name="Nowe zgłoszenie").click()
    page.get_by_label("Numer konta").fill(ANNA)
    page.get_by_role("button", name="Znajdź konto").click()
    page.get_by_label("Usługa").select_option("sklep.piekarnia.example")
    page.get_by_label("Temat").fill("Rozmowa telefoniczna")
    page.get_by_label("O co prosi klient").fill("Prosi o kopię sklepu.")
    page.get_by_role("button", name="Wpisz zgłoszenie").click()
    heading(page, "sklep.piekarnia.example: Rozmowa telefoniczna")
    expect(page.locator(".band h2")).to_have_text("Wiadomość nie jest autoryzowana")
    expect(page.locator(".band")).to_contain_text("Wpisał ją pracownik")


def test_what_a_share_would_change_is_seen_before_it_is_given(
    house: ConsoleHouse, page: Page
) -> None:
    queue_id = house.mail(author=OLA, subject="Faktura za piekarnia.example")
    page.goto(f"{house.base_url}/console/m/{queue_id}")
    page.locator("main").get_by_role("link", name="Co by było, gdyby").click()
    page.get_by_label(f"{OLA}, piekarnia.example").check()
    page.get_by_role("button", name="Załóż, że tak jest").click()
    this = page.locator(".this")
    expect(this).to_contain_text("Nieautoryzowana")
    expect(this).to_contain_text("Czeka na potwierdzenie")
    assert house.message(queue_id).message.verdict == "unauthorized"


def test_search_filters_and_a_saved_view_work_without_scripts(
    house: ConsoleHouse, page: Page
) -> None:
    house.mail(subject="Delegacja domeny")
    house.mail(author=STRANGER, subject="Zmiana adresu")
    page.goto(f"{house.base_url}/console")
    page.get_by_role("searchbox").fill("delegacja")
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator(".row")).to_have_count(1)
    page.goto(f"{house.base_url}/console")
    page.locator("nav.tabs").get_by_role("link", name="Nieautoryzowana").click()
    expect(page.locator(".row")).to_contain_text(["Zmiana adresu"])
    page.locator("summary", has_text="Zapisz ten widok").click()
    page.get_by_label("Nazwa widoku").fill("Do obejrzenia")
    page.get_by_role("button", name="Zapisz", exact=True).click()
    page.goto(f"{house.base_url}/console")
    page.get_by_role("link", name="Do obejrzenia").click()
    expect(page.locator(".row")).to_contain_text(["Zmiana adresu"])


def test_the_list_is_walked_by_j_and_k_and_opened_by_enter(
    house: ConsoleHouse, chromium: Browser
) -> None:
    for number in (1, 2, 3):
        house.mail(subject=f"nr {number}")
    context = entered(house, chromium)
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda said: errors.append(said.text))
    page.goto(f"{house.base_url}/console")
    expect(page.locator("[data-keys-hint]")).to_be_visible()
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="nr 3")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="nr 1")).to_be_focused()
    page.keyboard.press("k")
    expect(page.get_by_role("link", name="nr 2")).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("jk")
    expect(page.get_by_role("searchbox")).to_have_value("jk")
    page.get_by_role("link", name="nr 2").focus()
    page.keyboard.press("Enter")
    heading(page, "nr 2")
    assert errors == []
    context.close()


def test_html_is_seen_in_its_frame_and_cannot_touch_the_page(
    house: ConsoleHouse, chromium: Browser
) -> None:
    queue_id = house.mail(html=HTML)
    context = entered(house, chromium)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{house.base_url}/console/m/{queue_id}?show=html")
    frame = page.frame_locator("iframe.strange")
    expect(frame.get_by_role("heading", name="Zamówienie")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Pominięte obrazy: 1.")
    page.locator("summary", has_text="Dokąd prowadziły linki").click()
    expect(page.get_by_text("https://bank.example/x")).to_be_visible()
    assert "bank.example" not in page.title()
    assert all(url.startswith(house.base_url) for url in asked)
    context.close()


def test_files_and_source_are_saved_and_not_opened(
    house: ConsoleHouse, chromium: Browser, tmp_path: Path
) -> None:
    queue_id = house.mail(files={"umowa „nowa”.html": b"<script>alert(1)</script>"})
    context = entered(house, chromium, accept_downloads=True)
    page = context.new_page()
    page.goto(f"{house.base_url}/console/m/{queue_id}")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="umowa").click()
    assert waiting.value.suggested_filename == "umowa „nowa”.html"
    assert Path(waiting.value.path()).read_bytes() == b"<script>alert(1)</script>"
    with page.expect_download() as waiting:
        page.goto(f"{house.base_url}/console/m/{queue_id}?show=source")
        page.get_by_role("link", name="Zapisz źródło").click()
    assert waiting.value.suggested_filename == f"{queue_id}.eml"
    context.close()


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_every_page_fits_and_has_contrast_in_both_languages(
    server: Server,
    tmp_path: Path,
    console_stock: Path,
    chromium: Browser,
    width: int,
    scheme: Literal["light", "dark"],
) -> None:
    with console_house(tmp_path, server, console_stock) as house:
        pages = furnished(house)
        context = entered(
            house,
            chromium,
            viewport={"width": width, "height": 800},
            color_scheme=scheme,
            bypass_csp=True,
        )
        page = context.new_page()
        problems: list[str] = []
        for path in pages:
            for language in ("pl", "en"):
                more = "&" if "?" in path else "?"
                page.goto(f"{house.base_url}{path}{more}lang={language}")
                page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
                wide = page.evaluate("document.documentElement.scrollWidth")
                problems += [f"{path} is {wide} wide"] if wide > width else []
                problems += [f"{path}: {low}" for low in page.evaluate(LOW_CONTRAST)]
        context.close()
    assert problems == []


def furnished(house: ConsoleHouse) -> list[str]:
    """Something on every page, some of it longer than any page is wide."""
    first = house.mail(name="Anna Nowak")
    house.confirm(first)
    number = house.message(first).message.ticket
    strange = house.mail(author=STRANGER, subject=LONG, name=LONG, text=LONG, reply_to=LONG)
    denied = house.mail(subject="nie moje")
    house.confirm(denied, "denied")
    house.mail(subject="[Desk#1:00000000000000000001] [Desk#2:00000000000000000002]")
    shown = house.mail(author=OLA, subject="piekarnia.example", html=HTML, files={LONG: b"x"})
    house.mail(author="x@lists.example", auto_submitted="auto-replied")
    house.sign_in("adam")
    house.act(f"/console/m/{strange}/override", word="refuses", why=LONG)
    house.act("/console/views", name=LONG[:60], query="verdict=held")
    return [
        "/console?verdict=unauthorized&account=",
        "/console",
        f"/console/m/{first}",
        f"/console/m/{strange}",
        f"/console/m/{shown}?show=html",
        f"/console/m/{shown}?show=source",
        "/console/tickets",
        f"/console/tickets/{number}",
        "/console/new",
        "/console/new?account=1001",
        f"/console/what-if?m={shown}&account=1001&asked=1001&answer=confirmed",
        "/console/state",
        "/console/audit?verify=1",
        "/console/staff",
        "/console/me",
        "/console/m/NOSUCH",
    ]
