"""Rectification (GDPR Art. 16): the directory is put right, and what stood there before is kept."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from mailgate.model.addresses import address_key, parse_address
from mailgate.model.directory import Language
from mailgate.model.people import Change
from mailgate.model.privacy import Correction
from mailgate.model.privacy_ports import Told
from mailgate.model.web_ports import Refused
from mailgate.store import events, replace_address, rows
from mailgate.store.access_tokens import record_ended
from mailgate.store.authority import lock_account
from mailgate.store.engine import Database
from mailgate.store.privacy_tables import correction
from mailgate.store.tables import contact, outbox
from mailgate.store.types import AnyRow, storable

#: What, what stood there, and what stands there now.
_Made = tuple[str, str, str]


class Corrections:
    """`CorrectionStore` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rectify(
        self,
        contact_id: int,
        who: str,
        why: str,
        now: datetime,
        *,
        name: str | None = None,
        language: Language | None = None,
        address: str | None = None,
        note: str = "",
        told: Told | None = None,
    ) -> list[Correction]:
        """One row for everything that was another before; `note` is kept as the person's
        supplementary statement. No verdict of before changes.

        A new address ends tokens and sessions of the old one, and `told` says so to both. Raises
        `Refused`: "not-found", "address-taken", "bad-address".
        """
        with self._database.writing() as connection:
            row = _locked(connection, contact_id, who)
            made: list[_Made] = []
            ended: list[AnyRow] = []
            if address is not None and address_key(address) != row.address_key:
                moved, ended = _move(connection, row, address, who, now, told)
                made.append(moved)
            values = {"name": name, "language": language}
            changed = {k: v for k, v in values.items() if v is not None and v != getattr(row, k)}
            if changed:
                connection.execute(update(contact).where(contact.c.id == row.id).values(changed))
                made += [(what, getattr(row, what) or "", new) for what, new in changed.items()]
            if note:
                made.append(("note", "", note))
            written = _write(connection, row, made, who, why, now)
            record_ended(connection, now, "address-changed", who, ended)
        return written

    def corrections(self, contact_id: int) -> list[Correction]:
        query = select(correction).where(correction.c.contact_id == storable(contact_id))
        with self._database.reading() as connection:
            return [
                _correction_of(row) for row in connection.execute(query.order_by(correction.c.id))
            ]


def _locked(connection: Connection, contact_id: int, who: str) -> AnyRow:
    """The contact's row; its account is ours until the commit."""
    query = select(contact).where(contact.c.id == storable(contact_id))
    found = connection.execute(query).first()
    if found is None or lock_account(connection, found.account_id, who) is None:
        raise Refused("not-found")
    row = connection.execute(query).first()
    if row is None:
        raise Refused("not-found")
    return row


def _move(
    connection: Connection, row: AnyRow, address: str, who: str, now: datetime, told: Told | None
) -> tuple[_Made, list[AnyRow]]:
    """The contact gets another address, as if both sides had confirmed it: staff have seen who
    asks, and say so by name. Gives the tokens that ended by it, too."""
    try:
        new = parse_address(address)
    except ValueError:
        raise Refused("bad-address") from None
    taken = select(contact.c.id).where(
        contact.c.account_id == row.account_id, contact.c.address_key == address_key(new)
    )
    if connection.execute(taken).first() is not None:
        raise Refused("address-taken")
    change = _change(row, new, who, now)
    ended = replace_address.perform(connection, change, now)
    if ended is None:  # pragma: no cover - it is locked
        raise Refused("not-found")
    notices = told(change) if told is not None else ()
    if notices:
        connection.execute(insert(outbox), [rows.notice_row(n, now) for n in notices])
    return ("address", row.address, new), ended


def _change(row: AnyRow, new: str, who: str, now: datetime) -> Change:
    return Change(
        id=0,
        account_id=row.account_id,
        kind="main" if row.role == "main" else "address",
        contact_id=row.id,
        role=row.role,
        name=row.name,
        language=row.language,
        old_address=row.address,
        new_address=new,
        requested_by=who,
        nonce="",
        new_sha256="",
        old_sha256=None,
        state="done",
        tries=0,
        created_at=now,
        expires_at=now,
        confirmed_new_at=now,
        confirmed_old_at=now,
    )


def _write(
    connection: Connection, row: AnyRow, made: list[_Made], who: str, why: str, now: datetime
) -> list[Correction]:
    if not made:
        return []
    values = [
        {"contact_id": row.id, "what": w, "old": o, "new": n, "who": who, "why": why, "at": now}
        for w, o, n in made
    ]
    written = connection.execute(insert(correction).returning(*correction.c), values).all()
    # The values stand in `correction`, which an erasure reaches; the audit log is kept longer.
    what = sorted(w for w, _, _ in made)
    subject = f"contact:{row.id}"
    events.record(connection, now, "rectified", who=who, subject=subject, changed=what, reason=why)
    return [_correction_of(one) for one in written]


def _correction_of(row: AnyRow) -> Correction:
    return Correction(**{name: getattr(row, name) for name in Correction.__dataclass_fields__})
