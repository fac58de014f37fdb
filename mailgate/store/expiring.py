"""Access tokens that end soon: each owner is warned of it, as often as the settings say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, insert, or_, select, update

from mailgate.model.addresses import same_address
from mailgate.model.directory import Account, Contact
from mailgate.model.notice import Notice
from mailgate.model.people import AccessToken
from mailgate.settings import Limits
from mailgate.store import events, rows
from mailgate.store.access_tokens import lock_contact
from mailgate.store.engine import Database
from mailgate.store.limits import letter_exceeded
from mailgate.store.people_tables import access_token
from mailgate.store.privacy_tables import privacy_restriction
from mailgate.store.tables import account, contact, outbox

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Ending:
    """A token that ends soon, whose it is, and of how many days before they are to be told."""

    token: AccessToken
    contact: Contact
    account: Account
    days: int


class Expiring:
    """Tokens that somebody uses: one that was never used is missed by nobody, and its address may
    be wrong. Nobody who may not sign in is warned, and nobody whose data is only stored."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits

    def due(self, warn: Sequence[timedelta], now: datetime) -> list[Ending]:
        """Whom to warn now. Who missed the first warning, because the house stood still, gets the
        last alone; a token that lives no longer than a warning's time is not warned of by it."""
        restricted = exists().where(
            privacy_restriction.c.address_key == contact.c.address_key,
            privacy_restriction.c.lifted_at.is_(None),
        )
        ending = (
            access_token.c.revoked_at.is_(None),
            access_token.c.verified_at.is_not(None),
            access_token.c.expires_at > now,
            access_token.c.expires_at <= now + max(warn, default=timedelta()),
        )
        theirs = contact.c.id.in_(select(access_token.c.contact_id).where(*ending))
        people = select(contact).where(theirs, contact.c.signs_in, ~restricted)
        accounts = select(account).where(
            account.c.id.in_(select(access_token.c.account_id).where(*ending))
        )
        tokens = select(access_token).where(*ending).order_by(access_token.c.expires_at)
        with self._database.reading() as connection:
            by_id = {row.id: rows.contact_of(row) for row in connection.execute(people)}
            of = {row.id: rows.account_of(row) for row in connection.execute(accounts)}
            found = [rows.access_token_of(row) for row in connection.execute(tokens)]
        return [
            Ending(token, by_id[token.contact_id], of[token.account_id], days)
            for token in found
            if token.contact_id in by_id
            and same_address(by_id[token.contact_id].address, token.address)
            and (days := _days(token, warn, now)) is not None
        ]

    def warn(self, ending: Ending, notice: Notice, now: datetime) -> bool:
        """Mail the warning, once; False where it is too late, or the limits leave no room."""
        with self._database.writing() as connection:
            lock_contact(connection, ending.contact.id)
            if letter_exceeded(
                connection, self._limits, now, to=notice.to, template=notice.template
            ):
                return False
            warned = connection.execute(
                update(access_token)
                .where(
                    access_token.c.id == ending.token.id,
                    access_token.c.revoked_at.is_(None),
                    access_token.c.expires_at > now,
                    or_(access_token.c.warned.is_(None), access_token.c.warned > ending.days),
                )
                .values(warned=ending.days)
            )
            if warned.rowcount != 1:
                return False
            connection.execute(insert(outbox), rows.notice_row(notice, now))
            why: dict[str, Any] = {"token": ending.token.id, "contact_id": ending.contact.id}
            events.record(connection, now, "token-warned", **why, days=ending.days)
        return True


def _days(token: AccessToken, warn: Sequence[timedelta], now: datetime) -> int | None:
    """The last warning whose time has come, in days before the end; None where it was given."""
    life, left = token.expires_at - token.issued_at, token.expires_at - now
    due = [before for before in warn if left <= before < life]
    if not due:
        return None
    days = min(due) // _DAY
    return days if token.warned is None or token.warned > days else None
