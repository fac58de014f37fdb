"""What may only be stored (GDPR Art. 18) in the console: no word on a page, no octet, no answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.console_house import ANNA, ConsoleHouse, console_house
from tests.web.site import Server

WORD = "osobliwość"


@pytest.fixture
def house(server: Server, tmp_path: Path, console_stock: Path) -> Iterator[ConsoleHouse]:
    with console_house(tmp_path, server, console_stock) as house:
        house.sign_in()
        yield house


def restricted(house: ConsoleHouse) -> str:
    queue_id = house.mail(subject=f"Temat {WORD}", text=f"{WORD}\n", files={f"{WORD}.pdf": b"%PDF"})
    assert WORD in house.ask(f"/console/m/{queue_id}").text
    house.store.privacy_holds.restrict(ANNA, "prosi o to", "kasia", house.world.now())
    return queue_id


def test_no_page_of_a_message_has_a_word_of_it(house: ConsoleHouse) -> None:
    queue_id = restricted(house)
    page = house.ask(f"/console/m/{queue_id}?show=source")
    assert page.status == 200
    assert WORD not in page.text
    assert "wolno teraz tylko przechowywać" in page.words
    for path in ("raw", "html", "files/0"):
        assert house.ask(f"/console/m/{queue_id}/{path}").status == 404


def test_the_inbox_names_it_without_its_words(house: ConsoleHouse) -> None:
    restricted(house)
    page = house.ask("/console")
    assert WORD not in page.text
    assert "(dane tylko przechowywane)" in page.words


def test_an_answer_is_refused_and_the_page_says_why(house: ConsoleHouse) -> None:
    queue_id = restricted(house)
    ticket = house.message(queue_id).message.ticket
    assert ticket is not None
    anna = house.store.lookup.contacts(ANNA)[0]
    got = house.post(f"/console/tickets/{ticket}/answer", to=str(anna.id), text="Już zrobione.")
    assert got.status == 422
    assert "Tej osobie nie wolno teraz nic wysłać" in got.words
    sent = [row.notice.template for row in house.world.outbox()]
    assert "staff-answer" not in sent
