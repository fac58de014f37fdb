"""The purge: nothing goes too early, all goes in time, and a person is asked where it must."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, insert, select, update

from mailgate.model.privacy import Removal, Upcoming
from mailgate.settings import Privacy
from mailgate.store import Store, events, rows
from mailgate.store.people_tables import access_token, audit, change
from mailgate.store.privacy_tables import (
    claim_record,
    correction,
    privacy_request,
)
from mailgate.store.retention import FEW, Retention
from mailgate.store.tables import message, outbox, paused_address
from mailgate.store.tables import ticket as tickets
from tests.store.builders import (
    DAY,
    HOUR,
    NOW,
    admitted,
    claimed,
    decide,
    entry,
    notice,
)
from tests.store.crowd import Past, enter

ANNA, EWA = "anna@piekarnia.example", "ewa@kwiaciarnia.example"
END = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
DUE = datetime(2026, 6, 30, 12, 0, tzinfo=UTC)
"""Three months after END: June has no 31st day."""
MOMENT = timedelta(microseconds=1)


def past(number: int = 1, **changes: Any) -> Past:
    return replace(Past(number, (END - DAY,), END), **changes)


def numbers(store: Store) -> list[int]:
    return ids(store, tickets.c.number)


def ids(store: Store, column: Any) -> list[Any]:
    with store.database.reading() as connection:
        return list(connection.execute(select(column).order_by(column)).scalars())


def purge(store: Store, now: datetime = DUE, **how: Any) -> Removal:
    return store.retention.purge(now, **how)


# --- tickets --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"closed": END - DAY, "received": (END - 2 * DAY, END)},
        {"closed": END - DAY, "sent": (END - HOUR, END)},
    ],
    ids=["closed last", "a message came after it was closed", "a mail of ours went after that"],
)
def test_a_ticket_goes_three_months_after_the_last_thing_that_happened(
    store: Store, changes: dict[str, Any]
) -> None:
    enter(store, [past(**changes)])
    assert purge(store, DUE - MOMENT).removed == {}
    assert numbers(store) == [1]
    assert purge(store, DUE).removed["ticket"] == 1
    assert numbers(store) == []
    assert ids(store, claim_record.c.ended_at) == [END] * len(past(**changes).received)


@pytest.mark.parametrize(
    "changes",
    [{"closed": None}, {"unsettled": True}],
    ids=["open", "with a message that is held"],
)
def test_a_ticket_that_is_not_over_never_goes(store: Store, changes: dict[str, Any]) -> None:
    enter(store, [past(**changes)])
    assert purge(store, DUE + 3650 * DAY, force=True).removed.get("ticket") is None
    assert numbers(store) == [1]


def test_a_ticket_with_a_mail_that_still_waits_stays(store: Store) -> None:
    enter(store, [past()])
    with store.database.writing() as connection:
        connection.execute(insert(outbox), rows.notice_row(notice("n", ticket=1), END))
    assert purge(store, DUE + DAY).removed == {}
    store.outbox.claim_due(DUE, 1)
    store.outbox.failed("n", "550 no", DUE)
    assert purge(store, DUE + DAY).removed["ticket"] == 1


def test_a_reply_opens_a_closed_ticket_and_its_time_begins_anew(store: Store) -> None:
    first = claimed(store, "first")
    ticket = decide(store, first)
    assert ticket is not None
    store.tickets.close(ticket.number, "kasia", "done", NOW)
    decide(store, claimed(store, "second"), ticket=ticket, message_id="two@piekarnia.example")
    assert purge(store, NOW + 400 * DAY).removed == {}
    store.tickets.close(ticket.number, "kasia", "done", NOW + 10 * DAY)
    assert purge(store, NOW + 101 * DAY).removed == {}
    assert purge(store, NOW + 102 * DAY).removed["message"] == 2


# --- what keeps it --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hold",
    [{"ticket": 1}, {"account_id": "1001"}, {"address": "ANNA@Piekarnia.example"}],
    ids=["the ticket", "the account", "the author"],
)
def test_what_a_hold_is_on_stays_until_it_is_lifted_and_everything_else_goes(
    store: Store, hold: dict[str, Any]
) -> None:
    store.directory.import_entries([entry("1001"), entry("1002", [(EWA, "main")])], NOW)
    enter(store, [past(1, account="1001"), past(2, author=EWA, account="1002")])
    held = store.privacy_holds.hold("a claim", "kasia", NOW, **hold)
    done = purge(store)
    assert numbers(store) == [1]
    assert (done.removed["ticket"], done.kept) == (1, {"hold": 1})
    store.privacy_holds.lift_hold(held.id, "kasia", "settled", DUE)
    assert purge(store).removed["ticket"] == 1


@pytest.mark.parametrize(
    "concerned",
    [
        {"author": EWA},
        {"cc": EWA},
        {"author": EWA, "sent": (END,), "received": (END - DAY,)},
    ],
    ids=["who wrote", "who is named in Cc", "whom we answered"],
)
def test_a_restriction_stops_the_purge_of_what_a_person_is_part_of(
    store: Store, concerned: dict[str, Any]
) -> None:
    """GDPR Art. 18(2): but for storage, nothing is done with it."""
    enter(store, [past(1, **concerned), past(2)])
    store.privacy_holds.restrict(EWA, "it is not right", "kasia", NOW)
    done = purge(store)
    assert numbers(store) == [1]
    assert done.kept == {"restricted": 1}
    store.privacy_holds.lift_restriction(EWA, "it is right now", "kasia", DUE)
    purge(store)
    assert numbers(store) == []


def test_a_mail_of_ours_to_a_held_address_keeps_the_ticket_it_is_about(store: Store) -> None:
    enter(store, [past(1)])
    with store.database.writing() as connection:
        connection.execute(insert(outbox), rows.notice_row(notice("n", EWA, ticket=1), NOW))
        connection.execute(update(outbox).values(state="sent", due_at=None, sent_at=NOW))
    store.privacy_holds.hold("a claim", "kasia", NOW, address=EWA)
    assert purge(store).removed == {}


def test_a_hold_keeps_claims_tokens_changes_and_entries_of_the_audit_log_too(store: Store) -> None:
    store.directory.import_entries([entry("1001")], NOW)
    enter(store, [past(1, account="1001")])
    purge(store)
    _security_rows(store, NOW)
    act(store, "ticket:1", NOW)
    hold = store.privacy_holds.hold("a claim", "kasia", NOW, account_id="1001")
    kept = {"claim_record": 1, "access_token": 1, "change": 1}
    late = NOW + 3650 * DAY
    done = purge(store, late, force=True)
    assert not kept.keys() & done.removed.keys()
    assert store.audit.entries().rows[-1].subject == "ticket:1"
    assert store.audit.verify()[1] is None
    store.privacy_holds.lift_hold(hold.id, "kasia", "settled", late)
    again = purge(store, late, force=True).removed
    assert {name: again.get(name) for name in kept} == kept


# --- everything else ------------------------------------------------------------------------


def test_a_message_on_no_ticket_goes_by_the_day_it_came_in_unless_it_is_held(store: Store) -> None:
    filed = claimed(store, "out of office")
    decide(store, filed, "filed", opens=False)
    held = claimed(store, "strange")
    decide(store, held, "held", opens=False)
    waits = admitted(store, "nobody looked at it")
    assert purge(store, NOW + 91 * DAY).removed == {}
    assert purge(store, NOW + 92 * DAY).removed["item"] == 1
    assert ids(store, message.c.queue_id) == [held.queue_id]
    assert store.views.octets(waits) is not None


@pytest.mark.parametrize("state", ["sent", "failed", "bounced", "waiting", "active"])
def test_a_letter_that_belongs_to_nothing_goes_once_it_is_settled(store: Store, state: str) -> None:
    with store.database.writing() as connection:
        connection.execute(insert(outbox), rows.notice_row(notice("letter"), NOW))
        due = NOW if state == "waiting" else None
        connection.execute(update(outbox).values(state=state, due_at=due))
    assert purge(store, NOW + 91 * DAY).removed == {}
    settled = state not in {"waiting", "active"}
    assert purge(store, NOW + 92 * DAY).removed == ({"outbox": 1} if settled else {})


@pytest.mark.parametrize(
    ("to_year_end", "due"),
    [
        (False, datetime(2032, 3, 31, 12, 0, tzinfo=UTC)),
        (True, datetime(2033, 1, 1, tzinfo=UTC)),
    ],
)
def test_claims_records_go_after_six_years_or_with_that_year(
    store: Store, to_year_end: bool, due: datetime
) -> None:
    enter(store, [past()])
    purge(store)
    kept = Retention(store.database, Privacy(claims_to_year_end=to_year_end))
    assert "claim_record" not in kept.purge(due - MOMENT, force=True).removed
    assert kept.purge(due, force=True).removed["claim_record"] == 1


def _security_rows(store: Store, at: datetime) -> dict[Table, dict[str, Any]]:
    """One row that ended at that time in each table of the protection of the system."""
    about = {"contact_id": 1, "account_id": "1001"}
    made: dict[Table, dict[str, Any]] = {
        access_token: {
            **about, "token_sha256": "a" * 64, "address": ANNA, "issued_at": NOW,
            "issued_by": "kasia", "expires_at": at + 90 * DAY, "revoked_at": at,
            "scopes": ["panel"],
        },
        change: {
            **about, "kind": "address", "role": "main", "name": "", "old_address": ANNA,
            "new_address": EWA, "new_key": EWA, "requested_by": ANNA, "nonce": "n",
            "new_sha256": "b" * 64, "state": "open", "created_at": NOW, "expires_at": at,
        },
        privacy_request: {
            "kind": "access", "address": ANNA, "address_key": ANNA, "text": "", "filed_by": ANNA,
            "filed_at": NOW, "due_at": NOW, "state": "done", "closed_at": at,
        },
        correction: {
            "contact_id": 1, "what": "name", "old": "A", "new": "B", "who": "kasia", "why": "w",
            "at": at,
        },
        paused_address: {
            "address_key": ANNA, "address": ANNA, "paused_at": NOW, "ended_at": at,
        },
    }  # fmt: skip
    with store.database.writing() as connection:
        for table, values in made.items():
            connection.execute(insert(table), values)
    return made


def act(store: Store, subject: str, at: datetime, who: str = "kasia") -> None:
    with store.database.writing() as connection:
        events.record(connection, at, "looked-at", who=who, subject=subject)


def test_what_protects_the_system_goes_two_years_after_it_ended(store: Store) -> None:
    tables = [table.name for table in _security_rows(store, END)]
    hold = store.privacy_holds.hold("a claim", "kasia", END, address=EWA)
    store.privacy_holds.lift_hold(hold.id, "kasia", "settled", END)
    store.privacy_holds.restrict(EWA, "not right", "kasia", END)
    store.privacy_holds.lift_restriction(EWA, "right now", "kasia", END)
    due = END.replace(year=2028)
    assert purge(store, due - MOMENT, force=True).removed == {}
    done = purge(store, due, force=True).removed
    expected = dict.fromkeys([*tables, "privacy_hold", "privacy_restriction"], 1)
    assert done == {**expected, "audit": 4, "event": 4}


def test_what_has_not_ended_stays_however_old_it_is(store: Store) -> None:
    _security_rows(store, NOW)
    store.privacy_holds.hold("a claim", "kasia", NOW, address="other@freemail.example")
    with store.database.writing() as connection:
        connection.execute(update(privacy_request).values(state="open", closed_at=None))
        connection.execute(update(paused_address).values(ended_at=None))
        connection.execute(
            update(access_token).values(revoked_at=None, expires_at=DUE + 3650 * DAY)
        )
    removed = purge(store, NOW + 3650 * DAY, force=True).removed
    assert set(removed) == {"change", "correction", "audit", "event"}


def test_the_audit_log_loses_its_oldest_part_alone_and_stays_whole(store: Store) -> None:
    """The third entry is older than the second, by a clock that was put back: it waits for it."""
    for days in (0, 400, 1, 500):
        act(store, "staff:kasia", NOW + days * DAY)
    done = purge(store, NOW + 740 * DAY, force=True)
    assert done.removed["audit"] == 1
    assert store.audit.verify() == (5, None)  # three, that it was shortened, and the purge
    assert ids(store, audit.c.id)[0] == 2


# --- stops, dry runs, and what is told ------------------------------------------------------


def crowd(store: Store, due: int, young: int) -> None:
    enter(store, [past(n) for n in range(1, due + 1)])
    enter(store, [past(n, closed=DUE) for n in range(due + 1, due + young + 1)])


@pytest.mark.parametrize(
    ("due", "young", "stops"),
    [(FEW, 0, False), (FEW + 1, 0, True), (30, 120, False), (31, 119, True)],
    ids=["all of a few", "all of a few more", "a fifth", "more than a fifth"],
)
def test_a_purge_that_would_take_too_much_does_nothing_until_it_is_forced(
    store: Store, due: int, young: int, stops: bool
) -> None:
    crowd(store, due, young)
    done = purge(store)
    assert done.stopped == ("share" if stops else "")
    assert len(numbers(store)) == (due + young if stops else young)
    if stops:
        assert done.removed == {}
        assert purge(store, force=True).removed["ticket"] == due


@pytest.mark.parametrize(
    ("step", "stops"),
    [
        (timedelta(hours=24), False),
        (timedelta(hours=24, seconds=1), True),
        (timedelta(days=3650), True),
        (timedelta(seconds=-30), False),
        (timedelta(hours=-1), True),
        (timedelta(days=-3650), True),
    ],
    ids=["a day", "more than a day", "ten years", "machines differ", "an hour back", "far back"],
)
def test_a_clock_that_jumped_removes_nothing_until_a_person_says_that_it_is_right(
    store: Store, step: timedelta, stops: bool
) -> None:
    """Promise R14."""
    enter(store, [past(received=(END - 8000 * DAY,), closed=END - 8000 * DAY)])
    store.duties.see(DUE)
    done = purge(store, DUE + step)
    assert done.stopped == ("clock" if stops else "")
    assert numbers(store) == ([1] if stops else [])
    if stops:
        assert purge(store, DUE + step, force=True, who="kasia").removed["ticket"] == 1
        assert store.duties.clock_jumped(DUE + step) is None
        assert purge(store, DUE + step).stopped == ""


def test_a_dry_run_says_what_the_purge_then_removes_and_changes_nothing(store: Store) -> None:
    crowd(store, 30, 0)
    _security_rows(store, END - 1000 * DAY)
    act(store, "staff:kasia", END - 1000 * DAY)
    before = numbers(store)
    tried = purge(store, dry_run=True)
    assert (numbers(store), tried.stopped) == (before, "share")
    assert ids(store, audit.c.what) == ["looked-at"]
    done = purge(store, force=True)
    assert tried.removed == done.removed
    assert done.removed["ticket"] == 30


def test_a_run_leaves_one_entry_with_its_numbers_in_the_audit_log(store: Store) -> None:
    enter(store, [past()])
    done = purge(store, who="kasia")
    (found,) = store.audit.entries().rows
    assert (found.who, found.what, found.subject) == ("kasia", "retention-purged", "retention")
    assert found.why["removed"] == done.removed
    assert purge(store).removed == {}
    assert len(store.audit.entries().rows) == 2


def test_progress_counts_to_the_end(store: Store) -> None:
    crowd(store, 250, 0)
    seen: list[tuple[int, int]] = []
    purge(store, force=True, progress=lambda done, all_: seen.append((done, all_)))
    assert seen == [(100, 250), (200, 250), (250, 250)]


def test_what_goes_when_is_told_by_day_for_two_weeks(store: Store) -> None:
    ends = [END - DAY, END, END + DAY, END + DAY + HOUR, END + 20 * DAY]
    enter(store, [past(n, closed=at) for n, at in enumerate(ends, 1)])
    enter(store, [past(9, cc=EWA)])
    store.privacy_holds.restrict(EWA, "not right", "kasia", NOW)
    july = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    assert store.retention.upcoming(DUE) == [
        Upcoming("correspondence", DUE, 2),
        Upcoming("correspondence", july, 2),
    ]
    (line,) = store.retention.due(DUE)
    assert (line.table, line.data, line.count, line.kept) == ("ticket", "correspondence", 2, 1)
    assert (line.oldest, line.newest) == (END - DAY, END)


def test_what_nobody_keeps_any_more_is_gone_before_the_next_step_if_somebody_adds_to_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message that comes in, or a hold that is placed, while a purge runs, still counts."""
    crowd(store, 101, 0)
    last = 101

    def meanwhile(done: int, _all: int) -> None:
        if done == 100:
            store.privacy_holds.hold("a claim", "kasia", DUE, ticket=last)

    purge(store, force=True, progress=meanwhile)
    assert numbers(store) == [last]
