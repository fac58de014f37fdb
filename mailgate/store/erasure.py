"""Erasure (GDPR Art. 17): approved once, done in small steps, each of them a transaction.

A step finds what is left to do by looking, so it matters not where a run was cut off: the next one
goes on. What was done so far stands in the request, and becomes its receipt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, false, func, or_, select, update

from mailgate.model.directory import Language
from mailgate.model.privacy import PrivacyRequest, Removal
from mailgate.model.privacy_ports import Answered
from mailgate.privacy.receipt import ENDS, outcome
from mailgate.settings import Limits, Privacy
from mailgate.store import erasure_mail, erasure_mentions, erasure_person
from mailgate.store.engine import Database
from mailgate.store.erasure_mail import held_sent
from mailgate.store.forget import clean
from mailgate.store.privacy_holds import held, restriction, stands_on_address
from mailgate.store.privacy_requests import lock, record, request_of, settle
from mailgate.store.privacy_tables import privacy_request
from mailgate.store.retention_kept import HOLD, hold_still
from mailgate.store.tables import account, contact
from mailgate.store.types import AnyRow, storable
from mailgate.store.whose import Who, names_them, queued, sent_to, who, wrote

_AT_ONCE = 50


@dataclass(frozen=True)
class _Begun:
    naming: list[str] = field(default_factory=list)
    kept: Mapping[str, int] = field(default_factory=dict)
    language: Language = "pl"


class Erasure:
    """`ErasureStore` over a database."""

    def __init__(self, database: Database, limits: Limits, privacy: Privacy) -> None:
        self._database = database
        self._limits = limits
        self._privacy = privacy

    def plan(self, address: str, account_id: str | None = None, *, ends: bool = False) -> Removal:
        """What an erasure would remove and what it would keep, and why; nothing is changed."""
        with self._database.reading() as connection:
            person = who(connection, address, account_id)
            stopped = _against(connection, person)
            keeps = erasure_person.kept(connection, person, ends=ends)
            keeps.update(_held(connection, person))
            counts = {
                "message": select(func.count()).where(wrote(person), ~held()),
                "item": select(func.count()).where(queued(connection, person)),
                "outbox": select(func.count()).where(sent_to(person)),
                "rewritten_message": select(func.count()).where(names_them(person), ~held()),
            }
            found = Counter({k: connection.execute(q).scalar_one() for k, q in counts.items()})
            found["item"] += found["message"]
            found.update(erasure_person.counted(connection, person, ends=ends))
        return Removal({k: n for k, n in found.items() if n}, dict(keeps), stopped)

    def approve(
        self, request_id: int, who: str, why: str, now: datetime, *, ends: bool = False
    ) -> PrivacyRequest | None:
        """Let a request be carried out. None where it is answered, or asks for something else."""
        with self._database.writing() as connection:
            row = lock(connection, request_id)
            if row is None or row.kind != "erase" or row.state not in ("open", "waiting"):
                return None
            receipt = {**row.receipt, **({ENDS: 1} if ends else {})}
            row = _note(connection, row, receipt, state="waiting", closed_by=who)
            record(connection, now, "erasure-approved", who, row, reason=why, ends=ends)
        return request_of(row)

    def pending(self) -> list[int]:
        """Requests that are approved and not done, the oldest first."""
        query = select(privacy_request.c.id).where(
            privacy_request.c.kind == "erase", privacy_request.c.state == "waiting"
        )
        with self._database.reading() as connection:
            return list(connection.execute(query.order_by(privacy_request.c.id)).scalars())

    def run(self, request_id: int, now: datetime, answer: Answered) -> Removal:
        """Carry out what was approved, as far as holds allow, and close the request once nothing
        is left; `stopped` is "hold" or "restricted" where it has to wait.

        It is closed only when the files are clean too: whoever is told so may rely on it.
        """
        begun = self._begin(request_id)
        left, stopped = begun.naming, ""
        while True:
            some, left = left[:_AT_ONCE], left[_AT_ONCE:]
            with self._database.writing() as connection:
                row = lock(connection, request_id)
                if row is None or row.state != "waiting":
                    return Removal(stopped="done")
                hold_still(connection)
                person = who(connection, row.address, row.account_id)
                stopped = _against(connection, person)
                done = Counter[str]() if stopped else self._step(connection, row, person, some, now)
                if done:
                    row = _note(connection, row, _sum(row.receipt, done))
                if not (done or some) or stopped:
                    kept = _held(connection, person)
                    removed = {name: n for name, n in row.receipt.items() if name != ENDS}
                    break
        if removed:
            clean(self._database)
        if stopped or kept:
            return Removal(removed, kept, stopped or "hold")
        return self._close(request_id, removed, begun, now, answer)

    def _begin(self, request_id: int) -> _Begun:
        """What has to be known before anything is gone: mail of others to look into, what stays,
        and how the person is spoken to. Mail that comes in after this is asked for at the end."""
        with self._database.reading() as connection:
            query = select(privacy_request).where(privacy_request.c.id == storable(request_id))
            row = connection.execute(query).first()
            if row is None or row.state != "waiting":
                return _Begun()
            person = who(connection, row.address, row.account_id)
            if _against(connection, person):
                return _Begun()
            return _Begun(
                erasure_mentions.naming(connection, person),
                erasure_person.kept(connection, person, ends=bool(row.receipt.get(ENDS))),
                _language(connection, person),
            )

    def _step(
        self, connection: Connection, row: AnyRow, person: Who, naming: list[str], now: datetime
    ) -> Counter[str]:
        """The next thing that is left; nothing where all is done, or where a hold keeps a part of
        what is theirs: then they stay in the directory with it."""
        if naming:
            return erasure_mentions.take_out_of(connection, naming, person, now)
        mail = (
            erasure_mail.forget_written(connection, person, now)
            or erasure_mail.forget_sent(connection, person)
            or erasure_mentions.take_out_of(
                connection, erasure_mentions.still_named(connection, person)[:_AT_ONCE], person, now
            )
        )
        if mail or _held(connection, person):
            return mail
        ends = bool(row.receipt.get(ENDS))
        return erasure_mail.forget_in_sent(connection, person) or erasure_person.forget_rest(
            connection, person, now, ends=ends
        )

    def _close(
        self,
        request_id: int,
        removed: dict[str, int],
        begun: _Begun,
        now: datetime,
        answer: Answered,
    ) -> Removal:
        # A record remains of each message that went, and the request itself is kept.
        kept = Counter(begun.kept) + Counter(claims=removed.get("item", 0))
        words = outcome(removed, kept, begun.language, self._privacy, now)
        with self._database.writing() as connection:
            row = lock(connection, request_id)
            if row is None or row.state != "waiting":
                return Removal(stopped="done")
            by = row.closed_by or row.filed_by
            settle(connection, self._limits, row, "done", words, by, now, answer, receipt=removed)
        return Removal(removed, dict(kept))


def _against(connection: Connection, person: Who) -> str:
    """Why nothing at all may be erased now: a hold on the person (GDPR Art. 17(3)(e)), or their own
    wish that it be kept (Art. 18(1)(b))."""
    if restriction(connection, person.key) is not None:
        return "restricted"
    return "hold" if stands_on_address(connection, person.key) else ""


def _held(connection: Connection, person: Who) -> dict[str, int]:
    """Messages of theirs, or that name them, that a hold keeps; where there are none, mails of
    ours and what they are in an account."""
    theirs = or_(wrote(person), names_them(person))
    count = select(func.count()).where(func.coalesce(theirs, false()), held())
    found: int = connection.execute(count).scalar_one()
    if not found:
        of_account = contact.c.account_id.in_(HOLD.accounts)
        count = select(func.count()).where(contact.c.id.in_(person.contact_ids), of_account)
        found = connection.execute(count).scalar_one() or held_sent(connection, person)
    return {"hold": found} if found else {}


def _language(connection: Connection, person: Who) -> Language:
    """How the person is spoken to: as one of their contacts is, else as the house does."""
    query = (
        select(func.coalesce(contact.c.language, account.c.language))
        .join(account, account.c.id == contact.c.account_id)
        .where(contact.c.id.in_(person.contact_ids))
        .order_by(contact.c.id)
    )
    found: Language | None = connection.execute(query).scalar()
    return found or "pl"


def _note(connection: Connection, row: AnyRow, receipt: Mapping[str, int], **values: Any) -> AnyRow:
    return connection.execute(
        update(privacy_request)
        .where(privacy_request.c.id == row.id)
        .values(receipt=dict(receipt), **values)
        .returning(*privacy_request.c)
    ).one()


def _sum(before: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    total = Counter(before)
    total.update(more)
    return {name: count for name, count in total.items() if count}
