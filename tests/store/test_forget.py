"""Forgetting: what is deleted is gone with all that hangs on it; one row of evidence remains."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import func, insert, inspect, select

from mailgate.model.item import Item
from mailgate.model.message import Mailbox
from mailgate.model.ticket import Ticket
from mailgate.model.views import InboxFilter
from mailgate.privacy.classes import COLUMNS
from mailgate.store import Store, rows
from mailgate.store.forget import clean, forget, forget_tickets
from mailgate.store.privacy_tables import claim_record
from mailgate.store.tables import metadata, outbox
from tests.store.builders import (
    DAY,
    NOW,
    admission,
    admitted,
    decide,
    link,
    notice,
    outcome,
    with_link,
)
from tests.store.builders import claimed as claim

LATER = NOW + 120 * DAY
#: What is said of a mail in the tables that nobody forgets with it.
STAYS = {"claim_record", "audit", "audit_head"}


def counts(store: Store) -> dict[str, int]:
    with store.database.reading() as connection:
        found = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }
    return {name: count for name, count in found.items() if count and name not in STAYS}


def full_ticket(store: Store, word: str = "sekretne") -> tuple[Ticket, str]:
    """A ticket that left a row in every table that a message can: gives it and its queue id."""
    item = claim(store, f"tekst {word}", sender=f"{word}@piekarnia.example")
    asked = link(item, word, address=f"{word}@piekarnia.example")
    waiting = outcome(
        item, "pending", subject=f"Temat {word}", author=f"{word}@piekarnia.example",
        cc=(Mailbox(word, f"cc-{word}@piekarnia.example"),),
    )  # fmt: skip
    ticket = store.queue.apply(waiting, with_link(asked), NOW)
    assert ticket is not None
    store.acts.override(item.queue_id, "vouches", "kasia", "knows the voice", NOW)
    again = store.queue.claim("test/0", NOW)
    assert again is not None
    signed = {"signatures": (word.encode().hex().ljust(64, "0"),)}
    decide(store, again, "authorized", case=signed, subject=f"Temat {word}")
    store.tickets.close(ticket.number, "kasia", "done", NOW)
    return ticket, item.queue_id


def forget_ticket(store: Store, ticket: Ticket) -> Mapping[str, int]:
    with store.database.writing() as connection:
        return forget_tickets(connection, {ticket.number: NOW + DAY}, "retention", LATER)


def test_a_forgotten_ticket_leaves_nothing_but_its_claims_record(store: Store) -> None:
    before = counts(store)
    ticket, queue_id = full_ticket(store)
    added = {name: n - before.get(name, 0) for name, n in counts(store).items()}
    hanging = {n for n, classes in COLUMNS.items() if "correspondence" in classes} - {"labelled"}
    assert hanging <= set(added), "a table that no row of this ticket is in proves nothing"
    gone = forget_ticket(store, ticket)
    assert counts(store) == before
    assert {name: n for name, n in gone.items() if n} == {n: c for n, c in added.items() if c}
    with store.database.reading() as connection:
        assert connection.execute(select(claim_record.c.queue_id)).scalars().all() == [queue_id]


def test_what_remains_is_number_dates_contact_verdict_rule_and_hashes_and_no_word_more(
    store: Store,
) -> None:
    """Promise G2: these columns are what docs/privacy.md lists."""
    item = claim(store, "tekst sekretny", account_id="1001")
    ticket = decide(store, item, "authorized")
    assert ticket is not None
    forget_ticket(store, ticket)
    with store.database.reading() as connection:
        row = connection.execute(select(claim_record)).mappings().one()
    assert dict(row) == {
        "queue_id": item.queue_id,
        "ticket": ticket.number,
        "desk": "support",
        "channel": "email",
        "account_id": "1001",
        "contact_id": None,
        "received_at": NOW,
        "decided_at": NOW,
        "verdict": "authorized",
        "rule": "some-rule",
        "reasons": ["some-reason"],
        "policy_sha256": "ab" * 32,
        "content_sha256": item.sha256,
        "ended_at": NOW + DAY,
        "removed_at": LATER,
        "removed_why": "retention",
    }


def test_a_message_that_nobody_judged_leaves_a_record_that_says_so(store: Store) -> None:
    queue_id = admitted(store, "not judged yet")
    with store.database.writing() as connection:
        forget(connection, [queue_id], "erasure", LATER)
    with store.database.reading() as connection:
        row = connection.execute(select(claim_record)).one()
    assert (row.verdict, row.rule, row.reasons) == ("undecided", "", [])
    assert (row.ended_at, row.removed_why) == (NOW, "erasure")
    assert counts(store) == {}


def test_one_message_of_a_ticket_goes_and_the_other_stays_whole(store: Store) -> None:
    ticket, queue_id = full_ticket(store)
    other = claim(store, "drugi tekst")
    decide(store, other, "authorized", ticket=ticket, message_id="two@piekarnia.example")
    with store.database.writing() as connection:
        forget(connection, [queue_id], "erasure", LATER, {ticket.number: NOW})
    view = store.views.ticket(ticket.number)
    assert view is not None
    assert [m.queue_id for m in view.messages] == [other.queue_id]
    assert store.views.octets(other.queue_id) == other.content
    assert store.views.octets(queue_id) is None


def test_a_content_that_came_to_two_desks_stays_until_both_are_forgotten(store: Store) -> None:
    one = admission("the same octets", key="one")
    two = admission("the same octets", key="two", desk="tokens")
    store.intake.admit([one, two])
    for offered, left in ((one, two.content), (two, None)):
        with store.database.writing() as connection:
            forget(connection, [offered.queue_id], "erasure", LATER)
        assert store.views.octets(two.queue_id) == left
    assert counts(store) == {}


def test_mails_of_ours_about_the_ticket_go_with_it_and_those_of_others_stay(store: Store) -> None:
    ticket, _ = full_ticket(store)
    with store.database.writing() as connection:
        answers = [notice("theirs", ticket=ticket.number), notice("of-another", ticket=99)]
        connection.execute(insert(outbox), [rows.notice_row(n, NOW) for n in answers])
    forget_ticket(store, ticket)
    assert store.lookup.outbox_row("theirs") is None
    assert store.lookup.outbox_row("of-another") is not None


def test_a_mail_that_comes_in_again_after_it_was_forgotten_is_new(store: Store) -> None:
    offered = admission("once more")
    store.intake.admit([offered])
    ticket = decide(store, claim_next(store), "authorized")
    assert ticket is not None
    forget_ticket(store, ticket)
    (made,) = store.intake.admit([admission("once more")])
    assert not made.duplicate
    assert made.queue_id != offered.queue_id
    later = decide(store, claim_next(store), "authorized")
    assert later is not None
    assert later.number > ticket.number, "a number is never given out twice"


def claim_next(store: Store) -> Item:
    item = store.queue.claim("test/0", NOW)
    assert item is not None
    return item


def test_forgetting_twice_changes_nothing_more(store: Store) -> None:
    ticket, queue_id = full_ticket(store)
    forget_ticket(store, ticket)
    assert not any(forget_ticket(store, ticket).values())
    with store.database.writing() as connection:
        assert not any(forget(connection, [queue_id], "retention", LATER).values())


def test_no_word_of_a_forgotten_mail_is_left_in_the_files(
    sqlite_store: Store, tmp_path: Path
) -> None:
    """Promise G2, with the tokens of the search index, and the log of writes."""
    kept = [full_ticket(sqlite_store, f"zostaje{n}")[1] for n in range(3)]
    ticket, _ = full_ticket(sqlite_store, "sekretnyznak")
    files = [path for path in tmp_path.iterdir() if path.name.startswith("mailgate.db")]
    assert any(b"sekretnyznak" in path.read_bytes() for path in files), "nothing to look for"
    forget_ticket(sqlite_store, ticket)
    assert clean(sqlite_store.database)
    files = [path for path in tmp_path.iterdir() if path.name.startswith("mailgate.db")]
    for part in (b"sekretnyznak", b"ekretnyznak", b"retnyznak"):  # the index folds beginnings
        assert not [path for path in files if part in path.read_bytes()]
    found = sqlite_store.inbox.messages(InboxFilter(text="zostaje1")).rows
    assert [hit.queue_id for hit in found] == [kept[1]]


def test_no_row_of_any_table_has_a_word_of_a_forgotten_mail(store: Store) -> None:
    """Promise G2 on both databases; tables that only PostgreSQL or SQLite has are looked at too."""
    full_ticket(store, "zostaje")
    ticket, _ = full_ticket(store, "sekretnyznak")
    assert {"content", "message", "search"} <= set(tables_with(store, "sekretnyznak"))
    forget_ticket(store, ticket)
    clean(store.database)
    assert tables_with(store, "sekretnyznak") == []
    assert tables_with(store, "zostaje")


def tables_with(store: Store, word: str) -> list[str]:
    """Tables of the database itself that have the word in any column of a row."""
    octets = word.encode()
    with store.database.reading() as connection:
        return [
            name
            for name in inspect(connection).get_table_names()
            if any(
                word in str(value) or (isinstance(value, bytes) and octets in value)
                for row in connection.exec_driver_sql(f'SELECT * FROM "{name}"')  # noqa: S608 - a name from the catalogue
                for value in row
            )
        ]


@pytest.mark.parametrize("readers", [0, 1])
def test_cleaning_says_whether_somebody_was_in_the_way(sqlite_store: Store, readers: int) -> None:
    ticket, _ = full_ticket(sqlite_store)
    with sqlite_store.database.reading() as connection:
        if readers:
            connection.execute(select(outbox.c.id)).all()
        forget_ticket(sqlite_store, ticket)
        assert clean(sqlite_store.database) is not bool(readers)
