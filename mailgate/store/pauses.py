"""Which addresses are paused, for staff, who say when one works again (promise A7)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select

from mailgate.model.addresses import address_key
from mailgate.model.views import PausedAddress
from mailgate.store import events, waiting
from mailgate.store.engine import Database
from mailgate.store.paused import is_paused, works
from mailgate.store.tables import contact, paused_address
from mailgate.store.types import AnyRow


class Pauses:
    """`PauseStore` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def among(self, addresses: Iterable[str]) -> list[PausedAddress]:
        """Those of these addresses that are paused now."""
        keys = [address_key(address) for address in addresses]
        query = select(paused_address).where(
            paused_address.c.address_key.in_(keys), paused_address.c.ended_at.is_(None)
        )
        with self._database.reading() as connection:
            return [_paused_of(row) for row in connection.execute(query)]

    def all(self, limit: int = 100) -> list[PausedAddress]:
        """The last paused first."""
        query = select(paused_address).where(paused_address.c.ended_at.is_(None))
        query = query.order_by(paused_address.c.paused_at.desc()).limit(limit)
        with self._database.reading() as connection:
            return [_paused_of(row) for row in connection.execute(query)]

    def end(self, address: str, who: str, why: str, now: datetime) -> bool:
        """Somebody of ours says that the address works again; what waits there is decided anew,
        so that a link goes out to whoever still needs one."""
        key = address_key(address)
        accounts = select(contact.c.account_id).where(contact.c.address_key == key).distinct()
        with self._database.writing() as connection:
            if not is_paused(connection, address):
                return False
            for account_id in sorted(connection.execute(accounts).scalars()):
                waiting.revise(connection, account_id, [address], now)
            works(connection, address, now)
            subject = f"address:{key}"
            events.record(connection, now, "address-works", who=who, subject=subject, reason=why)
        return True


def _paused_of(row: AnyRow) -> PausedAddress:
    return PausedAddress(row.address, row.paused_at)
