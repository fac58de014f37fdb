"""The confirmation page in a real browser, as people and as bots use it."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.web.site import START, Server, Site
from tests.web.test_confirm import wrong

pytestmark = pytest.mark.server("chromium")


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser without scripts: nothing on our pages needs any."""
    context = chromium.new_context(java_script_enabled=False)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    context.set_default_timeout(5000)
    return context.new_page()


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def test_one_click_confirms(site: Site, page: Page) -> None:
    page.goto(site.base_url + site.link())
    page.get_by_role("button", name="Tak, to moja wiadomość").click()
    heading(page, "Zgłoszenie jest autoryzowane")
    assert site.store.decided == ["confirmed"]
    page.reload()
    heading(page, "Zgłoszenie jest autoryzowane")


def test_one_click_denies(site: Site, page: Page) -> None:
    page.goto(site.base_url + site.link())
    page.get_by_role("button", name="Nie, to nie moja wiadomość").click()
    heading(page, "Dziękujemy za ostrzeżenie")
    assert site.store.decided == ["denied"]


def test_a_double_click_is_one_answer(site: Site, page: Page) -> None:
    page.goto(site.base_url + site.link())
    page.get_by_role("button", name="Tak").dblclick(no_wait_after=True)
    heading(page, "Zgłoszenie jest autoryzowane")
    assert site.store.decided == ["confirmed"]


def test_a_wrong_code_is_pointed_at_and_the_right_one_confirms(site: Site, page: Page) -> None:
    path = site.link("code")
    page.goto(site.base_url + path)
    field = page.get_by_label("Kod z naszego e-maila")
    field.fill(wrong(site.code(path)))
    page.get_by_role("button", name="Tak").click()
    expect(page.get_by_role("alert")).to_contain_text("Pozostało prób: 4.")
    expect(field).to_be_focused()
    assert site.store.decided == []
    field.fill(site.code(path))
    page.get_by_role("button", name="Tak").click()
    heading(page, "Zgłoszenie jest autoryzowane")


def test_without_the_code_the_browser_asks_for_it_and_sends_nothing(site: Site, page: Page) -> None:
    path = site.link("code")
    page.goto(site.base_url + path)
    page.get_by_role("button", name="Nie").click()
    expect(page.get_by_label("Kod z naszego e-maila")).to_be_focused()
    assert site.row(path).link.tries == 0


def test_enter_in_the_code_field_chooses_nothing(site: Site, page: Page) -> None:
    path = site.link("code")
    page.goto(site.base_url + path)
    page.get_by_label("Kod z naszego e-maila").fill(site.code(path))
    page.get_by_label("Kod z naszego e-maila").press("Enter")
    page.get_by_label("Kod z naszego e-maila").press("Tab")
    heading(page, "Czy ta wiadomość jest od Ciebie?")
    assert site.store.decided == []


def test_everything_can_be_done_by_keyboard(site: Site, page: Page) -> None:
    path = site.link("code")
    page.goto(site.base_url + path)
    order = []
    for _ in range(5):
        page.keyboard.press("Tab")
        order.append(page.locator("*:focus").first.evaluate("e => e.id || e.textContent.trim()"))
        if order[-1] == "code":
            page.keyboard.type(site.code(path))
    assert order == [
        "Przejdź do treści",
        "English",
        "code",
        "Tak, to moja wiadomość",
        "Nie, to nie moja wiadomość",
    ]
    page.get_by_role("button", name="Nie").press("Enter")
    heading(page, "Dziękujemy za ostrzeżenie")


def test_an_expired_link_is_replaced_by_one_click(site: Site, page: Page) -> None:
    page.goto(site.base_url + site.link(expires_at=START))
    heading(page, "Ten link wygasł")
    page.get_by_role("button", name="Wyślij mi nowy link").click()
    heading(page, "Ten link zastąpiliśmy nowszym")
    assert len(site.store.renewed) == 1


def test_the_language_stays_switched_through_the_answer(site: Site, page: Page) -> None:
    path = site.link("code")
    page.goto(site.base_url + path)
    page.get_by_role("link", name="English").click()
    heading(page, "Did you send this message?")
    page.get_by_label("Code from our mail").fill(wrong(site.code(path)))
    page.get_by_role("button", name="No, I did not").click()
    expect(page.get_by_role("alert")).to_contain_text("Tries left: 4.")
    page.get_by_label("Code from our mail").fill(site.code(path))
    page.get_by_role("button", name="No, I did not").click()
    heading(page, "Thank you for the warning")


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_needs_scrolling_sideways_and_all_text_has_contrast(
    site: Site, chromium: Browser, width: int, scheme: str
) -> None:
    context = chromium.new_context(
        viewport={"width": width, "height": 700},
        color_scheme=scheme,  # type: ignore[arg-type] # light or dark
        bypass_csp=True,
    )
    page = context.new_page()
    long_word = "x" * 90 + "@" + "y" * 90 + ".example"
    for path in (
        site.link("code", subject=long_word, company=long_word, address=long_word),
        site.link("code", tries=5),
        site.link(state="confirmed", verdict="unauthorized", reasons=("cc-stranger",)),
        site.link(state="denied", decided_at=START),
        "/c/unknown",
    ):
        for language in ("pl", "en"):
            page.goto(f"{site.base_url}{path}?lang={language}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate(LOW_CONTRAST) == []
            for target in page.locator("main button:visible, main a.button").all():
                box = target.bounding_box()
                assert box
                assert box["height"] >= 44
    context.close()


#: Texts whose contrast with what is behind them is below 4.5 : 1 (WCAG 2.2, 1.4.3).
LOW_CONTRAST = """() => {
  const parse = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = c => c.slice(0, 3).map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = e => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll("body *")]
    .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .filter(e => e.getClientRects().length)
    .map(e => {
      const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))].sort();
      const [low, high] = a < b ? [a, b] : [b, a];
      return [e.textContent.trim().slice(0, 40), (high + 0.05) / (low + 0.05)];
    })
    .filter(([, ratio]) => ratio < 4.5);
}"""


def test_every_field_and_picture_is_named_or_hidden_from_readers(site: Site, page: Page) -> None:
    page.goto(site.base_url + site.link("code"))
    expect(page.locator("main")).to_match_aria_snapshot("""
      - main:
        - article:
          - heading "Czy ta wiadomość jest od Ciebie?" [level=1]
          - paragraph
          - term: Temat
          - definition: Proszę o przeniesienie domeny nowak-wspolnicy.pl
          - text: Kod z naszego e-maila
          - paragraph
          - textbox "Kod z naszego e-maila"
          - group "Twoja odpowiedź":
            - button "Tak, to moja wiadomość"
            - paragraph
            - button "Nie, to nie moja wiadomość"
            - paragraph
        - paragraph
    """)
    described = page.get_by_label("Kod z naszego e-maila").get_attribute("aria-describedby")
    assert described == "code-hint"


#: What a bot does that presses everything: it fills every field and submits every form, by its
#: buttons and past them.
PRESS_EVERYTHING = """async () => {
  const answers = [];
  for (const form of document.forms) {
    for (const field of form.querySelectorAll("input:not([type=hidden])")) field.value = "123456";
    for (const button of [null, ...form.querySelectorAll("button")]) {
      const data = new FormData(form);
      if (button && button.name) data.set(button.name, button.value);
      for (const code of ["", "000000", "123456"]) {
        if (data.has("code")) data.set("code", code);
        const got = await fetch(form.action, {method: "POST", body: new URLSearchParams(data)});
        answers.push(got.status);
      }
    }
  }
  return answers;
}"""


@pytest.mark.parametrize("runs", [4, pytest.param(200, marks=pytest.mark.slow)])
def test_a_bot_that_presses_everything_neither_authorizes_nor_rejects(
    site: Site, chromium: Browser, runs: int
) -> None:
    """Promise L3, on links that ask for the code because the domain proved nothing."""
    context = chromium.new_context(bypass_csp=True)
    page = context.new_page()
    answers = Counter[int]()
    for run in range(runs):
        path = site.link("code")
        while site.code(path) in {"000000", "123456"}:
            path = site.link("code")
        page.goto(site.base_url + path)
        if run % 2:
            click_everything(page)
        else:
            answers.update(page.evaluate(PRESS_EVERYTHING))
    context.close()
    assert site.store.decided == []
    assert answers[422] >= runs // 2, "the bot never came as far as the code"
    assert answers[403] == 0, "the bot was stopped by something else than the code"


def click_everything(page: Page) -> None:
    """Press the first, the second, … of all buttons and links, whatever page that leads to."""
    for kind in ("button:visible", "a[href^='?'], main a[href^='/']"):
        for number in range(3):
            if page.locator("#code").count():
                page.locator("#code").fill("123456")
            if number < page.locator(kind).count():
                page.locator(kind).nth(number).click()
                page.wait_for_load_state()


REQUEST = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost"


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for loopback that nobody trusts."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        [*REQUEST.split(), "-out", str(files[0]), "-keyout", str(files[1])],
        check=True,
        capture_output=True,
    )
    return files


def test_over_https_the_browser_keeps_the_host_cookie_and_the_answer_is_taken(
    chromium: Browser, certificate: tuple[Path, Path]
) -> None:
    server = Server(*certificate)
    site = Site(base_url=f"https://localhost:{server.port}").start(server)
    context = chromium.new_context(ignore_https_errors=True)
    try:
        page = context.new_page()
        page.goto(site.base_url + site.link())
        cookies = {c["name"]: c for c in context.cookies()}
        assert cookies["__Host-mailgate"]["sameSite"] == "Strict"
        page.get_by_role("button", name="Tak").click()
        heading(page, "Zgłoszenie jest autoryzowane")
    finally:
        context.close()
        server.stop()
