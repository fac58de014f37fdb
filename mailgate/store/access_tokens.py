"""Access tokens: when each was issued, to whom, and until when it signs them in (rows B1 to B8)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from mailgate.model.addresses import address_key
from mailgate.model.directory import Contact
from mailgate.model.notice import Notice
from mailgate.model.outcome import NewToken
from mailgate.model.people import AccessToken, Scope
from mailgate.settings import Limits
from mailgate.store import events, rows
from mailgate.store.duties import latest_seen
from mailgate.store.engine import Database
from mailgate.store.limits import letter_exceeded
from mailgate.store.people_tables import access_token, session
from mailgate.store.tables import contact, outbox
from mailgate.store.types import AnyRow, storable

#: The last use is written down this often: a script may use its token many times a second.
_NOTED = timedelta(minutes=1)


class AccessTokens:
    """`AccessTokenStore` over a database."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits

    def issue(
        self,
        contact_id: int,
        token_sha256: str,
        notice: Notice,
        who: str,
        now: datetime,
        expires_at: datetime,
        scopes: Sequence[Scope] = ("panel",),
        *,
        account_id: str | None = None,
        kept_session: str = "",
        why: str = "",
    ) -> AccessToken | None:
        """Keep a new token, revoke the contact's older ones, and mail it; None, and nothing done,
        where the limits leave no room or the mail would go to another address than his.

        With `account_id` only for a contact of that account. `kept_session` is the hash of the
        session in which a person asks for a token of their own: it goes on with the new one.
        """
        with self._database.writing() as connection:
            whose = lock_contact(connection, contact_id)
            if whose is None or account_id not in (None, whose.account_id):
                return None
            if letter_exceeded(
                connection, self._limits, now, to=notice.to, template=notice.template
            ):
                return None
            token = NewToken(contact_id, token_sha256, expires_at, tuple(scopes), notice)
            row = issue_within(connection, token, who, now, kept_session=kept_session, why=why)
        return rows.access_token_of(row) if row else None

    def use(
        self, token_sha256: str, now: datetime, scope: Scope | None = "panel"
    ) -> tuple[AccessToken, Contact] | None:
        """Whom a token signs in, if it is valid and has the scope; the first use verifies the
        address (B7). Without a scope the caller looks at what it is good for."""
        with self._database.reading() as connection:
            query = select(access_token).where(
                access_token.c.token_sha256 == token_sha256,
                access_token.c.revoked_at.is_(None),
                access_token.c.expires_at > latest_seen(connection, now),
            )
            row = connection.execute(query).first()
            if row is not None and scope is not None and scope not in row.scopes:
                return None
            whose = (
                row
                and connection.execute(
                    select(contact).where(
                        contact.c.id == row.contact_id,
                        contact.c.address_key == address_key(row.address),
                        contact.c.signs_in,
                    )
                ).first()
            )
        if row is None or whose is None:
            return None
        if row.last_used_at is None or now - row.last_used_at >= _NOTED:
            self._note_use(row, now)
        return rows.access_token_of(row), rows.contact_of(whose)

    def _note_use(self, row: AnyRow, now: datetime) -> None:
        with self._database.writing() as connection:
            connection.execute(
                update(access_token)
                .where(access_token.c.id == row.id)
                .values(last_used_at=now, verified_at=row.verified_at or now)
            )
            if row.verified_at is None:
                _record(connection, now, "token-verified", row.address, row)
            elif row.last_used_at is None or row.last_used_at.date() != now.date():
                # Once a day: a script may use its token many times a minute.
                _record(connection, now, "token-used", row.address, row)

    def of_account(self, account_id: str) -> list[AccessToken]:
        """Newest first; for the account's main contact and for staff."""
        return self._all(access_token.c.account_id == account_id)

    def of_contact(self, contact_id: int) -> list[AccessToken]:
        return self._all(access_token.c.contact_id == contact_id)

    def get(self, token_id: int) -> AccessToken | None:
        return next(iter(self._all(access_token.c.id == storable(token_id))), None)

    def revoke(
        self, token_id: int, who: str, why: str, now: datetime, account_id: str | None = None
    ) -> bool:
        """End a token and the sessions it opened; with `account_id` only one of that account."""
        with self._database.writing() as connection:
            which = [access_token.c.id == storable(token_id), access_token.c.revoked_at.is_(None)]
            if account_id is not None:
                which.append(access_token.c.account_id == account_id)
            row = connection.execute(
                update(access_token)
                .where(*which)
                .values(revoked_at=now, revoked_why=why)
                .returning(*access_token.c)
            ).first()
            if row is None:
                return False
            connection.execute(delete(session).where(session.c.access_token_id == row.id))
            _record(connection, now, "token-revoked", who, row, reason=why)
        return True

    def _all(self, which: ColumnElement[bool]) -> list[AccessToken]:
        query = select(access_token).where(which).order_by(access_token.c.id.desc())
        with self._database.reading() as connection:
            return [rows.access_token_of(row) for row in connection.execute(query)]


def lock_contact(connection: Connection, contact_id: int) -> AnyRow | None:
    """The contact's row; nobody else issues them a token until the end of the transaction."""
    query = select(contact).where(contact.c.id == contact_id).with_for_update()
    return connection.execute(query).first()


def issue_within(
    connection: Connection,
    token: NewToken,
    who: str,
    now: datetime,
    *,
    queue_id: str | None = None,
    due_at: datetime | None = None,
    kept_session: str = "",
    why: str = "",
) -> AnyRow | None:
    """Issue a token inside the caller's transaction, which has looked at the limits.

    None, and nothing done, where the mail would go to another address than the contact's own, or
    the contact may not sign in.
    `queue_id` names the message that asked for it; the mail goes out at `due_at`, or at once.
    """
    whose = lock_contact(connection, token.contact_id)
    if whose is None or not whose.signs_in or whose.address_key != address_key(token.notice.to):
        return None
    if kept_session:
        _keep_session(connection, kept_session, token.contact_id, None)
    ended = end_tokens(connection, now, "replaced", contact_id=token.contact_id)
    row = connection.execute(
        insert(access_token)
        .values(
            token_sha256=token.token_sha256,
            contact_id=token.contact_id,
            account_id=whose.account_id,
            address=whose.address,
            issued_at=now,
            issued_by=who,
            expires_at=token.expires_at,
            scopes=list(token.scopes),
            queue_id=queue_id,
        )
        .returning(*access_token.c)
    ).one()
    if kept_session:
        _keep_session(connection, kept_session, token.contact_id, row.id)
    mail = rows.notice_row(token.notice, now)
    connection.execute(insert(outbox), {**mail, "due_at": due_at or now})
    about: dict[str, Any] = {"to": whose.address, "scopes": list(token.scopes)}
    if why:
        about["reason"] = why
    _record(connection, now, "token-issued", who, row, queue_id=queue_id, **about)
    record_ended(connection, now, "replaced", who, ended)
    return row


def end_tokens(connection: Connection, now: datetime, why: str, *, contact_id: int) -> list[AnyRow]:
    """Revoke every token of a contact and end the sessions they opened; `record_ended` is for the
    end of the transaction."""
    ended = connection.execute(
        update(access_token)
        .where(access_token.c.contact_id == contact_id, access_token.c.revoked_at.is_(None))
        .values(revoked_at=now, revoked_why=why)
        .returning(*access_token.c)
    )
    tokens = list(ended)
    ids = [row.id for row in tokens]
    connection.execute(delete(session).where(session.c.access_token_id.in_(ids)))
    return tokens


def record_ended(
    connection: Connection, now: datetime, why: str, who: str | None, ended: Sequence[AnyRow]
) -> None:
    """Put the end of these tokens on record (promise L15)."""
    for row in ended:
        _record(connection, now, "token-revoked", who, row, reason=why)


def _keep_session(
    connection: Connection, token_sha256: str, contact_id: int, access_token_id: int | None
) -> None:
    connection.execute(
        update(session)
        .where(session.c.token_sha256 == token_sha256, session.c.contact_id == contact_id)
        .values(access_token_id=access_token_id)
    )


def _record(
    connection: Connection, now: datetime, what: str, who: str | None, row: AnyRow, **why: Any
) -> None:
    subject = f"contact:{row.contact_id}"
    events.record(connection, now, what, who=who, subject=subject, token=row.id, **why)
