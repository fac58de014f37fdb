"""Sessions: who is signed in, asked again of the directory at every request (promise W3)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from mailgate.model.people import Session, SignedIn
from mailgate.store import events, rows
from mailgate.store.engine import Database
from mailgate.store.people_tables import access_token, session, staff
from mailgate.store.staff import staff_of
from mailgate.store.tables import account, contact
from mailgate.store.types import AnyRow

#: A session's last use is written down this often: not every page view is worth a write.
_NOTED = timedelta(minutes=1)


class Sessions:
    """`SessionStore` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, session_: Session, who: str) -> None:
        """Keep a new session; the old one of this browser is to be ended by the caller."""
        at = session_.created_at
        values = {name: getattr(session_, name) for name in Session.__dataclass_fields__}
        with self._database.writing() as connection:
            connection.execute(delete(session).where(session.c.ends_at <= at))
            connection.execute(insert(session), values)
            subject = _subject(session_.contact_id, session_.staff_id)
            events.record(connection, at, "signed-in", who=who, subject=subject, via=session_.via)

    def find(self, token_sha256: str, now: datetime, idle: timedelta) -> SignedIn | None:
        """The person behind it; None where it ended, idled, or its person may not sign in now."""
        with self._database.reading() as connection:
            row = _row(connection, token_sha256)
            if row is None or row.ends_at <= now or row.seen_at <= now - idle:
                return None
            found = _person(connection, _session_of(row))
        if found is not None and now - row.seen_at >= min(_NOTED, idle / 10):
            with self._database.writing() as connection:
                connection.execute(
                    update(session)
                    .where(session.c.token_sha256 == token_sha256, session.c.seen_at < now)
                    .values(seen_at=now)
                )
        return found

    def end(self, token_sha256: str, now: datetime) -> None:
        with self._database.writing() as connection:
            row = _row(connection, token_sha256)
            if row is None:
                return
            connection.execute(delete(session).where(session.c.token_sha256 == token_sha256))
            person = _person(connection, _session_of(row))
            who = _name(person) if person else None
            subject = _subject(row.contact_id, row.staff_id)
            events.record(connection, now, "signed-out", who=who, subject=subject)

    def end_all(self, *, contact_id: int | None = None, staff_id: int | None = None) -> int:
        """End every session of a contact, or of a member of staff."""
        with self._database.writing() as connection:
            ended = 0
            if contact_id is not None:
                whose = session.c.contact_id == contact_id
                ended += connection.execute(delete(session).where(whose)).rowcount
            if staff_id is not None:
                whose = session.c.staff_id == staff_id
                ended += connection.execute(delete(session).where(whose)).rowcount
        return ended


def _row(connection: Connection, token_sha256: str) -> AnyRow | None:
    return connection.execute(select(session).where(session.c.token_sha256 == token_sha256)).first()


def _session_of(row: AnyRow) -> Session:
    return Session(**{name: getattr(row, name) for name in Session.__dataclass_fields__})


def _person(connection: Connection, found: Session) -> SignedIn | None:
    if found.kind == "staff":
        query = select(staff).where(staff.c.id == found.staff_id, staff.c.disabled_at.is_(None))
        row = connection.execute(query).first()
        return SignedIn(found, staff=staff_of(row)) if row else None
    query = select(contact).where(contact.c.id == found.contact_id, contact.c.signs_in)
    row = connection.execute(query).first()
    if row is None or _revoked(connection, found):
        return None
    owner = connection.execute(select(account).where(account.c.id == row.account_id)).one()
    return SignedIn(found, contact=rows.contact_of(row), account=rows.account_of(owner))


def _revoked(connection: Connection, found: Session) -> bool:
    """Whether the access token that opened it was revoked, also in the instant it was used in."""
    query = select(access_token.c.id).where(
        access_token.c.id == found.access_token_id, access_token.c.revoked_at.is_not(None)
    )
    return found.access_token_id is not None and connection.execute(query).first() is not None


def _name(person: SignedIn) -> str | None:
    if person.staff:
        return person.staff.login
    return person.contact.address if person.contact else None


def _subject(contact_id: int | None, staff_id: int | None) -> str:
    return f"contact:{contact_id}" if contact_id is not None else f"staff:{staff_id}"
