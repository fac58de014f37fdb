"""Requests about personal data: deadlines, alerts, answers (GDPR Art. 12, promise G6)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from mailgate.model.privacy_ports import RequestFilter
from mailgate.model.web_ports import Refused
from mailgate.store.people_tables import audit
from mailgate.store.tables import outbox
from tests.privacy.house import ANNA, EWA, JAN, STAFF, House


def test_a_request_is_due_a_month_after_it_was_filed(house: House) -> None:
    made = house.store.privacy_requests.file("access", JAN, "Co o mnie macie?", JAN, house.now)
    assert made.due_at.date().isoformat() == "2026-12-16"
    assert made.state == "open"


def test_a_late_request_is_given_once_after_three_weeks_and_stays_on_the_list(house: House) -> None:
    requests = house.store.privacy_requests
    made = requests.file("access", JAN, "", JAN, house.now)
    house.world.later(days=20, hours=23)
    assert requests.alert_due(house.now) == []
    assert requests.overdue(house.now) == []
    house.world.later(hours=1)
    assert [one.id for one in requests.alert_due(house.now)] == [made.id]
    assert requests.alert_due(house.now) == []
    assert [one.id for one in requests.overdue(house.now)] == [made.id]


def test_an_answered_request_is_late_no_more_and_answered_once(house: House) -> None:
    requests = house.store.privacy_requests
    made = requests.file("access", JAN, "", JAN, house.now)
    answer = house.desk.answered(made, house.now)
    done = requests.close(made.id, "done", "Masz je w załączniku.", STAFF, house.now, answer)
    assert done is not None
    assert done.closed_by == STAFF
    assert requests.close(made.id, "done", "Jeszcze raz.", STAFF, house.now, answer) is None
    house.world.later(days=40)
    assert requests.alert_due(house.now) == []
    (notice,) = [row.notice for row in house.world.outbox()]
    assert (notice.template, notice.to) == ("privacy-answered", JAN)
    assert "załączniku" in notice.values["text"]


def test_a_refusal_says_why_or_is_no_refusal(house: House) -> None:
    requests = house.store.privacy_requests
    made = requests.file("object", JAN, "", JAN, house.now)
    with pytest.raises(Refused, match="say-why"):
        requests.close(made.id, "refused", " ", STAFF, house.now, lambda _: None)


def test_somebody_who_is_in_no_account_is_answered_too(house: House) -> None:
    requests = house.store.privacy_requests
    made = requests.file("access", "obcy@nigdzie.example", "", STAFF, house.now)
    answer = house.desk.answered(made, house.now)
    assert requests.close(made.id, "done", "Nic nie mamy.", STAFF, house.now, answer)
    row = house.rows(select(outbox.c.to_address, outbox.c.contact_id))[0]
    assert tuple(row) == ("obcy@nigdzie.example", None)


def test_a_contact_may_have_five_requests_waiting_and_staff_may_file_more(house: House) -> None:
    requests = house.store.privacy_requests
    for _ in range(5):
        requests.file("access", JAN, "", JAN, house.now)
    with pytest.raises(Refused, match="too-many"):
        requests.file("access", JAN.upper(), "", JAN.upper(), house.now)
    requests.file("access", JAN, "", STAFF, house.now)
    assert len(requests.all(RequestFilter(address=JAN)).rows) == 6


def test_the_list_goes_on_where_a_page_ended(house: House) -> None:
    requests = house.store.privacy_requests
    ids = []
    for address in (ANNA, JAN, EWA):
        ids.append(requests.file("access", address, "", STAFF, house.now).id)
        house.world.later(hours=1)
    for undone, order in ((True, ids), (None, ids[::-1])):
        wanted = RequestFilter(undone=undone)
        first = requests.all(wanted, limit=2)
        second = requests.all(wanted, after=first.next, limit=2)
        assert [one.id for one in (*first.rows, *second.rows)] == order
        assert second.next is None
    assert [r.address for r in requests.all(RequestFilter(address=JAN.upper())).rows] == [JAN]


def test_the_audit_log_has_no_word_and_no_address_of_what_staff_filed(house: House) -> None:
    made = house.store.privacy_requests.file("erase", JAN, "Tajne.", STAFF, house.now)
    house.world.later(days=22)
    house.store.privacy_requests.alert_due(house.now)
    entries = [row for row in house.rows(select(audit)) if row.subject == f"request:{made.id}"]
    assert [row.what for row in entries] == ["privacy-request-filed"]
    assert not [row for row in entries if JAN in str(row.why) or "Tajne" in str(row.why)]


def test_a_deadline_counts_by_the_calendar(house: House) -> None:
    house.world.clock[0] = house.now.replace(month=1, day=31)
    made = house.store.privacy_requests.file("access", JAN, "", STAFF, house.now)
    assert made.due_at - house.now == timedelta(days=28)
