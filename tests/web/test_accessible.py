"""Every page looked at by axe-core, walked by keyboard alone, and held beside a narrow screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.web import axe
from tests.web.house import House, Stock
from tests.web.site import Server
from tests.web.test_who_may_what import MATRIX, opened, path_of

pytestmark = [pytest.mark.server("chromium"), pytest.mark.slow]

#: What is no page: machines read it, a program of its own opens it, or a page has it in a frame.
NO_PAGE = ("/health/", "/static/", "/api/", "/files/", "/raw", "/html", "/panel/sent/")
PAGES = [
    row for row in MATRIX if row.startswith("GET") and not any(part in row for part in NO_PAGE)
]
#: All that a person can act on and sees now; of a group of radio buttons Tab reaches one.
REACHABLE = """() => {
    const all = document.querySelectorAll(
        'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]');
    const seen = [...all].filter(e => !e.disabled && e.checkVisibility({visibilityProperty: true}));
    const names = seen.map(e => e.type === 'radio' ? 'radio ' + e.name : null);
    seen.forEach((e, i) => {
        e.dataset.walk = names[i] || 'n' + i;
    });
    return [...new Set(seen.map(e => e.dataset.walk))];
}"""
FOCUSED = "() => document.activeElement.dataset.walk || document.activeElement.tagName"
WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    stock = Stock(tmp_path_factory.mktemp("stock"))
    yield from opened(stock, tmp_path_factory.mktemp("house"))


def seen_by(row: str) -> str:
    """Of those who may see a page, the one who sees most of it."""
    return next((who for who in ("admin", "main") if who in MATRIX[row]), "anonymous")


@pytest.fixture
def page(chromium: Browser, house: House, server: Server, row: str) -> Iterator[Page]:
    server.app = house.app
    url = f"http://127.0.0.1:{server.port}"
    context = chromium.new_context(
        base_url=url,
        viewport={"width": 1280, "height": 900},
        reduced_motion="reduce",  # a colour on its way to another has a contrast of its own
    )
    whole = MATRIX[row] >= {"anonymous"}
    pairs = house.cookie("anonymous" if whole else seen_by(row))["cookie"].split("; ")
    cookies: list[Any] = [
        {"name": name, "value": value, "url": url}
        for name, _, value in (pair.partition("=") for pair in pairs)
    ]
    context.add_cookies(cookies)
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


def go(page: Page, house: House, row: str, language: str = "pl") -> None:
    got = page.goto(f"{path_of(row, house.ids)}?lang={language}")
    assert got
    assert got.status == 200, got.status


@pytest.mark.server("npm")
@pytest.mark.parametrize("language", ["pl", "en"])
@pytest.mark.parametrize("row", PAGES)
def test_axe_finds_nothing_serious(page: Page, house: House, row: str, language: str) -> None:
    go(page, house, row, language)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert axe.problems(page) == [], scheme


@pytest.mark.parametrize("row", PAGES)
def test_the_keyboard_alone_reaches_everything(page: Page, house: House, row: str) -> None:
    go(page, house, row)
    wanted = set(page.evaluate(REACHABLE))
    reached: set[str] = set()
    for _ in range(3 * len(wanted) + 20):
        page.keyboard.press("Tab")
        reached.add(page.evaluate(FOCUSED))
        if reached >= wanted:
            break
    assert wanted <= reached, [
        page.locator(f"[data-walk='{one}']").first.evaluate("e => e.outerHTML")
        for one in wanted - reached
    ]


@pytest.mark.parametrize("row", PAGES)
def test_a_narrow_screen_shows_all_of_it(page: Page, house: House, row: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    for language in ("pl", "en"):
        go(page, house, row, language)
        assert page.evaluate(WIDE) <= 0, language
