"""Accepting: what was acknowledged is there, whole, and once."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import func, select, text

from mailgate.model.ports import StorageError
from mailgate.store import Store
from mailgate.store.tables import content, item
from tests.store.builders import NOW, admission, admitted, make_store, take


def count(store: Store, table: object) -> int:
    with store.database.reading() as connection:
        found: int = connection.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type]
    return found


def test_what_is_admitted_can_be_claimed_with_every_octet_and_the_whole_envelope(
    store: Store,
) -> None:
    octets = bytes(range(256)) * 20
    sent = admission(content=octets, sha256="0" * 64, entered_by="anna", account_id="1001")
    assert store.intake.admit([sent])[0].duplicate is False
    got = take(store, sent.queue_id)
    assert got.content == octets
    assert got.envelope == sent.envelope
    assert (got.desk, got.channel, got.entered_by, got.account_id) == (
        "support",
        "email",
        "anna",
        "1001",
    )


def test_a_known_key_gives_the_id_it_came_in_with(store: Store) -> None:
    first = admitted(store)
    again = store.intake.admit([admission()])[0]
    assert (again.queue_id, again.duplicate) == (first, True)
    assert count(store, item) == 1


def test_the_same_mail_twice_in_one_batch_is_one_item(store: Store) -> None:
    one, two, three = admission("a"), admission("b"), admission("a")
    result = store.intake.admit([one, two, three])
    assert [a.queue_id for a in result] == [one.queue_id, two.queue_id, one.queue_id]
    assert [a.duplicate for a in result] == [False, False, True]


def test_an_admission_that_is_tried_again_with_its_own_id_is_no_duplicate(store: Store) -> None:
    """After a lost answer of the database the caller cannot know whether it was committed."""
    one = admission()
    store.intake.admit([one])
    assert store.intake.admit([one])[0].duplicate is False
    assert count(store, item) == 1


def test_two_desks_share_one_content(store: Store) -> None:
    store.intake.admit([admission(key="for support"), admission(key="for sales", desk="sales")])
    assert (count(store, item), count(store, content)) == (2, 1)


def test_a_retry_that_differs_in_its_trace_fields_leaves_no_content_behind(store: Store) -> None:
    first = admission()
    octets = b"Return-Path: <x@y.example>\r\n" + first.content
    store.intake.admit([first])
    result = store.intake.admit([replace(first, queue_id="Q9", content=octets, sha256="f" * 64)])
    assert result[0].queue_id == first.queue_id
    assert count(store, content) == 1


def test_fifty_parallel_resends_are_one_item(url: str) -> None:
    store = make_store(url, pool_size=25)
    with ThreadPoolExecutor(50) as pool:
        results = list(pool.map(lambda _: store.intake.admit([admission()])[0], range(50)))
    assert len({result.queue_id for result in results}) == 1
    assert sum(not result.duplicate for result in results) == 1
    assert count(store, item) == 1
    store.close()


def test_two_processes_with_the_same_mails_in_other_orders_do_not_lock_each_other_out(
    url: str,
) -> None:
    one, two = make_store(url), make_store(url)
    texts = [f"mail {i}" for i in range(200)]
    with ThreadPoolExecutor(2) as pool:
        runs = [
            pool.submit(one.intake.admit, [admission(t) for t in texts]),
            pool.submit(two.intake.admit, [admission(t) for t in reversed(texts)]),
        ]
        first, second = (run.result() for run in runs)
    assert {a.queue_id for a in first} == {a.queue_id for a in second}
    assert count(one, item) == 200
    one.close()
    two.close()


def test_a_batch_goes_in_whole_or_not_at_all(store: Store) -> None:
    good, bad = admission("good"), admission("bad", desk=None)
    with pytest.raises(StorageError):
        store.intake.admit([good, bad])
    assert (count(store, item), count(store, content)) == (0, 0)


def test_a_queue_id_that_is_taken_loses_no_mail_in_silence(store: Store) -> None:
    first = admission("first")
    store.intake.admit([first])
    with pytest.raises(KeyError):
        store.intake.admit([admission("second", queue_id=first.queue_id)])
    assert count(store, content) == 1


def test_octets_that_no_database_can_hold_do_not_stop_a_mail(store: Store) -> None:
    sent = admission()
    odd = replace(sent.envelope, reverse_path="a\x00b\udcff@x.example", helo="\x00")
    store.intake.admit([replace(sent, envelope=odd)])
    assert take(store, sent.queue_id).envelope.reverse_path == "a\ufffdb\ufffd@x.example"


def test_an_empty_batch_is_nothing_to_do(store: Store) -> None:
    assert store.intake.admit([]) == []


@pytest.mark.parametrize("after", [3, 17, 40])
def test_a_kill_in_the_middle_loses_nothing_that_was_acknowledged(url: str, after: int) -> None:
    make_store(url).close()
    with subprocess.Popen(
        [sys.executable, "-m", "tests.store.writer", url, "1000000"],
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        acknowledged = [writer.stdout.readline().strip() for _ in range(after)]
        writer.send_signal(signal.SIGKILL)
        acknowledged += [line.strip() for line in writer.stdout if line.endswith("\n")]
    store = make_store(url)
    with store.database.reading() as connection:
        rows = connection.execute(
            select(item.c.queue_id, content.c.octets).join(
                content, content.c.sha256 == item.c.sha256
            )
        ).all()
        if store.database.sqlite:
            assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    found = {row.queue_id: row.octets for row in rows}
    assert set(acknowledged) <= set(found)
    assert all(found[queue_id].endswith(b"the end\r\n") for queue_id in acknowledged)
    assert len(found) == count(store, item)
    store.close()


def test_the_time_of_receipt_is_kept_to_the_microsecond(store: Store) -> None:
    at = NOW.replace(microsecond=123456)
    assert take(store, admitted(store, at=at), at).envelope.received_at == at
