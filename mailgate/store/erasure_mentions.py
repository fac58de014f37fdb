"""Erasure in what others wrote: the message stays theirs, the person is taken out of its header.

Raw octets, envelope, decisions and the search index forget the address. What others say in their
own words stays: it is theirs, and an export of the person does not hold it either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    delete,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    update,
)

from mailgate.message import read
from mailgate.model.addresses import address_key
from mailgate.privacy.spelling import everywhere, names, without
from mailgate.privacy.take_out import take_out
from mailgate.store import history, search
from mailgate.store.erasure_mail import ERASED
from mailgate.store.forget import forget
from mailgate.store.people_tables import labelled
from mailgate.store.people_tables import search as search_table
from mailgate.store.privacy_holds import held
from mailgate.store.tables import content, decision, item, link, message, named
from mailgate.store.types import AnyRow
from mailgate.store.whose import Who, in_head, may_name, names_them, queued, spelled, wrote


def naming(connection: Connection, person: Who) -> list[str]:
    """Messages of others that may name the person: in the header section, in the envelope, in what
    was found out about them, or as whom a mail did not reach. Each is looked into before it is
    changed. This reads the head of every message there is: no index holds a Reply-To.
    """
    query = (
        select(item.c.queue_id)
        .join(content, content.c.sha256 == item.c.sha256)
        .join(message, message.c.queue_id == item.c.queue_id)
    )
    in_lists = select(named.c.queue_id).where(named.c.address_key == person.key)
    senders = spelled(connection, item.c.reverse_path, person.key)
    reasons = [
        in_head(content.c.octets, person.key, sqlite=connection.dialect.name == "sqlite"),
        item.c.queue_id.in_(in_lists),
        item.c.reverse_path.in_(senders),
        may_name(item.c.recipients, person.key),
        item.c.queue_id.in_(
            select(decision.c.queue_id).where(
                may_name(decision.c.sources, person.key) | may_name(decision.c.trace, person.key)
            )
        ),
        (message.c.automatic == "bounce") & may_name(message.c.text, person.key),
    ]
    of_account = [] if person.account_id is None else [message.c.account_id == person.account_id]
    found = connection.execute(query.where(or_(*reasons), *of_account))
    return sorted(set(found.scalars()))


def take_out_of(
    connection: Connection, queue_ids: Sequence[str], person: Who, now: datetime
) -> Counter[str]:
    """Take the person out of these messages, as far as they are of others and not kept."""
    query = (
        select(
            item,
            content.c.octets,
            message.c.text,
            message.c.automatic,
            message.c.rule,
            message.c.ticket,
        )
        .join(content, content.c.sha256 == item.c.sha256)
        .join(message, message.c.queue_id == item.c.queue_id)
        .where(item.c.queue_id.in_(queue_ids), ~_theirs(connection, person), ~held())
        .order_by(item.c.queue_id)
        .with_for_update(of=item)
    )
    done: Counter[str] = Counter()
    for row in connection.execute(query).all():
        if row.automatic == "bounce" and names(row.text, person.key):
            # A report about a mail to this person is nobody else's.
            done.update(forget(connection, [row.queue_id], "erasure", now))
        elif _rewrite(connection, row, person):
            done["rewritten_message"] += 1
    return done


def still_named(connection: Connection, person: Who) -> list[str]:
    """What came in meanwhile."""
    query = select(message.c.queue_id).where(names_them(person), ~held())
    return list(connection.execute(query.order_by(message.c.queue_id)).scalars())


def _theirs(connection: Connection, person: Who) -> ColumnElement[bool]:
    """What goes as a whole, hence is not to be rewritten before."""
    return func.coalesce(wrote(person), false()) | queued(connection, person)


def _rewrite(connection: Connection, row: AnyRow, person: Who) -> bool:
    """Whether anything of the message had to change."""
    key = person.key
    octets = take_out(row.octets, key, ERASED)
    changed = octets != row.octets
    values = _envelope(row, key)
    if changed:
        values["sha256"] = _exchange(connection, row, octets)
    if values:
        connection.execute(update(item).where(item.c.queue_id == row.queue_id).values(values))
        if changed:
            unused = ~exists().where(item.c.sha256 == content.c.sha256)
            old = content.c.sha256 == row.sha256
            connection.execute(delete(content).where(old, unused))
    listed = connection.execute(
        delete(named).where(named.c.queue_id == row.queue_id, named.c.address_key == key)
    ).rowcount
    judged = _decisions(connection, row.queue_id, key)
    if changed or listed:
        _find_anew(connection, row, octets, key)
    return bool(changed or values or listed or judged)


def _exchange(connection: Connection, row: AnyRow, octets: bytes) -> str:
    """Keep the new content in the place of the old; an answered link stays bound to it (L6)."""
    digest = sha256(octets).hexdigest()
    there = select(content.c.sha256).where(content.c.sha256 == digest)
    if connection.execute(there).first() is None:
        made = {"sha256": digest, "size": len(octets), "octets": octets}
        connection.execute(insert(content), made)
    connection.execute(
        update(link)
        .where(link.c.queue_id == row.queue_id, link.c.content_sha256 == row.sha256)
        .values(content_sha256=digest)
    )
    return digest


def _envelope(row: AnyRow, key: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    recipients = [address for address in row.recipients if address_key(address) != key]
    if recipients != row.recipients:
        values["recipients"] = recipients
    if row.reverse_path and address_key(row.reverse_path) == key:
        values["reverse_path"] = ERASED  # "" would say that no answer may be sent
    return values


def _decisions(connection: Connection, queue_id: str, key: str) -> int:
    """What was decided stays as it is; where a fact came from no longer names the person."""
    changed = 0
    columns = ("sources", "facts", "trace")
    query = select(decision).where(decision.c.queue_id == queue_id)
    for row in connection.execute(query).all():
        values = {}
        for name in columns:
            before = getattr(row, name)
            after = everywhere(before, lambda text: without(text, key, ERASED))
            if after != before:
                values[name] = after
        if values:
            connection.execute(update(decision).where(decision.c.id == row.id).values(values))
            changed += 1
    return changed


def _find_anew(connection: Connection, row: AnyRow, octets: bytes, key: str) -> None:
    """Make the words that find the message anew, without the person's."""
    query = select(search_table.c.words).where(search_table.c.queue_id == row.queue_id)
    kept = connection.execute(query).scalar()
    if kept is None:
        return
    if row.rule == history.BY_FAILURE:  # reading it may kill us: it was never read for its words
        return
    found = read(octets)
    marks = [word for word in kept.split(" ") if search.is_mark(word)]
    labels = select(labelled.c.label).where(labelled.c.queue_id == row.queue_id)
    names_ = list(connection.execute(labels).scalars())
    texts = history.found_by(found, row.entered_by, row.queue_id, row.ticket)
    search.write(connection, row.queue_id, texts, marks, names_)
    people = found.head.from_
    name = people[0].name if people and row.channel == "email" else ""
    connection.execute(
        update(message)
        .where(message.c.queue_id == row.queue_id)
        .values(author_name=without(name, key, ERASED))
    )
