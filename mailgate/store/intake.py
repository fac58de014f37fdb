"""Accepting: a batch of admissions becomes durable in one transaction, each message once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Insert, delete, exists, select
from sqlalchemy.dialects import postgresql, sqlite

from mailgate.model.item import Admission, Admitted
from mailgate.store import events
from mailgate.store.engine import Database
from mailgate.store.tables import content, item


class Intake:
    """`IntakeStore` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        insert = sqlite.insert if database.sqlite else postgresql.insert
        self._new_content: Insert = insert(content).on_conflict_do_nothing()
        self._new_item: Insert = insert(item).on_conflict_do_nothing()

    def admit(self, batch: Sequence[Admission]) -> list[Admitted]:
        """Commit all of the batch, or raise; a known `dedup_key` gives the id it came in with.

        Rows go in sorted by key, so that two processes with the same mail wait for each other
        instead of locking each other out.
        """
        if not batch:
            return []
        contents = {a.sha256: a for a in batch}
        with self._database.writing() as connection:
            connection.execute(
                self._new_content, [_content_row(contents[key]) for key in sorted(contents)]
            )
            added = connection.execute(
                self._new_item,
                [_item_row(a) for a in sorted(batch, key=lambda a: a.dedup_key)],
                execution_options={"preserve_rowcount": True},
            ).rowcount
            if added == len(batch):
                made = [Admitted(a.queue_id, duplicate=False) for a in batch]
            else:
                made = _with_duplicates(connection, batch)
            _record_people(connection, batch, made)
        return made


def _record_people(
    connection: Connection, batch: Sequence[Admission], made: Sequence[Admitted]
) -> None:
    """What a person entered on a page is an act, and stands in the audit log as one."""
    for admission, result in zip(batch, made, strict=True):
        if admission.channel != "email" and not result.duplicate:
            events.record(
                connection,
                admission.envelope.received_at,
                "message-entered",
                who=admission.entered_by or admission.channel,
                queue_id=result.queue_id,
                channel=admission.channel,
                account=admission.account_id,
            )


def _with_duplicates(connection: Connection, batch: Sequence[Admission]) -> list[Admitted]:
    rows = connection.execute(
        select(item.c.dedup_key, item.c.queue_id).where(
            item.c.dedup_key.in_({a.dedup_key for a in batch})
        )
    )
    ids = {row.dedup_key: row.queue_id for row in rows}
    result = [Admitted(ids[a.dedup_key], ids[a.dedup_key] != a.queue_id) for a in batch]
    # A retry may differ in its trace fields; its content belongs to no item then.
    again = {a.sha256 for a, made in zip(batch, result, strict=True) if made.duplicate}
    connection.execute(
        delete(content).where(
            content.c.sha256.in_(again), ~exists().where(item.c.sha256 == content.c.sha256)
        )
    )
    return result


def _content_row(admission: Admission) -> dict[str, Any]:
    octets = admission.content
    return {"sha256": admission.sha256, "size": len(octets), "octets": octets}


def _item_row(admission: Admission) -> dict[str, Any]:
    envelope = admission.envelope
    return {
        "queue_id": admission.queue_id,
        "dedup_key": admission.dedup_key,
        "desk": admission.desk,
        "channel": admission.channel,
        "sha256": admission.sha256,
        "reverse_path": envelope.reverse_path,
        "recipients": envelope.recipients,
        "received_at": envelope.received_at,
        "client": envelope.client,
        "helo": envelope.helo,
        "protocol": envelope.protocol,
        "tls": envelope.tls,
        "entered_by": admission.entered_by,
        "account_id": admission.account_id,
        "due_at": envelope.received_at,
    }
