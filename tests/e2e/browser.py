"""A real Chromium that does on the confirmation page what a person does."""

from __future__ import annotations

import re

from tests.chromium import launched
from tests.e2e.sink import Caught

_CODE = re.compile(r"(?m)^ +(?:Kod: +|Code: +)?(\d{3} ?\d{3})\s*$")


def link_in(mail: Caught) -> str:
    (link,) = re.findall(r"https?://\S+/c/\S+", mail.text)
    return str(link)


def code_in(mail: Caught) -> str | None:
    found = _CODE.search(mail.text)
    return found[1] if found else None


def confirm(mail: Caught) -> str:
    """Open the link of a mail, read, type the code if there is one, say "I sent this"; gives
    what the page says in the end."""
    with launched() as browser:
        page = browser.new_page(locale="pl-PL", viewport={"width": 390, "height": 844})
        answer = page.goto(link_in(mail))
        assert answer is not None
        assert answer.status == 200
        field = page.locator("input[name=code]")
        assert field.count() == (0 if code_in(mail) is None else 1)
        if code_in(mail) is not None:
            field.fill(str(code_in(mail)))
        page.locator("button[value=confirm]").click()
        page.wait_for_load_state()
        return page.locator("main").inner_text()
