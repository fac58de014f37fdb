"""Erasure of what a person wrote and of what we wrote to them, a few messages at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    delete,
    exists,
    false,
    func,
    or_,
    select,
    update,
)

from mailgate.model.addresses import address_key
from mailgate.model.directory import Language
from mailgate.privacy.spelling import everywhere, names, without
from mailgate.store import history
from mailgate.store.forget import forget, forget_tickets, lock_tickets
from mailgate.store.privacy_holds import held
from mailgate.store.retention_kept import HOLD, kept_contacts, kept_messages, kept_tickets
from mailgate.store.tables import item, message, outbox
from mailgate.store.tables import ticket as tickets
from mailgate.store.types import AnyRow
from mailgate.store.whose import Who, may_name, queued, sent_to, wrote

#: Stands in the place of an address.
ERASED = "erased"
#: Stands in the place of words.
WORDLESS: Mapping[Language, str] = MappingProxyType({"pl": "(usunięto)", "en": "(erased)"})

_AT_ONCE = 200


def forget_written(connection: Connection, person: Who, now: datetime) -> Counter[str]:
    """Some of the messages they wrote, the oldest first, with the tickets that are empty then."""
    query = select(message.c.queue_id).where(wrote(person), ~held())
    some = query.order_by(message.c.queue_id).limit(_AT_ONCE)
    ids = list(connection.execute(some).scalars()) or _undecided(connection, person)
    if not ids:
        return Counter()
    on = select(message.c.ticket).where(message.c.queue_id.in_(ids), message.c.ticket.is_not(None))
    numbers = sorted(connection.execute(on.distinct()).scalars())
    lock_tickets(connection, numbers)
    ended = _ends(connection, numbers)
    opened = _opened_by(connection, numbers, ids)
    gone = Counter(forget(connection, ids, "erasure", now, ended))
    left = exists().where(message.c.ticket == tickets.c.number)
    of_them = tickets.c.number.in_(numbers)
    empty = set(connection.execute(select(tickets.c.number).where(of_them, ~left)).scalars())
    gone.update(forget_tickets(connection, {n: ended[n] for n in empty}, "erasure", now))
    for number in numbers:
        if number not in empty:
            gone.update(_stays(connection, number, number in opened, person, now))
    return gone


def forget_sent(connection: Connection, person: Who) -> Counter[str]:
    """Some of our mails to them; what a hold keeps stays."""
    theirs = select(outbox.c.id).where(sent_to(person), ~_kept())
    some = theirs.order_by(outbox.c.id).limit(_AT_ONCE)
    ids = list(connection.execute(some).scalars())
    if not ids:
        return Counter()
    return Counter(outbox=connection.execute(delete(outbox).where(outbox.c.id.in_(ids))).rowcount)


def forget_in_sent(connection: Connection, person: Who) -> Counter[str]:
    """Our mails to others that name the person: the address goes, the mail stays."""
    changed = 0
    for row in connection.execute(select(outbox).where(_in_sent(person), ~_kept())).all():
        if row.to_key == person.key:
            continue  # theirs: a hold keeps it
        values = _without(row, person.key)
        if values:
            connection.execute(update(outbox).where(outbox.c.id == row.id).values(values))
            changed += 1
    return Counter({"rewritten_outbox": changed} if changed else {})


def held_sent(connection: Connection, person: Who) -> int:
    """Our mails to them, or that name them, that a hold keeps: they are erased once it ends."""
    to_them = select(func.count()).where(sent_to(person), _kept())
    count: int = connection.execute(to_them).scalar_one()
    of_others = select(outbox).where(_in_sent(person), outbox.c.to_key != person.key, _kept())
    return count + sum(bool(_without(row, person.key)) for row in connection.execute(of_others))


def _kept() -> ColumnElement[bool]:
    """A mail of ours that a hold keeps: with its ticket or its message, or as a letter to somebody
    of an account."""
    kept = or_(
        outbox.c.ticket.in_(kept_tickets(HOLD)),
        outbox.c.queue_id.in_(kept_messages(HOLD)),
        outbox.c.ticket.is_(None) & outbox.c.contact_id.in_(kept_contacts(HOLD)),
    )
    return func.coalesce(kept, false())


def _in_sent(person: Who) -> ColumnElement[bool]:
    columns = (outbox.c.details, outbox.c.cc, outbox.c.to_address, outbox.c.last_reply)
    return or_(*(may_name(column, person.key) for column in columns))


def _undecided(connection: Connection, person: Who) -> list[str]:
    of_account = func.coalesce(item.c.account_id.in_(HOLD.accounts), false())
    kept = or_(of_account, item.c.queue_id.in_(kept_messages(HOLD)))
    query = select(item.c.queue_id).where(queued(connection, person), ~kept)
    return list(connection.execute(query.order_by(item.c.queue_id).limit(_AT_ONCE)).scalars())


def _ends(connection: Connection, numbers: Sequence[int]) -> dict[int, datetime]:
    """When the communication on these tickets ended: what remains is kept from then on."""
    query = select(
        tickets.c.number, func.coalesce(tickets.c.closed_at, tickets.c.updated_at).label("at")
    )
    found = connection.execute(query.where(tickets.c.number.in_(numbers)))
    return {row.number: row.at for row in found}


def _opened_by(connection: Connection, numbers: Sequence[int], ids: Sequence[str]) -> set[int]:
    """Tickets whose first message is one of these: queue ids begin with the time."""
    first = (
        select(message.c.ticket, func.min(message.c.queue_id).label("first"))
        .where(message.c.ticket.in_(numbers))
        .group_by(message.c.ticket)
    )
    mine = set(ids)
    return {row.ticket for row in connection.execute(first) if row.first in mine}


def _stays(
    connection: Connection, number: int, opened: bool, person: Who, now: datetime
) -> Counter[str]:
    """A ticket on which others wrote too: it loses the person's subject and their name, and our
    answers to the others lose what they quote."""
    row = connection.execute(select(tickets).where(tickets.c.number == number)).one()
    values: dict[str, object] = {}
    if opened:
        values["subject"] = WORDLESS[row.language]
    if row.opener_id in person.contact_ids:
        values["opener_id"] = None
    if values:
        connection.execute(update(tickets).where(tickets.c.number == number).values(values))
    history.set_standing(connection, number, now)
    changed = 0
    on_it = and_(outbox.c.ticket == number, outbox.c.to_key != person.key)
    for sent in connection.execute(select(outbox).where(on_it)).all():
        details = _unquoted(sent, row.subject if opened else None)
        if details != sent.details:
            connection.execute(update(outbox).where(outbox.c.id == sent.id).values(details=details))
            changed += 1
    return Counter({"rewritten_outbox": changed} if changed else {})


def _unquoted(sent: AnyRow, subject: str | None) -> dict[str, str]:
    """What a mail of ours says, without lines that quote, and without a subject of theirs."""
    word = WORDLESS[sent.language]
    details = dict(sent.details)
    if "text" in details:
        lines = details["text"].split("\n")
        details["text"] = "\n".join(f"> {word}" if ln.startswith(">") else ln for ln in lines)
    if subject is not None and "subject" in details:
        details["subject"] = word
    return details


def _without(row: AnyRow, key: str) -> dict[str, object]:
    """The columns of a mail of ours to others that change once an address is taken out."""
    values: dict[str, object] = {}
    details = everywhere(row.details, lambda text: without(text, key, ERASED))
    if details != row.details:
        values["details"] = details
    said = without(row.last_reply, key, ERASED)  # as where another address sends on to theirs
    if said != row.last_reply:
        values["last_reply"] = said
    cc = [address for address in row.cc if address_key(address) != key]
    if cc != row.cc:
        values["cc"] = cc
    if names(row.to_address, key) and row.envelope_to:
        # A copy of a mail to them: it stays as a mail to whoever got the copy.
        to = address_key(row.envelope_to)
        values |= {"to_address": row.envelope_to, "to_name": "", "envelope_to": None}
        values["cc"] = [address for address in cc if address_key(address) != to]
    return values
