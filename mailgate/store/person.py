"""One person in the store: what is theirs, what names them, read a few rows at a time (Art. 15)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Column, Connection, Select, func, select

from mailgate.model.addresses import address_key
from mailgate.model.directory import Contact
from mailgate.model.notice import Notice
from mailgate.model.privacy_ports import PersonMessage
from mailgate.store import person_facts, rows
from mailgate.store.engine import Database
from mailgate.store.people_tables import access_token, override
from mailgate.store.privacy_tables import claim_record, privacy_request
from mailgate.store.tables import contact, content, decision, item, message, outbox
from mailgate.store.types import AnyRow, AnySelect
from mailgate.store.whose import names_them, queued, sent_to, who, wrote

_AT_ONCE = 100


class Persons:
    """`PersonStore` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, address: str, account_id: str | None = None) -> Mapping[str, int]:
        """How much there is, by kind; empty where there is nothing."""
        with self._database.reading() as connection:
            person = who(connection, address, account_id)
            ids = person.contact_ids
            tokens = access_token.c.contact_id.in_(ids)
            counted = {
                "contacts": select(func.count()).where(contact.c.id.in_(ids)),
                "messages": select(func.count()).where(wrote(person)),
                "waiting": select(func.count()).where(queued(connection, person)),
                "sent": select(func.count()).where(sent_to(person)),
                "mentions": select(func.count()).where(names_them(person)),
                "tokens": select(func.count()).select_from(access_token).where(tokens),
                "requests": select(func.count()).where(privacy_request.c.address_key == person.key),
                "records": select(func.count()).where(claim_record.c.contact_id.in_(ids)),
            }
            found = {
                name: connection.execute(query).scalar_one() for name, query in counted.items()
            }
        return {name: count for name, count in found.items() if count}

    def contacts(self, address: str, account_id: str | None = None) -> list[Contact]:
        query = select(contact).where(contact.c.address_key == address_key(address))
        if account_id is not None:
            query = query.where(contact.c.account_id == account_id)
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(contact.c.id))
            return [rows.contact_of(row) for row in found]

    def facts(self, address: str, account_id: str | None = None) -> Mapping[str, Any]:
        """Everything but mail, as it goes into person.json: never a secret, never a hash of one."""
        with self._database.reading() as connection:
            person = who(connection, address, account_id)
            return person_facts.facts(connection, person)

    def messages(self, address: str, account_id: str | None = None) -> Iterator[PersonMessage]:
        """Oldest first, a few at a time."""
        with self._database.reading() as connection:
            person = who(connection, address, account_id)
            waiting = queued(connection, person)
        decided = (
            select(message, item.c.state, item.c.channel, content.c.octets, item.c.sha256)
            .join(item, item.c.queue_id == message.c.queue_id)
            .join(content, content.c.sha256 == item.c.sha256)
            .where(wrote(person))
        )
        for batch in self._batches(decided, message.c.queue_id):
            with self._database.reading() as connection:
                ids = [row.queue_id for row in batch]
                judged, said = _judgements(connection, ids), _words_of_staff(connection, ids)
            for row in batch:
                about = _about(row, judged.get(row.queue_id, []), said.get(row.queue_id, []))
                disowned = row.facts.get("sender.proof") == "denied"
                yield PersonMessage(
                    row.queue_id, row.received_at, row.state, row.octets, about, disowned
                )
        undecided = select(item, content.c.octets).join(content, content.c.sha256 == item.c.sha256)
        for batch in self._batches(undecided.where(waiting), item.c.queue_id):
            for row in batch:
                about = {"verdict": None, "channel": row.channel, "decisions": []}
                yield PersonMessage(row.queue_id, row.received_at, row.state, row.octets, about)

    def sent(self, address: str, account_id: str | None = None) -> Iterator[Notice]:
        """Mails of ours to this person, oldest first."""
        with self._database.reading() as connection:
            query = select(outbox).where(sent_to(who(connection, address, account_id)))
        for batch in self._batches(query, outbox.c.id):
            yield from (rows.notice_of(row) for row in batch)

    def mentions(self, address: str, account_id: str | None = None) -> Iterator[Mapping[str, Any]]:
        """Messages of others that name the person: when and on which ticket, no word of them."""
        with self._database.reading() as connection:
            person = who(connection, address, account_id)
        columns = (message.c.queue_id, message.c.received_at, message.c.ticket)
        for batch in self._batches(select(*columns).where(names_them(person)), message.c.queue_id):
            for row in batch:
                yield {"received_at": row.received_at, "ticket": row.ticket, "in": "To or Cc"}

    def _batches(self, query: AnySelect, by: Column[Any]) -> Iterator[list[AnyRow]]:
        """The rows in the order of a column that tells them apart, some at a time."""
        last: Any = None
        while True:
            here: Select[Any] = query.order_by(by).limit(_AT_ONCE)
            if last is not None:
                here = here.where(by > last)
            with self._database.reading() as connection:
                batch = list(connection.execute(here))
            yield batch
            if len(batch) < _AT_ONCE:
                return
            last = getattr(batch[-1], by.name)


def _about(row: AnyRow, judged: list[Any], said: list[Any]) -> Mapping[str, Any]:
    return {
        "subject": row.subject,
        "channel": row.channel,
        "ticket": row.ticket,
        "account": row.account_id,
        "verdict": row.verdict,
        "sha256": row.sha256,
        "labels": row.labels,
        "decisions": judged,
        "said_by_staff": said,
    }


def _judgements(connection: Connection, ids: list[str]) -> dict[str, list[Any]]:
    query = select(decision).where(decision.c.queue_id.in_(ids)).order_by(decision.c.id)
    found: dict[str, list[Any]] = {}
    for row in connection.execute(query):
        said = {
            "at": row.decided_at,
            "verdict": row.verdict,
            "rule": row.rule,
            "reasons": row.reasons,
            "facts": row.facts,
        }
        found.setdefault(row.queue_id, []).append(said)
    return found


def _words_of_staff(connection: Connection, ids: list[str]) -> dict[str, list[Any]]:
    query = select(override).where(override.c.queue_id.in_(ids)).order_by(override.c.id)
    found: dict[str, list[Any]] = {}
    for row in connection.execute(query):
        said = {"at": row.at, "value": row.value, "why": row.why}
        found.setdefault(row.queue_id, []).append(said)
    return found
