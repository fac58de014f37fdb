"""How far an erasure reaches: to every place of one person, and to nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, select, update

from mailgate.model.privacy import Removal
from mailgate.store.erasure import Erasure
from mailgate.store.people_tables import saved_view, staff
from mailgate.store.privacy_tables import correction
from mailgate.store.tables import message, outbox
from tests.privacy.house import ANNA, EWA, JAN, OLA, STAFF, House, issue_token


def test_an_address_that_was_replaced_leaves_the_history_of_the_contact(house: House) -> None:
    jan = house.contact(JAN)
    house.store.corrections.rectify(jan.id, STAFF, "pomyłka", house.now, address="nowy@web.example")

    house.erase(JAN.upper())

    assert [(row.old, row.new) for row in house.rows(select(correction))] == [
        ("erased", "nowy@web.example")
    ]


def test_lists_saved_under_the_address_go_and_those_about_another_stay(house: House) -> None:
    with house.store.database.writing() as connection:
        values = {"login": "ala", "name": "Ala", "language": "pl", "role": "agent"}
        secrets = {"password_hash": "", "totp_secret": "", "created_at": house.now}
        made = insert(staff).values(**values, **secrets).returning(staff.c.id)
        number = connection.execute(made).scalar_one()
        queries = {
            "hers": "q=ola%40%C5%BC%C3%B3%C5%82w.example&verdict=held",
            "named ola@żółw.example": "verdict=held",
            "another's": "q=karola%40xn--w-uga1v8h.example",
        }
        for name, query in queries.items():
            connection.execute(insert(saved_view).values(staff_id=number, name=name, query=query))

    house.erase("ola@xn--w-uga1v8h.example")

    assert [row.name for row in house.rows(select(saved_view))] == ["another's"]


def test_what_a_server_said_of_a_mail_that_was_sent_on_to_them_forgets_them(house: House) -> None:
    issue_token(house, OLA)
    with house.store.database.writing() as connection:
        said = f"550 5.1.1 <{JAN}>: mailbox unavailable"
        connection.execute(update(outbox).where(outbox.c.to_key == OLA).values(last_reply=said))

    house.erase(JAN)

    (mail,) = house.rows(select(outbox).where(outbox.c.to_key == OLA))
    assert mail.last_reply == "550 5.1.1 <erased>: mailbox unavailable"


def test_an_erasure_that_fails_keeps_no_other_from_being_done(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = house.ask_erasure(ANNA), house.ask_erasure(JAN)
    run = Erasure.run

    def fails_once(self: Erasure, request_id: int, *rest: Any) -> Removal:
        if request_id == bad.id:
            raise RuntimeError("unreadable")
        return run(self, request_id, *rest)

    monkeypatch.setattr(Erasure, "run", fails_once)
    with pytest.raises(RuntimeError, match="unreadable"):
        house.desk.erase_waiting(house.now)

    assert house.store.privacy_requests.get(good.id).state == "done"  # type: ignore[union-attr] # it is there
    assert JAN not in house.directory()


def test_mail_of_another_customer_that_was_sent_on_is_theirs_before_it_is_read_too(
    house: House,
) -> None:
    octets = f"From: {EWA}\r\nTo: pomoc@desk.example\r\n\r\nTajemnica Ewy\r\n".encode()
    house.admit(octets, JAN, decide=False)
    with house.export(JAN) as copy:
        assert not [name for name in copy.namelist() if b"Tajemnica" in copy.read(name)]

    house.erase(JAN)
    house.world.work()

    (mail,) = house.rows(select(message))
    assert mail.author == EWA
