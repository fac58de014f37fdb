"""What if: the verdict of this and of all that wait, before anyone changes anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from mailgate.lab.whatif import WhatIf
from mailgate.model.directory import Contact
from mailgate.model.supposition import Consequence, Supposition
from tests.web.console_house import JAN, OLA, STRANGER, ConsoleHouse, console_house
from tests.web.site import Server


@pytest.fixture
def house(server: Server, tmp_path: Path, console_stock: Path) -> Iterator[ConsoleHouse]:
    with console_house(tmp_path, server, console_stock) as house:
        house.sign_in("rita")  # a reader may ask
        yield house


@pytest.fixture
def lab(house: ConsoleHouse) -> WhatIf:
    return WhatIf(house.store.lookup, house.store.queue.items, lambda: house.world.bench)


def ids(house: ConsoleHouse) -> dict[str, int]:
    """Ids of the account's contacts by address and of its services by identifier."""
    (entry,) = house.store.directory.export("1001")
    return {c.address: c.id for c in entry.contacts} | {s.identifier: s.id for s in entry.services}


def verdicts(found: list[Consequence]) -> list[tuple[str, str]]:
    return [(one.before.verdict, one.after.verdict) for one in found]


def rows(house: ConsoleHouse) -> dict[str, int]:
    """How many rows every table has: all that a question may not change."""
    with house.store.database.reading() as connection:
        tables = connection.execute(
            text("SELECT name FROM sqlite_master WHERE type = 'table'")
        ).scalars()
        return {
            name: connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one()  # noqa: S608 - names of our own tables
            for name in tables
        }


def test_a_share_that_would_be_given_makes_the_mail_decidable(
    house: ConsoleHouse, lab: WhatIf
) -> None:
    queue_id = house.mail(author=OLA, subject="Faktura za piekarnia.example")
    pair = (ids(house)[OLA], ids(house)["piekarnia.example"])
    (found,) = lab.suppose([queue_id], Supposition(given=frozenset({pair})))
    assert (found.before.verdict, found.after.verdict) == ("unauthorized", "pending")
    assert found.after.rule == "shared-contact"
    assert found.changed


def test_a_share_that_would_be_taken_away_counts_against_the_mail(
    house: ConsoleHouse, lab: WhatIf
) -> None:
    queue_id = house.mail(author=JAN, subject="sklep.piekarnia.example: kopia")
    pair = (ids(house)[JAN], ids(house)["sklep.piekarnia.example"])
    (found,) = lab.suppose([queue_id], Supposition(taken=frozenset({pair})))
    assert (found.before.verdict, found.after.verdict) == ("pending", "unauthorized")


@pytest.mark.parametrize(
    ("supposed", "verdict"),
    [
        (lambda q: Supposition(answers={q: "confirmed"}), "authorized"),
        (lambda q: Supposition(answers={q: "denied"}), "unauthorized"),
        (lambda q: Supposition(words={q: "vouches"}), "authorized"),
        (lambda q: Supposition(words={q: "refuses"}), "unauthorized"),
        (lambda _: Supposition(), "pending"),
    ],
)
def test_what_the_contact_or_staff_would_say_is_judged_by_the_same_rules(
    house: ConsoleHouse, lab: WhatIf, supposed: object, verdict: str
) -> None:
    queue_id = house.mail()
    (found,) = lab.suppose([queue_id], supposed(queue_id))  # type: ignore[operator] # one of the above
    assert found.after.verdict == verdict


def test_a_confirmation_counts_only_with_the_share_that_it_needs(
    house: ConsoleHouse, lab: WhatIf
) -> None:
    queue_id = house.mail(author=OLA, subject="Faktura za piekarnia.example")
    pair = (ids(house)[OLA], ids(house)["piekarnia.example"])
    alone = Supposition(answers={queue_id: "confirmed"})
    both = Supposition(given=frozenset({pair}), answers={queue_id: "confirmed"})
    assert verdicts(lab.suppose([queue_id], alone)) == [("unauthorized", "unauthorized")]
    assert verdicts(lab.suppose([queue_id], both)) == [("unauthorized", "authorized")]


def test_a_stranger_who_would_be_a_contact(house: ConsoleHouse, lab: WhatIf) -> None:
    queue_id = house.mail(author=STRANGER, subject="piekarnia.example: pytanie")
    new = Contact(-1, "1001", STRANGER.title(), "technical")
    shared = frozenset({(-1, ids(house)["piekarnia.example"])})
    assert verdicts(lab.suppose([queue_id], Supposition(contacts=(new,)))) == [
        ("unauthorized", "unauthorized")
    ]
    supposed = Supposition(given=shared, contacts=(new,), answers={queue_id: "confirmed"})
    assert verdicts(lab.suppose([queue_id], supposed)) == [("unauthorized", "authorized")]


def test_a_supposed_contact_does_not_replace_a_real_one(house: ConsoleHouse, lab: WhatIf) -> None:
    queue_id = house.mail()
    twin = Contact(-1, "1001", "Anna@Piekarnia.example", "additional")
    assert verdicts(lab.suppose([queue_id], Supposition(contacts=(twin,)))) == [
        ("pending", "pending")
    ]


def test_messages_come_back_in_the_order_asked_for_and_unknown_ones_are_left_out(
    house: ConsoleHouse, lab: WhatIf
) -> None:
    asked = [house.mail(subject=str(number)) for number in range(12)]
    asked.reverse()
    found = lab.suppose([*asked[:5], "NOSUCH", *asked[5:]], Supposition())
    assert [one.queue_id for one in found] == asked
    assert not any(one.changed for one in found)


def test_the_page_shows_this_message_and_all_others_that_would_change(
    house: ConsoleHouse,
) -> None:
    this = house.mail(author=OLA, subject="Faktura za piekarnia.example")
    other = house.mail(author=OLA, subject="Drugie pytanie o piekarnia.example")
    house.mail(author=STRANGER, subject="Obcy")
    of = ids(house)
    before = rows(house)
    blank = house.ask(f"/console/what-if?m={this}")
    assert "Wtedy" not in blank.words
    real = f"share={of[JAN]}:{of['sklep.piekarnia.example']}"
    given = f"share={of[OLA]}:{of['piekarnia.example']}"
    got = house.ask(f"/console/what-if?m={this}&account=1001&asked=1001&{real}&{given}&lang=en")
    said = got.words.partition(" Then ")[2]
    assert "This message Not authorized contact-without-share → becomes Waits for" in said
    assert "Other messages that would change: 1 of 3 judged" in said
    assert f'<a href="/console/m/{other}">' in got.text
    assert "Obcy" not in got.text
    assert rows(house) == before


def test_boxes_as_they_are_suppose_nothing(house: ConsoleHouse) -> None:
    this = house.mail()
    of = ids(house)
    real = f"share={of[JAN]}:{of['sklep.piekarnia.example']}"
    assert "Wtedy" not in house.ask(f"/console/what-if?m={this}&asked=1001&{real}").words
    assert "Wtedy" in house.ask(f"/console/what-if?m={this}&asked=1001").words


def test_the_page_supposes_a_new_contact_by_address_and_role(house: ConsoleHouse) -> None:
    this = house.mail(author=STRANGER, subject="piekarnia.example: pytanie")
    of = ids(house)
    query = f"m={this}&account=1001&asked=1001&address={STRANGER}&role=technical"
    shares = f"share={of[JAN]}:{of['sklep.piekarnia.example']}&share=-1:{of['piekarnia.example']}"
    said = house.ask(f"/console/what-if?{query}&{shares}&lang=en").words
    assert "becomes Waits for confirmation shared-contact" in said
    wrong = house.ask(
        f"/console/what-if?m={this}&account=1001&asked=1001&address=nonsense&{shares}"
    )
    assert "To nie jest adres." in wrong.words


def test_nonsense_in_the_query_supposes_nothing(house: ConsoleHouse) -> None:
    for query in ("share=x:y", "share=1", "answer=maybe&word=x", "account=nobody", "asked=2002"):
        got = house.ask(f"/console/what-if?{query}")
        assert got.status == 200
        assert "Wtedy" not in got.words
    assert house.ask("/console/what-if?m=NOSUCH").status == 404


def test_no_pair_of_another_account_can_be_supposed(house: ConsoleHouse) -> None:
    (other,) = house.store.directory.export("2002")
    this = house.mail(author=OLA, subject="northwind.example: pytanie")
    pair = f"{ids(house)[OLA]}:{other.services[0].id}"
    of = ids(house)
    real = f"share={of[JAN]}:{of['sklep.piekarnia.example']}"
    got = house.ask(f"/console/what-if?m={this}&account=1001&asked=1001&{real}&share={pair}")
    assert "Wtedy" not in got.words
