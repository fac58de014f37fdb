"""Changes of addresses: a new one counts once its owner said yes, the main one once both have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, update

from mailgate.model.addresses import address_key
from mailgate.model.notice import Notice
from mailgate.model.outcome import Composed
from mailgate.model.people import Change, PendingChange, Side
from mailgate.model.web_ports import Refused, Tell
from mailgate.settings import Limits
from mailgate.store import events, paused, replace_address, rows
from mailgate.store.access_tokens import issue_within, record_ended
from mailgate.store.authority import lock_account
from mailgate.store.engine import Database
from mailgate.store.limits import letter_exceeded
from mailgate.store.people_tables import change
from mailgate.store.tables import account, contact, outbox
from mailgate.store.types import AnyRow, storable

#: Changes of one account that may wait at a time: each mails somebody who may not know us.
_WAITING = 10


class Changes:
    """`ChangeStore` over a database."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits

    def ask(self, change_: Change, notices: Sequence[Notice], now: datetime) -> Change:
        """Keep a change (its `id` is not looked at) and mail its links.

        An earlier change to the same address gives way. Raises `Refused`: "address-taken" (a
        contact of the account has it), "too-many" (limits), "not-found" (no such contact).
        """
        asked = change_
        with self._database.writing() as connection:
            if lock_account(connection, asked.account_id, asked.requested_by) is None:
                raise Refused("not-found")
            _require_contact(connection, asked)
            if asked.kind != "main" and _taken(connection, asked):
                raise Refused("address-taken")
            self._require_room(connection, asked, notices, now)
            same = change.c.new_key == address_key(asked.new_address)
            connection.execute(
                update(change)
                .where(change.c.account_id == asked.account_id, change.c.state == "open", same)
                .values(state="cancelled", decided_at=now)
            )
            names = set(Change.__dataclass_fields__) - {"id"}
            values = {name: getattr(asked, name) for name in names}
            values |= {"new_key": address_key(asked.new_address), "state": "open", "tries": 0}
            row = connection.execute(insert(change).values(values).returning(*change.c)).one()
            connection.execute(insert(outbox), [rows.notice_row(n, now) for n in notices])
            _record(connection, now, "change-asked", asked.requested_by, row)
        return _change_of(row)

    def of_account(self, account_id: str, now: datetime) -> list[Change]:
        """Changes that still wait, newest first."""
        query = select(change).where(change.c.account_id == account_id, _waits(now))
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(change.c.id.desc()))
            return [_change_of(row) for row in found]

    def find(self, token_sha256: str, now: datetime) -> PendingChange | None:  # noqa: ARG002 - the port's signature
        """By one of its links; also one that is decided or expired, so that the page can say so."""
        query = (
            select(change, account.c.company, account.c.language.label("speaks"))
            .join(account, account.c.id == change.c.account_id)
            .where(_by_token(token_sha256))
        )
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        language = row.language or row.speaks
        return PendingChange(_change_of(row), _side(row, token_sha256), row.company, language)

    def count_try(self, change_id: int) -> int:
        """Count one code that was typed, before it is looked at; gives the tries so far."""
        with self._database.writing() as connection:
            tries = connection.execute(
                update(change)
                .where(change.c.id == storable(change_id))
                .values(tries=change.c.tries + 1)
                .returning(change.c.tries)
            ).scalar()
        return tries or 0

    def confirm(self, token_sha256: str, now: datetime, tell: Tell) -> Change | None:
        """One side says yes. Once all have, the directory changes, the mails of `tell` go out,
        tokens and sessions of a replaced address end, and waiting messages are decided again.

        None where it cannot be confirmed any more. Raises `Refused("address-taken")`.
        """
        with self._database.writing() as connection:
            row = _lock(connection, token_sha256, now)
            if row is None:
                return None
            side = _side(row, token_sha256)
            row = _stamp(connection, row, side, now)
            made = _change_of(row)
            by = made.new_address if side == "new" else made.old_address
            paused.works(connection, by, now)
            if not all(getattr(made, f"confirmed_{s}_at") for s in made.sides):
                _record(connection, now, "change-confirmed", by, row, side=side)
                return made
            ended = replace_address.perform(connection, made, now)
            if ended is None:
                _settle(connection, row, "cancelled", now)
                return None
            row = _settle(connection, row, "done", now)
            people = select(contact).where(contact.c.account_id == row.account_id)
            now_there = tuple(rows.contact_of(r) for r in connection.execute(people))
            made = _change_of(row)
            self._tell(connection, made, tell(made, now_there), now)
            _record(connection, now, "change-done", by, row, side=side)
            record_ended(connection, now, "address-changed", by, ended)
        return made

    def _tell(
        self, connection: Connection, made: Change, composed: Composed, now: datetime
    ) -> None:
        if composed.notices:
            mails = [rows.notice_row(notice, now) for notice in composed.notices]
            connection.execute(insert(outbox), mails)
        token = composed.token
        if token is not None and not letter_exceeded(
            connection, self._limits, now, to=token.notice.to, template=token.notice.template
        ):
            issue_within(connection, token, made.requested_by, now)

    def refuse(self, token_sha256: str, now: datetime) -> bool:
        """One side says no, and that is the end of it."""
        with self._database.writing() as connection:
            row = _lock(connection, token_sha256, now)
            if row is None:
                return False
            side = _side(row, token_sha256)
            _settle(connection, row, "refused", now)
            by = row.new_address if side == "new" else row.old_address
            _record(connection, now, "change-refused", by, row, side=side)
        return True

    def cancel(self, change_id: int, account_id: str, who: str, now: datetime) -> bool:
        with self._database.writing() as connection:
            if lock_account(connection, account_id, who) is None:
                return False
            row = connection.execute(
                update(change)
                .where(
                    change.c.id == storable(change_id),
                    change.c.account_id == account_id,
                    change.c.state == "open",
                )
                .values(state="cancelled", decided_at=now)
                .returning(*change.c)
            ).first()
            if row is None:
                return False
            _record(connection, now, "change-cancelled", who, row)
        return True

    def _require_room(
        self, connection: Connection, asked: Change, notices: Sequence[Notice], now: datetime
    ) -> None:
        query = select(func.count()).where(change.c.account_id == asked.account_id, _waits(now))
        full = connection.execute(query).scalar_one() >= _WAITING
        if full or any(
            letter_exceeded(connection, self._limits, now, to=n.to, template=n.template)
            for n in notices
        ):
            raise Refused("too-many")


def _waits(now: datetime) -> Any:
    return (change.c.state == "open") & (change.c.expires_at > now)


def _by_token(token_sha256: str) -> Any:
    return or_(change.c.new_sha256 == token_sha256, change.c.old_sha256 == token_sha256)


def _side(row: AnyRow, token_sha256: str) -> Side:
    return "new" if row.new_sha256 == token_sha256 else "old"


def _lock(connection: Connection, token_sha256: str, now: datetime) -> AnyRow | None:
    """The open change behind a link, with its account: two edits of one account never mix."""
    found = connection.execute(select(change).where(_by_token(token_sha256))).first()
    if found is None:
        return None
    of = select(account.c.id).where(account.c.id == found.account_id).with_for_update()
    if connection.execute(of).first() is None:
        return None
    query = select(change).where(change.c.id == found.id, _waits(now)).with_for_update()
    return connection.execute(query).first()


def _require_contact(connection: Connection, asked: Change) -> None:
    """The contact whose address it is: of this account, with that address, main or not."""
    if asked.kind == "add":
        if asked.contact_id is not None or asked.role == "main":
            raise Refused("not-found")
        return
    query = select(contact).where(
        contact.c.id == storable(asked.contact_id), contact.c.account_id == asked.account_id
    )
    row = connection.execute(query).first()
    same = row is not None and row.address_key == address_key(asked.old_address)
    if row is None or not same or (row.role == "main") != (asked.kind == "main"):
        raise Refused("not-found")
    if row.address_key == address_key(asked.new_address):
        raise Refused("address-taken")


def _taken(connection: Connection, asked: Change) -> bool:
    query = select(contact.c.id).where(
        contact.c.account_id == asked.account_id,
        contact.c.address_key == address_key(asked.new_address),
    )
    return connection.execute(query).first() is not None


def _stamp(connection: Connection, row: AnyRow, side: Side, now: datetime) -> AnyRow:
    column = f"confirmed_{side}_at"
    return connection.execute(
        update(change)
        .where(change.c.id == row.id)
        .values({column: getattr(row, column) or now})
        .returning(*change.c)
    ).one()


def _settle(connection: Connection, row: AnyRow, state: str, now: datetime) -> AnyRow:
    return connection.execute(
        update(change)
        .where(change.c.id == row.id)
        .values(state=state, decided_at=now)
        .returning(*change.c)
    ).one()


def _record(
    connection: Connection, now: datetime, what: str, who: str, row: AnyRow, **why: Any
) -> None:
    events.record(
        connection,
        now,
        what,
        who=who,
        subject=f"account:{row.account_id}",
        change=row.id,
        kind=row.kind,
        old=row.old_address,
        new=row.new_address,
        **why,
    )


def _change_of(row: AnyRow) -> Change:
    return Change(**{name: getattr(row, name) for name in Change.__dataclass_fields__})
