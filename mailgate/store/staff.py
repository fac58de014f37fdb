"""People of ours: their accounts, passwords and roles."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from mailgate.model.directory import Language
from mailgate.model.people import Credentials, Staff, StaffRole
from mailgate.model.web_ports import Refused
from mailgate.store import events
from mailgate.store.engine import Database
from mailgate.store.people_tables import api_token, session, staff
from mailgate.store.types import AnyRow

#: No @, so that nobody can take a login for the address of a contact in the audit log.
_LOGIN = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")


class StaffAccounts:
    """`StaffStore` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        login: str,
        name: str,
        language: Language,
        role: StaffRole,
        password_hash: str,
        totp_secret: str,
        who: str,
        now: datetime,
    ) -> Staff:
        """Raises `Refused("login-taken")` or `Refused("bad-login")`."""
        if not _LOGIN.fullmatch(login) or login == events.ITSELF:
            raise Refused("bad-login")
        with self._database.writing() as connection:
            if _row(connection, login) is not None:
                raise Refused("login-taken")
            row = connection.execute(
                insert(staff)
                .values(
                    login=login,
                    name=name,
                    language=language,
                    role=role,
                    password_hash=password_hash,
                    totp_secret=totp_secret,
                    created_at=now,
                )
                .returning(*staff.c)
            ).one()
            _record(connection, now, "staff-added", who, login, role=role)
        return staff_of(row)

    def all(self) -> list[Staff]:
        with self._database.reading() as connection:
            return [staff_of(row) for row in connection.execute(select(staff).order_by(staff.c.id))]

    def find(self, login: str) -> Credentials | None:
        """Also of somebody disabled: the caller looks at `staff.disabled_at`."""
        with self._database.reading() as connection:
            row = _row(connection, login)
        if row is None:
            return None
        return Credentials(staff_of(row), row.password_hash, row.totp_secret, row.totp_last_step)

    def get(self, staff_id: int) -> Staff | None:
        with self._database.reading() as connection:
            row = connection.execute(select(staff).where(staff.c.id == staff_id)).first()
        return staff_of(row) if row else None

    def disable(self, login: str, who: str, why: str, now: datetime) -> bool:
        """Ends sessions and API tokens too. `Refused("last-admin")` for the last admin."""
        with self._database.writing() as connection:
            admins = _admins(connection)
            row = _row(connection, login)
            if row is None or row.disabled_at is not None:
                return False
            if row.role == "admin" and admins <= 1:
                raise Refused("last-admin")
            connection.execute(update(staff).where(staff.c.id == row.id).values(disabled_at=now))
            connection.execute(delete(session).where(session.c.staff_id == row.id))
            connection.execute(
                update(api_token)
                .where(api_token.c.staff_id == row.id, api_token.c.revoked_at.is_(None))
                .values(revoked_at=now)
            )
            _record(connection, now, "staff-disabled", who, login, reason=why)
        return True

    def set_password(self, login: str, password_hash: str, who: str, now: datetime) -> bool:
        """A new password ends the sessions that the old one opened."""
        return self._change(
            staff.c.login == login,
            {"password_hash": password_hash},
            "staff-password-set",
            who,
            now,
            ends_sessions=True,
        )

    def set_profile(
        self, staff_id: int, name: str, language: Language, signature: str, who: str, now: datetime
    ) -> bool:
        values = {"name": name, "language": language, "signature": signature}
        return self._change(staff.c.id == staff_id, values, "staff-profile-set", who, now)

    def take_step(self, staff_id: int, step: int) -> bool:
        """Use up a TOTP time step; False where it, or a later one, was used before (W5)."""
        with self._database.writing() as connection:
            taken = connection.execute(
                update(staff)
                .where(staff.c.id == staff_id, staff.c.totp_last_step < step)
                .values(totp_last_step=step)
            )
            return taken.rowcount == 1

    def _change(
        self,
        which: Any,
        values: dict[str, Any],
        what: str,
        who: str,
        now: datetime,
        *,
        ends_sessions: bool = False,
    ) -> bool:
        with self._database.writing() as connection:
            row = connection.execute(
                update(staff).where(which).values(values).returning(staff.c.id, staff.c.login)
            ).first()
            if row is None:
                return False
            if ends_sessions:
                connection.execute(delete(session).where(session.c.staff_id == row.id))
            _record(connection, now, what, who, row.login)
        return True


def staff_of(row: AnyRow) -> Staff:
    return Staff(
        id=row.id,
        login=row.login,
        name=row.name,
        language=row.language,
        role=row.role,
        signature=row.signature,
        totp=bool(row.totp_secret),
        created_at=row.created_at,
        disabled_at=row.disabled_at,
    )


def _row(connection: Connection, login: str) -> AnyRow | None:
    return connection.execute(select(staff).where(staff.c.login == login)).first()


def _admins(connection: Connection) -> int:
    """How many admins there are, none of whom anybody else can disable meanwhile."""
    query = select(staff.c.id).where(staff.c.role == "admin", staff.c.disabled_at.is_(None))
    return len(connection.execute(query.order_by(staff.c.id).with_for_update()).all())


def _record(
    connection: Connection, now: datetime, what: str, who: str, login: str, **why: Any
) -> None:
    events.record(connection, now, what, who=who, subject=f"staff:{login}", **why)
