"""Changes of the directory by people, one at a time; mail that waits is decided again at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from mailgate.model.directory import Language, Role
from mailgate.model.web_ports import Refused
from mailgate.store import events, waiting
from mailgate.store.access_tokens import end_tokens, record_ended
from mailgate.store.authority import lock_account
from mailgate.store.engine import Database
from mailgate.store.people_tables import session
from mailgate.store.tables import account, contact, service, share
from mailgate.store.types import AnyRow, storable


class Edits:
    """`DirectoryEdits` over a database. The account's row is locked by each, so that two edits of
    one account come one after the other."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set_account(
        self, account_id: str, company: str, language: Language, who: str, now: datetime
    ) -> bool:
        values = {"company": company, "language": language}
        with self._database.writing() as connection:
            before = lock_account(connection, account_id, who)
            if before is None:
                return False
            changes = _differences(before, values)
            if changes:
                connection.execute(
                    update(account)
                    .where(account.c.id == account_id)
                    .values(updated_at=now, **values)
                )
                _record(connection, now, "account-changed", who, f"account:{account_id}", changes)
        return True

    def set_contact(
        self,
        account_id: str,
        contact_id: int,
        *,
        name: str,
        role: Role,
        language: Language | None,
        signs_in: bool,
        who: str,
        now: datetime,
    ) -> bool:
        """Everything but the address. Raises `Refused("main-stays")` where the role would make or
        unmake the main contact, or he could not sign in any more: that is a `Change`."""
        values = {"name": name, "role": role, "language": language, "signs_in": signs_in}
        with self._database.writing() as connection:
            before = _contact(connection, account_id, contact_id, who)
            if before is None:
                return False
            if (before.role == "main") != (role == "main"):
                raise Refused("main-stays")
            if role == "main" and not signs_in:
                raise Refused("main-stays")
            changes = _differences(before, values)
            if not changes:
                return True
            connection.execute(update(contact).where(contact.c.id == before.id).values(values))
            ended: list[AnyRow] = []
            if not signs_in:
                ended = end_tokens(connection, now, "may-not-sign-in", contact_id=before.id)
                connection.execute(delete(session).where(session.c.contact_id == before.id))
            if "role" in changes:
                waiting.revise(connection, account_id, [before.address], now)
            _record(connection, now, "contact-changed", who, f"contact:{before.id}", changes)
            record_ended(connection, now, "may-not-sign-in", who, ended)
        return True

    def remove_contact(self, account_id: str, contact_id: int, who: str, now: datetime) -> bool:
        """Raises `Refused("main-stays")` for the main contact."""
        with self._database.writing() as connection:
            row = _contact(connection, account_id, contact_id, who)
            if row is None:
                return False
            if row.role == "main":
                raise Refused("main-stays")
            ended = end_tokens(connection, now, "contact-removed", contact_id=row.id)
            connection.execute(delete(session).where(session.c.contact_id == row.id))
            connection.execute(delete(share).where(share.c.contact_id == row.id))
            connection.execute(delete(contact).where(contact.c.id == row.id))
            waiting.revise(connection, account_id, [row.address], now)
            gone = {"address": row.address, "role": row.role}
            _record(connection, now, "contact-removed", who, f"contact:{row.id}", gone)
            record_ended(connection, now, "contact-removed", who, ended)
        return True

    def set_shares(
        self, account_id: str, shares: frozenset[tuple[int, int]], who: str, now: datetime
    ) -> bool:
        """Make the pairs (contact id, service id) of the account exactly these."""
        with self._database.writing() as connection:
            if lock_account(connection, account_id, who) is None:
                return False
            people = _people(connection, account_id)
            things = _things(connection, account_id)
            if not all(who_ in people and what in things for who_, what in shares):
                return False
            query = select(share).where(share.c.contact_id.in_(people))
            before = {(row.contact_id, row.service_id) for row in connection.execute(query)}
            gone, new = sorted(before - shares), sorted(shares - before)
            if not gone and not new:
                return True
            for who_, what in gone:
                pair = (share.c.contact_id == who_, share.c.service_id == what)
                connection.execute(delete(share).where(*pair))
            if new:
                pairs = [{"contact_id": who_, "service_id": what} for who_, what in new]
                connection.execute(insert(share), pairs)
            addresses = [people[who_] for who_ in {pair[0] for pair in (*gone, *new)}]
            waiting.revise(connection, account_id, addresses, now)
            changes = {"shared": new, "unshared": gone}
            _record(connection, now, "shares-changed", who, f"account:{account_id}", changes)
        return True


def _contact(connection: Connection, account_id: str, contact_id: int, who: str) -> AnyRow | None:
    """A contact of this account; the account is locked."""
    if lock_account(connection, account_id, who) is None:
        return None
    return connection.execute(
        select(contact).where(
            contact.c.id == storable(contact_id), contact.c.account_id == account_id
        )
    ).first()


def _people(connection: Connection, account_id: str) -> dict[int, str]:
    """The address of each contact of the account, by id."""
    query = select(contact.c.id, contact.c.address).where(contact.c.account_id == account_id)
    return {row.id: row.address for row in connection.execute(query)}


def _things(connection: Connection, account_id: str) -> set[int]:
    query = select(service.c.id).where(service.c.account_id == account_id)
    return set(connection.execute(query).scalars())


def _differences(before: AnyRow, values: Mapping[str, object]) -> dict[str, object]:
    return {
        name: [getattr(before, name), value]
        for name, value in values.items()
        if getattr(before, name) != value
    }


def _record(
    connection: Connection,
    now: datetime,
    what: str,
    who: str,
    subject: str,
    changes: Mapping[str, object],
) -> None:
    events.record(connection, now, what, who=who, subject=subject, changes=changes)
