"""Rectification (GDPR Art. 16): put right with its history; what was decided stays decided."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from mailgate.model.web_ports import Refused
from mailgate.store.people_tables import audit
from mailgate.store.tables import decision
from tests.privacy.house import ANNA, JAN, OLA, STAFF, House


def test_a_name_is_put_right_and_the_old_one_is_kept_beside_it(house: House) -> None:
    jan = house.contact(JAN)
    made = house.store.corrections.rectify(
        jan.id, STAFF, "literówka", house.now, name="Jan Kowal", language="en"
    )
    assert {(one.what, one.old, one.new) for one in made} == {
        ("name", "", "Jan Kowal"),
        ("language", "", "en"),
    }
    assert house.contact(JAN).name == "Jan Kowal"
    again = house.store.corrections.rectify(jan.id, STAFF, "x", house.now, name="Jan Kowal")
    assert again == []
    assert house.store.corrections.corrections(jan.id) == made


def test_a_new_address_ends_what_the_old_one_opened_and_both_are_told(house: House) -> None:
    anna = house.contact(ANNA)
    mail = house.write(ANNA)
    before = house.rows(select(decision))
    house.store.corrections.rectify(
        anna.id,
        STAFF,
        "zmiana nazwiska",
        house.now,
        address="anna.nowak@Piekarnia.example",
        told=house.desk.told(anna, house.now),
    )
    assert house.contact("anna.nowak@piekarnia.example").role == "main"
    told = [
        row.notice.to for row in house.world.outbox() if row.notice.template == "address-changed"
    ]
    assert set(told) == {ANNA, "anna.nowak@piekarnia.example"}
    found = house.store.views.message(mail.queue_id)
    assert found is not None
    assert found.author == ANNA
    assert {one.state for one in found.links} == {"superseded"}
    assert house.rows(select(decision)) == before


def test_a_supplementary_statement_is_kept_as_it_was_said(house: House) -> None:
    jan = house.contact(JAN)
    (made,) = house.store.corrections.rectify(
        jan.id, STAFF, "prosi", house.now, note="Nie pracuję już w firmie."
    )
    assert (made.what, made.new) == ("note", "Nie pracuję już w firmie.")


@pytest.mark.parametrize(
    ("address", "code"), [(OLA, "address-taken"), ("nie adres", "bad-address")]
)
def test_an_address_that_cannot_be_is_refused_and_nothing_changes(
    house: House, address: str, code: str
) -> None:
    jan = house.contact(JAN)
    with pytest.raises(Refused, match=code):
        house.store.corrections.rectify(jan.id, STAFF, "x", house.now, name="Inny", address=address)
    assert house.contact(JAN).name == jan.name


def test_the_audit_log_says_what_was_put_right_but_not_the_values(house: House) -> None:
    house.store.corrections.rectify(
        house.contact(JAN).id, STAFF, "literówka", house.now, name="Jan Kowal"
    )
    entry = house.rows(select(audit).order_by(audit.c.id.desc()))[0]
    assert (entry.what, entry.who) == ("rectified", STAFF)
    assert "Kowal" not in str(entry.why)
