"""Erasure of everything but mail: tokens, sessions, changes, events, and the directory itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Table,
    delete,
    func,
    or_,
    select,
    update,
)

from mailgate.privacy.spelling import everywhere, names, without
from mailgate.store import waiting
from mailgate.store.authority import lock_account
from mailgate.store.erasure_mail import ERASED
from mailgate.store.people_tables import (
    access_token,
    attempt,
    audit,
    change,
    saved_view,
    session,
    signin,
)
from mailgate.store.privacy_tables import claim_record, correction, privacy_request
from mailgate.store.tables import account, contact, event, link, paused_address, service, share
from mailgate.store.whose import Who, changes_of, may_name, spelled

#: Where an address stands as it is in a row that stays: who did something, whom a link asked.
_STAYING: tuple[tuple[Table, Column[Any]], ...] = (
    (event, event.c.who),
    (link, link.c.address),
    (change, change.c.requested_by),
    (access_token, access_token.c.issued_by),
    # Of a contact that has another address by now, and may be somebody else.
    (correction, correction.c.old),
    (correction, correction.c.new),
)


def forget_rest(connection: Connection, person: Who, now: datetime, *, ends: bool) -> Counter[str]:
    """All at once, the directory first: accounts are locked before anything else of theirs."""
    gone = _directory(connection, person, now, ends=ends)
    for table, which in _going(connection, person):
        gone[table.name] += connection.execute(delete(table).where(which)).rowcount
    for table, column in _STAYING:
        found = spelled(connection, column, person.key)
        if found:
            values = {column.name: ERASED}
            changed = connection.execute(update(table).where(column.in_(found)).values(values))
            gone[f"rewritten_{table.name}"] += changed.rowcount
    gone["rewritten_event"] += _events(connection, person)
    gone["saved_view"] += _saved_views(connection, person)
    texts = privacy_request.c.address_key == person.key, privacy_request.c.text != ""
    emptied = connection.execute(update(privacy_request).where(*texts).values(text=""))
    gone["rewritten_privacy_request"] += emptied.rowcount
    return Counter({name: count for name, count in gone.items() if count})


def counted(connection: Connection, person: Who, *, ends: bool) -> Counter[str]:
    """What `forget_rest` would remove, without the rows that only lose an address."""
    found = Counter(
        {
            table.name: connection.execute(
                select(func.count()).select_from(table).where(which)
            ).scalar_one()
            for table, which in _going(connection, person)
        }
    )
    leaving, _ = _leaving(connection, person, ends=ends)
    found["contact"] = len(leaving)
    return Counter({name: count for name, count in found.items() if count})


def kept(connection: Connection, person: Who, *, ends: bool) -> Counter[str]:
    """What stays although it is theirs: in the audit log and as evidence for their windows, in the
    directory while the contract lasts."""
    by = spelled(connection, audit.c.who, person.key)
    entries = select(func.count()).select_from(audit)
    logged = or_(audit.c.who.in_(by), audit.c.subject.in_(_subjects(person)))
    records = select(func.count()).where(claim_record.c.contact_id.in_(person.contact_ids))
    requests = select(func.count()).where(privacy_request.c.address_key == person.key)
    _, staying = _leaving(connection, person, ends=ends)
    found = {
        "security": connection.execute(entries.where(logged)).scalar_one(),
        "claims": connection.execute(records).scalar_one(),
        "requests": connection.execute(requests).scalar_one(),
        "main": len(staying),
    }
    return Counter({name: count for name, count in found.items() if count})


def _going(connection: Connection, person: Who) -> list[tuple[Table, ColumnElement[bool]]]:
    """Rows that go, by table. What is known by the address alone goes with all accounts only."""
    ids, key = person.contact_ids, person.key
    found: list[tuple[Table, ColumnElement[bool]]] = [
        (session, session.c.contact_id.in_(ids)),
        (correction, correction.c.contact_id.in_(ids)),
    ]
    if person.account_id is not None:
        of_account = access_token.c.account_id == person.account_id
        return [
            *found,
            (signin, signin.c.contact_id.in_(ids)),
            (access_token, access_token.c.contact_id.in_(ids) & of_account),
            (change, changes_of(connection, person) & (change.c.account_id == person.account_id)),
        ]
    signed = spelled(connection, signin.c.address, key)
    issued = spelled(connection, access_token.c.address, key)
    return [
        *found,
        (signin, signin.c.contact_id.in_(ids) | signin.c.address.in_(signed)),
        (access_token, access_token.c.contact_id.in_(ids) | access_token.c.address.in_(issued)),
        (change, changes_of(connection, person)),
        (paused_address, paused_address.c.address_key == key),
        (attempt, attempt.c.key.in_(_naming(connection, attempt.c.key, key))),
    ]


def _naming(connection: Connection, column: Column[Any], key: str) -> list[str]:
    query = select(column).distinct().where(may_name(column, key))
    return [value for value in connection.execute(query).scalars() if names(value, key)]


def _events(connection: Connection, person: Who) -> int:
    """The trail of what happened stays; it is no proof of anything, so the address goes."""
    changed = 0
    query = select(event).where(may_name(event.c.why, person.key))
    for row in connection.execute(query).all():
        why = everywhere(row.why, lambda text: without(text, person.key, ERASED))
        if why != row.why:
            connection.execute(update(event).where(event.c.id == row.id).values(why=why))
            changed += 1
    return changed


def _saved_views(connection: Connection, person: Who) -> int:
    """A list that staff saved under somebody's address."""
    found = [
        row.id
        for row in connection.execute(select(saved_view))
        if any(names(said, person.key) for said in (row.name, *_asked(row.query)))
    ]
    if not found:
        return 0
    return connection.execute(delete(saved_view).where(saved_view.c.id.in_(found))).rowcount


def _asked(query: str) -> list[str]:
    return [value for _, value in parse_qsl(query)]


def _leaving(
    connection: Connection, person: Who, *, ends: bool
) -> tuple[Sequence[Any], Sequence[Any]]:
    """Contacts that leave the directory, and main contacts that stay while the contract lasts
    (GDPR Art. 17(1)(a): their data is still needed)."""
    query = select(contact).where(contact.c.id.in_(person.contact_ids)).order_by(contact.c.id)
    found = connection.execute(query).all()
    leaving = [row for row in found if ends or row.role != "main"]
    return leaving, [row for row in found if row not in leaving]


def _directory(connection: Connection, person: Who, now: datetime, *, ends: bool) -> Counter[str]:
    gone: Counter[str] = Counter()
    leaving, _ = _leaving(connection, person, ends=ends)
    for row in sorted(leaving, key=lambda one: one.account_id):
        lock_account(connection, row.account_id, "")
        waiting.revise(connection, row.account_id, [row.address], now)
        shares = delete(share).where(share.c.contact_id == row.id)
        gone["share"] += connection.execute(shares).rowcount
        gone["contact"] += connection.execute(
            delete(contact).where(contact.c.id == row.id)
        ).rowcount
        if row.role == "main":
            gone.update(_empty_account(connection, row.account_id))
    return gone


def _empty_account(connection: Connection, account_id: str) -> Counter[str]:
    """The account goes with its last contact: its company may be a person's name."""
    others = select(contact.c.id).where(contact.c.account_id == account_id)
    if connection.execute(others).first() is not None:
        return Counter()
    services = connection.execute(delete(service).where(service.c.account_id == account_id))
    accounts = connection.execute(delete(account).where(account.c.id == account_id))
    return Counter(service=services.rowcount, account=accounts.rowcount)


def _subjects(person: Who) -> list[str]:
    return [f"contact:{number}" for number in person.contact_ids]
