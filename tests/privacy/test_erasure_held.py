"""Holds and erasure (promise G5): what a hold keeps stays whole, and is erased once it ends."""

from __future__ import annotations

from threading import Thread
from typing import Any

import pytest
from sqlalchemy import func, select

from mailgate.store import erasure_mail
from mailgate.store.people_tables import access_token
from mailgate.store.tables import outbox
from tests.privacy.house import ANNA, JAN, OLA, SHOP, STAFF, House, issue_token


def sent_to(house: House, address: str) -> int:
    query = select(func.count()).select_from(outbox).where(outbox.c.to_key == address)
    return int(house.rows(query)[0][0])


def test_a_hold_on_an_account_keeps_who_had_its_tokens_although_nobody_wrote(house: House) -> None:
    issue_token(house, JAN)
    hold = house.store.privacy_holds.hold("spór", STAFF, house.now, account_id="1001")
    request = house.ask_erasure(JAN)

    assert house.run(request).stopped == "hold"
    assert JAN in house.directory()
    assert len(house.rows(select(access_token))) == 1
    assert sent_to(house, JAN) == 1

    house.store.privacy_holds.lift_hold(hold.id, STAFF, "koniec", house.now)
    assert house.run(request).stopped == ""
    assert JAN not in house.directory()
    assert house.rows(select(access_token)) == []


def test_an_answer_of_ours_on_a_held_ticket_waits_for_its_end_and_goes_then(house: House) -> None:
    mail = house.write(ANNA, f"Proszę o DNS dla {SHOP}.")
    assert mail.ticket is not None
    house.answer(mail.ticket, f"Zrobione; pytał o to też {JAN}.")
    hold = house.store.privacy_holds.hold("spór", STAFF, house.now, ticket=mail.ticket)
    request = house.ask_erasure(JAN)

    assert house.run(request).stopped == "hold"
    assert any(JAN in str(row.details) for row in house.rows(select(outbox)))

    house.store.privacy_holds.lift_hold(hold.id, STAFF, "koniec", house.now)
    assert house.run(request).stopped == ""
    assert not any(JAN in str(row.details) for row in house.rows(select(outbox)))


def test_a_hold_on_another_account_keeps_nobody_else(house: House) -> None:
    house.store.privacy_holds.hold("spór", STAFF, house.now, account_id="1002")

    assert house.erase(OLA).stopped == ""
    assert OLA not in house.directory()


def test_no_hold_is_placed_while_a_step_removes_what_it_would_keep(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would stand on what is gone a moment later, and everybody would believe in it."""
    house.write(JAN, SHOP)
    placed: list[bool] = []
    forget = erasure_mail.forget_written

    def hold() -> None:
        house.store.privacy_holds.hold("spór", STAFF, house.now, address=JAN)

    placing = Thread(target=hold)

    def slow(*arguments: Any) -> Any:
        if not placed:
            placing.start()
            placing.join(0.5)
            placed.append(not placing.is_alive())
        return forget(*arguments)

    monkeypatch.setattr(erasure_mail, "forget_written", slow)
    done = house.run(house.ask_erasure(JAN))
    placing.join()

    assert placed == [False]
    assert done.stopped in ("", "hold")
    assert len(house.store.privacy_holds.holds()) == 1
