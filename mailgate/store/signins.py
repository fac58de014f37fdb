"""One-time links that sign a contact in: mailed to the registered address, good for one use."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select, update

from mailgate.model.addresses import address_key
from mailgate.model.directory import Contact
from mailgate.model.notice import Notice
from mailgate.model.people import SignIn
from mailgate.settings import Limits
from mailgate.store import events, rows
from mailgate.store.engine import Database
from mailgate.store.limits import letter_exceeded
from mailgate.store.people_tables import signin
from mailgate.store.tables import contact, outbox


class SignIns:
    """`SignInStore` over a database."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits

    def ask(self, link: SignIn, notice: Notice, now: datetime) -> bool:
        """Keep the link and mail it; False, and nothing done, where the limits leave no room or
        the contact may not sign in."""
        with self._database.writing() as connection:
            known = select(contact.c.id).where(
                contact.c.id == link.contact_id,
                contact.c.address_key == address_key(link.address),
                contact.c.address_key == address_key(notice.to),
                contact.c.signs_in,
            )
            if connection.execute(known).first() is None:
                return False
            if letter_exceeded(
                connection, self._limits, now, to=notice.to, template=notice.template
            ):
                return False
            connection.execute(delete(signin).where(signin.c.expires_at < now))
            values = {name: getattr(link, name) for name in SignIn.__dataclass_fields__}
            connection.execute(insert(signin), values)
            connection.execute(insert(outbox), rows.notice_row(notice, now))
            events.record(connection, now, "sign-in-asked", contact_id=link.contact_id)
        return True

    def find(self, token_sha256: str, now: datetime) -> SignIn | None:
        """A link that can still be used."""
        query = select(signin).where(
            signin.c.token_sha256 == token_sha256,
            signin.c.used_at.is_(None),
            signin.c.expires_at > now,
        )
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return SignIn(**{name: getattr(row, name) for name in SignIn.__dataclass_fields__})

    def redeem(self, token_sha256: str, now: datetime) -> Contact | None:
        """Use it up: exactly one of many callers gets the contact."""
        with self._database.writing() as connection:
            used = connection.execute(
                update(signin)
                .where(
                    signin.c.token_sha256 == token_sha256,
                    signin.c.used_at.is_(None),
                    signin.c.expires_at > now,
                )
                .values(used_at=now)
                .returning(signin.c.contact_id, signin.c.address)
            ).first()
            if used is None:
                return None
            query = select(contact).where(
                contact.c.id == used.contact_id,
                contact.c.address_key == address_key(used.address),
                contact.c.signs_in,
            )
            row = connection.execute(query).first()
        return rows.contact_of(row) if row else None
