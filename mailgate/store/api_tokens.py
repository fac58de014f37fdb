"""Tokens of staff for scripts: scoped, expiring, kept as hashes alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import insert, select, update

from mailgate.model.people import ApiToken, Staff
from mailgate.store import events
from mailgate.store.duties import latest_seen
from mailgate.store.engine import Database
from mailgate.store.people_tables import api_token, staff
from mailgate.store.staff import staff_of
from mailgate.store.types import AnyRow, storable

_NOTED = timedelta(minutes=1)


class ApiTokens:
    """`ApiTokenStore` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def issue(
        self,
        staff_id: int,
        name: str,
        token_sha256: str,
        scopes: Sequence[str],
        who: str,
        now: datetime,
        expires_at: datetime,
    ) -> ApiToken:
        with self._database.writing() as connection:
            row = connection.execute(
                insert(api_token)
                .values(
                    staff_id=staff_id,
                    name=name,
                    token_sha256=token_sha256,
                    scopes=list(scopes),
                    created_at=now,
                    expires_at=expires_at,
                )
                .returning(*api_token.c)
            ).one()
            subject = f"api-token:{row.id}"
            why = {"name": name, "scopes": list(scopes)}
            events.record(connection, now, "api-token-issued", who=who, subject=subject, **why)  # type: ignore[arg-type] # words for the record
        return _token_of(row)

    def find(self, token_sha256: str, now: datetime) -> tuple[ApiToken, Staff] | None:
        """Only a valid token of somebody who is not disabled."""
        with self._database.reading() as connection:
            query = select(api_token).where(
                api_token.c.token_sha256 == token_sha256,
                api_token.c.revoked_at.is_(None),
                api_token.c.expires_at > latest_seen(connection, now),
            )
            row = connection.execute(query).first()
            whose = (
                row
                and connection.execute(
                    select(staff).where(staff.c.id == row.staff_id, staff.c.disabled_at.is_(None))
                ).first()
            )
        if row is None or whose is None:
            return None
        if row.last_used_at is None or now - row.last_used_at >= _NOTED:
            with self._database.writing() as connection:
                connection.execute(
                    update(api_token).where(api_token.c.id == row.id).values(last_used_at=now)
                )
        return _token_of(row), staff_of(whose)

    def all(self, staff_id: int | None = None) -> list[ApiToken]:
        query = select(api_token).order_by(api_token.c.id.desc())
        if staff_id is not None:
            query = query.where(api_token.c.staff_id == staff_id)
        with self._database.reading() as connection:
            return [_token_of(row) for row in connection.execute(query)]

    def revoke(self, token_id: int, who: str, now: datetime, staff_id: int | None = None) -> bool:
        """With `staff_id` only a token of that person."""
        which = [api_token.c.id == storable(token_id), api_token.c.revoked_at.is_(None)]
        if staff_id is not None:
            which.append(api_token.c.staff_id == staff_id)
        with self._database.writing() as connection:
            revoked = connection.execute(update(api_token).where(*which).values(revoked_at=now))
            if revoked.rowcount != 1:
                return False
            subject = f"api-token:{token_id}"
            events.record(connection, now, "api-token-revoked", who=who, subject=subject)
        return True


def _token_of(row: AnyRow) -> ApiToken:
    return ApiToken(
        id=row.id,
        staff_id=row.staff_id,
        name=row.name,
        scopes=tuple(row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
