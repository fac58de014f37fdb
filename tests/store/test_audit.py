"""The audit log: every act of a person, in a chain in which no entry can be changed unnoticed."""

from __future__ import annotations

import random
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection, Table, delete, update

from mailgate.model.ports import StorageError
from mailgate.store import Store, events
from mailgate.store.audit import shorten
from mailgate.store.people_tables import audit, audit_head
from tests.store.builders import NOW, admitted, claimed, decide, entry

NAMES = ("Żółw <img>", "anna@piekarnia.example", "x\ud800y\0z", "O'Hara; DROP TABLE audit")


def act(store: Store, number: int, who: str = "kasia") -> None:
    with store.database.writing() as connection:
        why = {"reason": NAMES[number % 4], "n": [number, None]}
        events.record(connection, NOW, "overridden", who=who, ticket=number, **why)  # type: ignore[arg-type] # words for the record


def tamper(store: Store, *statements: Any) -> None:
    """Change the log as somebody with the run of the database could, past the triggers."""
    with store.database.writing() as connection:
        if store.database.sqlite:
            query = (
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'"
            )
            triggers = list(connection.exec_driver_sql(query))
            for name, _ in triggers:
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
            run(connection, statements)
            for _, sql in triggers:
                connection.exec_driver_sql(sql)
        else:
            connection.exec_driver_sql("ALTER TABLE audit DISABLE TRIGGER USER")
            run(connection, statements)
            connection.exec_driver_sql("ALTER TABLE audit ENABLE TRIGGER USER")


def run(connection: Connection, statements: Iterable[Any]) -> None:
    for statement in statements:
        connection.execute(statement)


def test_an_empty_log_is_unbroken(store: Store) -> None:
    assert store.audit.verify() == (0, None)
    assert store.audit.head() == (0, "0" * 64)


def test_an_unbroken_chain_says_so_whatever_is_written_in_it(store: Store) -> None:
    for number in range(9):
        act(store, number, NAMES[number % 4])
    assert store.audit.verify() == (9, None)
    newest = store.audit.entries(limit=1).rows[0]
    assert store.audit.head() == (newest.id, newest.hash) == (9, newest.hash)


@pytest.mark.parametrize("statement", [update(audit).values(who="nobody"), delete(audit)])
def test_the_database_itself_refuses_to_change_or_remove_an_entry(
    store: Store, statement: Any
) -> None:
    act(store, 1)
    with (
        pytest.raises(StorageError, match="only added to"),
        store.database.writing() as connection,
    ):
        connection.execute(statement)
    assert store.audit.verify() == (1, None)


def test_each_of_a_hundred_edits_of_one_row_is_found(sqlite_store: Store) -> None:
    """Promise W6: every column of every row, and each row gone."""
    store = sqlite_store
    for number in range(20):
        act(store, number)
    dice = random.Random(1)
    others: dict[str, Any] = {
        "at": NOW.replace(microsecond=1),
        "who": "mallory",
        "what": "nothing",
        "subject": "ticket:0x",
        "why": {},
        "prev": "f" * 64,
        "hash": "f" * 64,
    }
    for _ in range(100):
        column = dice.choice([*others, "gone"])
        edit = delete(audit) if column == "gone" else update(audit).values({column: others[column]})
        victim = audit.c.id == dice.randint(1, 20)
        kept = rows_of(store)
        tamper(store, edit.where(victim))
        assert store.audit.verify()[1] is not None, (column, victim)
        tamper(store, delete(audit), audit.insert().values(kept))
    assert store.audit.verify() == (20, None)


def rows_of(store: Store, table: Table = audit) -> list[dict[str, Any]]:
    with store.database.reading() as connection:
        query = table.select().order_by(table.c.id)
        return [dict(row) for row in connection.execute(query).mappings()]


def test_a_row_that_somebody_puts_in_or_two_that_change_places_are_found(store: Store) -> None:
    for number in range(3):
        act(store, number)
    swap = audit.c.id
    tamper(store, update(audit).where(swap == 3).values(id=4))
    assert store.audit.verify()[0] == 2
    tamper(store, update(audit).where(swap == 4).values(id=3))
    tamper(store, update(audit_head).values(last=2))
    found = store.audit.verify()[1]
    assert found is not None
    assert "missing at the end" in found.what


def test_acts_of_many_at_once_stand_one_after_the_other(store: Store) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda number: act(store, number), range(24)))
    assert store.audit.verify() == (24, None)


def test_an_act_that_fails_leaves_no_entry(store: Store) -> None:
    def fails() -> None:
        with store.database.writing() as connection:
            events.record(connection, NOW, "closed", who="kasia", ticket=1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert store.audit.verify() == (0, None)


def test_what_the_program_does_by_itself_is_no_act_and_what_a_person_does_is(store: Store) -> None:
    ticket = decide(store, claimed(store, "first"))
    assert ticket is not None
    assert store.audit.entries().rows == ()
    store.tickets.close(ticket.number, "mailgate", "done", NOW)  # a person of that name
    (found,) = store.audit.entries().rows
    subject = f"ticket:{ticket.number}"
    assert (found.who, found.what, found.subject) == ("mailgate", "ticket-closed", subject)
    assert found.why == {"reason": "done"}


def test_what_is_entered_on_a_page_is_an_act_and_a_mail_is_none(store: Store) -> None:
    admitted(store, "by mail")
    queue_id = admitted(store, "by hand", channel="console", entered_by="kasia", account_id="1001")
    admitted(store, "by hand", channel="console", entered_by="kasia", account_id="1001")
    (found,) = store.audit.entries().rows
    assert (found.who, found.what, found.subject) == (
        "kasia",
        "message-entered",
        f"message:{queue_id}",
    )


def test_an_import_names_who_did_it(store: Store) -> None:
    store.directory.import_entries([entry()], NOW, "admin")
    (found,) = store.audit.entries(who="admin").rows
    assert (found.what, found.subject) == ("directory-imported", "directory")


def test_entries_are_listed_by_person_and_by_subject_a_page_at_a_time(store: Store) -> None:
    for number in range(5):
        act(store, number % 2, who=f"p{number % 2}")
    assert {e.who for e in store.audit.entries(who="p1").rows} == {"p1"}
    assert len(store.audit.entries(subject="ticket:0").rows) == 3
    first = store.audit.entries(limit=3)
    rest = store.audit.entries(limit=3, after=first.next)
    assert [e.id for e in (*first.rows, *rest.rows)] == [5, 4, 3, 2, 1]
    assert rest.next is None


def shortened(store: Store, entries: int = 20, first: int = 8) -> None:
    for number in range(entries):
        act(store, number)
    with store.database.writing() as connection:
        shorten(connection, first, "mailgate", NOW)


def test_a_log_without_its_oldest_part_is_unbroken_and_grows_on(store: Store) -> None:
    shortened(store)
    assert store.audit.verify() == (14, None)
    assert [e.id for e in store.audit.entries().rows][::-1] == list(range(8, 22))
    newest = store.audit.entries(limit=1).rows[0]
    assert (newest.what, newest.why) == ("audit-shortened", {"first": 8, "removed": 7})
    act(store, 99)
    with store.database.writing() as connection:
        shorten(connection, 23, "mailgate", NOW)  # all there is, the note of the first time too
    assert store.audit.verify() == (1, None)
    act(store, 100)
    assert store.audit.verify() == (2, None)


@pytest.mark.parametrize("first", [0, 1, 8, 99])
def test_a_log_is_never_shortened_backwards_nor_beyond_its_end(store: Store, first: int) -> None:
    shortened(store)
    with store.database.writing() as connection:
        assert shorten(connection, first, "mailgate", NOW) == 0
    assert store.audit.verify() == (14, None)


def test_every_change_of_a_shortened_log_or_of_its_head_is_found(sqlite_store: Store) -> None:
    """Promise W6: edits, rows gone, rows that change places, and a beginning that was moved."""
    store = sqlite_store
    shortened(store)
    entries, heads = rows_of(store), rows_of(store, audit_head)
    fourth = next(row for row in entries if row["id"] == 11)
    edits: list[list[Any]] = [
        [update(audit).where(audit.c.id == row["id"]).values({name: other})]
        for row in entries
        for name, other in (
            ("at", NOW.replace(microsecond=1)), ("who", "mallory"), ("what", "nothing"),
            ("subject", "ticket:0x"), ("why", {}), ("hash", "f" * 64), ("prev", "e" * 64),
        )
    ]  # fmt: skip
    edits += [[delete(audit).where(audit.c.id == row["id"])] for row in entries]
    edits += [swap(one["id"], one["id"] + 1) for one in entries[:-1]]
    edits += [
        [update(audit_head).values({name: other})]
        for name, other in (
            ("first", 1), ("first", 7), ("first", 9), ("first_prev", "f" * 64),
            ("last", 20), ("last", 22), ("hash", "f" * 64),
        )
    ]  # fmt: skip
    edits += [
        # The beginning moved on as the program would, but for the entry that says so.
        [
            update(audit_head).values(first=11, first_prev=fourth["prev"]),
            delete(audit).where(audit.c.id < 11),
        ],
        [audit.insert().values({**fourth, "id": 3})],
        [audit.insert().values({**fourth, "id": -3})],
    ]
    assert len(edits) > 100
    for edit in edits:
        tamper(store, *edit)
        assert store.audit.verify()[1] is not None, [str(each) for each in edit]
        tamper(store, delete(audit), audit.insert().values(entries))
        tamper(store, delete(audit_head), audit_head.insert().values(heads))
    assert store.audit.verify() == (14, None)


def swap(one: int, other: int) -> list[Any]:
    """Two entries change places: each has the other's number."""
    steps = ((one, -1), (other, one), (-1, other))
    return [update(audit).where(audit.c.id == old).values(id=new) for old, new in steps]


def test_an_act_while_somebody_verifies_is_no_fault(store: Store) -> None:
    for number in range(3):
        act(store, number)
    with store.database.snapshot() as connection:
        assert len(connection.execute(audit_head.select()).all()) == 1
        act(store, 4)
        assert len(connection.execute(audit.select()).all()) == 3
    assert store.audit.verify() == (4, None)
