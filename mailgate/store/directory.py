"""The directory: accounts with contacts, services and shares, replaced as a whole and read back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, delete, insert, select, update

from mailgate.model.addresses import address_key, normalise
from mailgate.model.directory import Account, AccountEntry, Contact, Service
from mailgate.model.notice import Notice
from mailgate.model.views import Page
from mailgate.store import cursors, events, rows, waiting
from mailgate.store.access_tokens import end_tokens, record_ended
from mailgate.store.engine import Database
from mailgate.store.paused import is_paused
from mailgate.store.people_tables import session
from mailgate.store.tables import account, contact, outbox, service, share
from mailgate.store.types import AnyRow

_Owned = TypeVar("_Owned", Contact, Service)
ToldGone = Callable[[Contact, Account], Notice]
"""Writes the mail to a contact who is none any more; pure, called inside the transaction."""


class _OnlyTrying(Exception):
    """Leaves the transaction of a dry run, so that it is rolled back."""


class Directory:
    """Import, export and search of the directory."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def import_entries(
        self,
        entries: Sequence[AccountEntry],
        now: datetime,
        who: str | None = None,
        *,
        dry_run: bool = False,
        told: ToldGone | None = None,
    ) -> dict[str, int]:
        """Make the accounts named by the entries exactly what the entries say, all or nothing;
        mail that waits for a changed account is decided again.

        Other accounts are left alone. A contact whose address and a service whose identifier stays
        keeps its id, and with it its history; one that is gone for a while gets a new id. Ids in
        the entries only say what is shared with whom. Gives how many rows were added, changed and
        removed, as `{"contacts added": 2, …}`.

        Access tokens and sessions of a contact that is gone end, and whoever had a token is told so
        by the mail that `told` writes (promise L15).
        """
        done: Counter[str] = Counter()
        ended: list[AnyRow] = []
        # Trying out ends by an exception, so that the transaction is undone.
        with suppress(_OnlyTrying), self._database.writing() as connection:
            for entry in sorted(entries, key=lambda e: e.account.id):
                ended += _end_access(connection, entry, now, told)
                _import_account(connection, entry, now, done)
            if dry_run:
                raise _OnlyTrying
            events.record(
                connection,
                now,
                "directory-imported",
                who=who,
                subject="directory",
                changes=dict(done),
            )
            record_ended(connection, now, "contact-removed", who, ended)
        return dict(done)

    def export(self, account_id: str | None = None) -> list[AccountEntry]:
        """All accounts by id, or the one asked for; contacts and services by address and name."""
        with self._database.reading() as connection:
            query = select(account).order_by(account.c.id)
            if account_id is not None:
                query = query.where(account.c.id == account_id)
            accounts = [rows.account_of(row) for row in connection.execute(query)]
            return entries(connection, accounts, whole=account_id is None)

    def of_address(self, address: str) -> list[AccountEntry]:
        """The accounts that have a contact with this address."""
        with self._database.reading() as connection:
            key = contact.c.address_key == address_key(address)
            query = select(account).where(account.c.id.in_(select(contact.c.account_id).where(key)))
            accounts = [rows.account_of(row) for row in connection.execute(query)]
            return entries(connection, accounts, whole=False)

    def contacts(
        self,
        *,
        account_id: str | None = None,
        address: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Contact]:
        """Contacts in the order they were added. Raises `BadCursor`."""
        query = select(contact).order_by(contact.c.id).limit(limit + 1)
        if account_id is not None:
            query = query.where(contact.c.account_id == account_id)
        if address is not None:
            query = query.where(contact.c.address_key == address_key(address))
        if after is not None:
            query = query.where(contact.c.id > cursors.read_number(after))
        with self._database.reading() as connection:
            found = [rows.contact_of(row) for row in connection.execute(query)]
        more = len(found) > limit
        return Page(tuple(found[:limit]), str(found[limit - 1].id) if more else None)


def _end_access(
    connection: Connection, entry: AccountEntry, now: datetime, told: ToldGone | None
) -> list[AnyRow]:
    """End what contacts have who are about to go; gives the tokens that ended."""
    staying = {address_key(one.address) for one in entry.contacts}
    query = select(contact).where(contact.c.account_id == entry.account.id)
    gone = [row for row in connection.execute(query) if row.address_key not in staying]
    ended: list[AnyRow] = []
    for row in gone:
        connection.execute(delete(session).where(session.c.contact_id == row.id))
        tokens = end_tokens(connection, now, "contact-removed", contact_id=row.id)
        ended += tokens
        if told is not None and any(token.expires_at > now for token in tokens):
            notice = told(rows.contact_of(row), entry.account)
            if not is_paused(connection, notice.to):
                connection.execute(insert(outbox), rows.notice_row(notice, now))
    return ended


def _import_account(
    connection: Connection, entry: AccountEntry, now: datetime, done: Counter[str]
) -> None:
    before = done.total()
    wanted = entry.account
    values = {"company": wanted.company, "language": wanted.language, "updated_at": now}
    query = select(account).where(account.c.id == wanted.id).with_for_update()
    found = connection.execute(query).first()
    if found is None:
        connection.execute(insert(account), {"id": wanted.id, **values})
        done["accounts added"] += 1
    elif rows.account_of(found) != wanted:
        connection.execute(update(account).where(account.c.id == wanted.id).values(values))
        done["accounts changed"] += 1
    contacts = _merge(
        connection,
        contact,
        wanted.id,
        "address_key",
        {c.id: _contact_values(c) for c in entry.contacts},
        done,
    )
    services = _merge(
        connection,
        service,
        wanted.id,
        "identifier",
        {s.id: {"identifier": s.identifier, "name": s.name} for s in entry.services},
        done,
    )
    _merge_shares(
        connection,
        {(contacts[who], services[what]) for who, what in entry.shares},
        set(contacts.values()),
        done,
    )
    if done.total() > before:
        waiting.revise(connection, wanted.id, [c.address for c in entry.contacts], now)


def _contact_values(one: Contact) -> dict[str, Any]:
    return {
        "address": normalise(one.address),
        "address_key": address_key(one.address),
        "role": one.role,
        "name": one.name,
        "language": one.language,
    }


def _merge(
    connection: Connection,
    table: Table,
    account_id: str,
    natural: str,
    wanted: dict[int, dict[str, Any]],
    done: Counter[str],
) -> dict[int, int]:
    """Make the account's rows of a table the wanted ones; gives the id of each in the database.

    Rows are told apart by their natural key. Old rows go before new ones come, and a row becomes
    `main` last: there is only one main contact at a time.
    """
    query = select(table).where(table.c.account_id == account_id)
    existing = {getattr(row, natural): row for row in connection.execute(query)}
    gone = [row.id for key, row in existing.items() if key not in _naturals(wanted, natural)]
    if gone:
        connection.execute(delete(table).where(table.c.id.in_(gone)))
        done[f"{table.name}s removed"] += len(gone)
    ids: dict[int, int] = {}
    for local, values in sorted(wanted.items(), key=lambda pair: pair[1].get("role") == "main"):
        row = existing.get(values[natural])
        if row is None:
            made = connection.execute(insert(table), {"account_id": account_id, **values})
            ids[local] = made.inserted_primary_key[0]  # type: ignore[index] # it has one
            done[f"{table.name}s added"] += 1
            continue
        ids[local] = row.id
        if any(getattr(row, name) != value for name, value in values.items()):
            connection.execute(update(table).where(table.c.id == row.id).values(values))
            done[f"{table.name}s changed"] += 1
    return ids


def _naturals(wanted: dict[int, dict[str, Any]], natural: str) -> set[Any]:
    return {values[natural] for values in wanted.values()}


def _merge_shares(
    connection: Connection,
    wanted: set[tuple[int, int]],
    contacts: set[int],
    done: Counter[str],
) -> None:
    query = select(share).where(share.c.contact_id.in_(contacts))
    existing = {(row.contact_id, row.service_id) for row in connection.execute(query)}
    for who, what in sorted(existing - wanted):
        pair = (share.c.contact_id == who, share.c.service_id == what)
        connection.execute(delete(share).where(*pair))
        done["shares removed"] += 1
    new = [{"contact_id": who, "service_id": what} for who, what in sorted(wanted - existing)]
    if new:
        connection.execute(insert(share), new)
        done["shares added"] += len(new)


def entries(
    connection: Connection, accounts: Sequence[Account], *, whole: bool
) -> list[AccountEntry]:
    """The accounts with all that is theirs, in three queries however many there are."""
    ids = {one.id for one in accounts}
    contacts = select(contact).order_by(contact.c.address_key)
    services = select(service).order_by(service.c.identifier)
    shares = select(share, contact.c.account_id).join(contact, contact.c.id == share.c.contact_id)
    if not whole:
        contacts = contacts.where(contact.c.account_id.in_(ids))
        services = services.where(service.c.account_id.in_(ids))
        shares = shares.where(contact.c.account_id.in_(ids))
    by_contact = _grouped(rows.contact_of(row) for row in connection.execute(contacts))
    by_service = _grouped(rows.service_of(row) for row in connection.execute(services))
    pairs: dict[str, set[tuple[int, int]]] = {}
    for row in connection.execute(shares):
        pairs.setdefault(row.account_id, set()).add((row.contact_id, row.service_id))
    return [
        AccountEntry(
            account=one,
            contacts=tuple(by_contact.get(one.id, ())),
            services=tuple(by_service.get(one.id, ())),
            shares=frozenset(pairs.get(one.id, ())),
        )
        for one in accounts
    ]


def _grouped(found: Iterable[_Owned]) -> dict[str, list[_Owned]]:
    groups: dict[str, list[_Owned]] = {}
    for one in found:
        groups.setdefault(one.account_id, []).append(one)
    return groups
