"""Everything that gathering asks of the database; its cost does not grow with the tickets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import exists, func, select

from mailgate.model.addresses import address_key
from mailgate.model.directory import Account, Contact, Service
from mailgate.model.notice import OutboxRow
from mailgate.model.people import AccessToken, StaffWord
from mailgate.model.ticket import LinkState, Ticket
from mailgate.model.token_request import TokenHistory
from mailgate.store import rows
from mailgate.store.engine import Database
from mailgate.store.people_tables import access_token, override
from mailgate.store.privacy_tables import privacy_restriction
from mailgate.store.tables import (
    account,
    contact,
    link,
    message,
    named,
    outbox,
    paused_address,
    service,
    share,
    signature,
)
from mailgate.store.tables import ticket as tickets
from mailgate.store.types import AnyRow, AnySelect, storable

#: Codes that were guessed rather than known; a retired code was right once.
_GUESSED = ("wrong", "unknown", "conflicting")


class Lookup:
    """`Lookup` of the ports over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def _all(self, query: AnySelect) -> list[AnyRow]:
        with self._database.reading() as connection:
            return list(connection.execute(query))

    def _one(self, query: AnySelect) -> AnyRow | None:
        with self._database.reading() as connection:
            return connection.execute(query).first()

    def _is(self, query: AnySelect) -> bool:
        return self._one(query.limit(1)) is not None

    def contacts(self, address: str) -> list[Contact]:
        query = select(contact).where(contact.c.address_key == address_key(address))
        return [rows.contact_of(row) for row in self._all(query.order_by(contact.c.id))]

    def account(self, account_id: str) -> Account | None:
        row = self._one(select(account).where(account.c.id == account_id))
        return rows.account_of(row) if row else None

    def main_contact(self, account_id: str) -> Contact | None:
        row = self._one(
            select(contact).where(contact.c.account_id == account_id, contact.c.role == "main")
        )
        return rows.contact_of(row) if row else None

    def services(self, account_id: str) -> list[Service]:
        query = select(service).where(service.c.account_id == account_id).order_by(service.c.id)
        return [rows.service_of(row) for row in self._all(query)]

    def shared_services(self, contact_id: int) -> frozenset[int]:
        query = select(share.c.service_id).where(share.c.contact_id == contact_id)
        return frozenset(row.service_id for row in self._all(query))

    def ticket(self, number: int) -> Ticket | None:
        row = self._one(select(tickets).where(tickets.c.number == storable(number)))
        return rows.ticket_of(row) if row else None

    def ticket_of(self, queue_id: str) -> int | None:
        row = self._one(select(message.c.ticket).where(message.c.queue_id == queue_id))
        return row.ticket if row else None

    def told(self, ticket: int, contact_id: int) -> bool:
        """A mail that bounced told nobody; one that waits has not told anybody yet."""
        opened = exists().where(tickets.c.number == ticket, tickets.c.opener_id == contact_id)
        sent = exists().where(
            outbox.c.ticket == ticket, outbox.c.contact_id == contact_id, outbox.c.state == "sent"
        )
        return self._is(select(1).where(opened | sent))

    def named_in_accepted(self, ticket: int, address: str) -> bool:
        return self._is(
            select(1)
            .select_from(message)
            .join(named, named.c.queue_id == message.c.queue_id)
            .where(
                message.c.ticket == ticket,
                message.c.verdict == "authorized",
                named.c.address_key == address_key(address),
            )
        )

    def confirmation(self, queue_id: str, content_sha256: str) -> tuple[LinkState, int] | None:
        """The newest answer counts, if there are several."""
        row = self._one(
            select(link.c.state, link.c.contact_id)
            .where(
                link.c.queue_id == queue_id,
                link.c.content_sha256 == content_sha256,
                link.c.state.in_(("confirmed", "denied")),
            )
            .order_by(link.c.decided_at.desc())
            .limit(1)
        )
        return (row.state, row.contact_id) if row else None

    def authorized_before(self, message_id: str, queue_id: str) -> bool:
        return self._is(
            select(1).where(
                message.c.message_id == message_id,
                message.c.verdict == "authorized",
                message.c.queue_id != queue_id,
            )
        )

    def signatures_seen(self, digests: Sequence[str], queue_id: str) -> bool:
        return self._is(
            select(1)
            .select_from(signature)
            .join(message, message.c.queue_id == signature.c.queue_id)
            .where(
                signature.c.digest.in_(digests),
                signature.c.queue_id != queue_id,
                message.c.verdict == "authorized",
            )
        )

    def wrong_codes(self, ticket: int, address: str, since: datetime) -> tuple[int, int]:
        guessed = message.c.code.in_(_GUESSED)
        count = select(func.count()).select_from(message)
        of_ticket = count.where(
            message.c.claimed_ticket == storable(ticket), message.c.received_at >= since, guessed
        )
        of_sender = count.where(
            message.c.author_key == address_key(address), message.c.received_at >= since, guessed
        )
        row = self._one(select(of_ticket.scalar_subquery(), of_sender.scalar_subquery()))
        return (row[0], row[1]) if row else (0, 0)

    def denied_since(self, ticket: int, contact_id: int, since: datetime) -> bool:
        return self._is(
            select(1).where(
                link.c.ticket == ticket,
                link.c.contact_id == contact_id,
                link.c.state == "denied",
                link.c.decided_at >= since,
            )
        )

    def staff_says(self, queue_id: str) -> tuple[StaffWord, str] | None:
        """The newest word of staff on this message counts."""
        row = self._one(
            select(override.c.value, override.c.who)
            .where(override.c.queue_id == queue_id)
            .order_by(override.c.id.desc())
            .limit(1)
        )
        return (row.value, row.who) if row else None

    def access_token(self, contact_id: int) -> AccessToken | None:
        query = select(access_token).where(access_token.c.contact_id == contact_id)
        row = self._one(query.order_by(access_token.c.id.desc()).limit(1))
        return rows.access_token_of(row) if row else None

    def token_bounced(self, contact_id: int) -> bool:
        """Whether the newest mail with a token of theirs came back, or was refused for good, or
        their address is paused because all our mail comes back from it (promise A7)."""
        paused = (
            select(1)
            .select_from(contact)
            .join(paused_address, paused_address.c.address_key == contact.c.address_key)
            .where(contact.c.id == contact_id, paused_address.c.ended_at.is_(None))
        )
        if self._is(paused):
            return True
        row = self._one(
            select(outbox.c.state)
            .where(outbox.c.contact_id == contact_id, outbox.c.template == "access-token")
            .order_by(outbox.c.created_at.desc(), outbox.c.id.desc())
            .limit(1)
        )
        return row is not None and row.state in ("bounced", "failed")

    def token_issued(self, queue_id: str) -> bool:
        return self._is(select(1).where(access_token.c.queue_id == queue_id))

    def token_history(self, ticket: int, queue_id: str, author: str) -> TokenHistory:
        query = select(message.c.facts, message.c.reply_text, message.c.author_key).where(
            message.c.ticket == ticket,
            message.c.queue_id < queue_id,  # ids sort by time
        )
        before = self._all(query.order_by(message.c.queue_id))
        requests = {row.facts.get("token.request") for row in before}
        return TokenHistory(
            asked=not requests.isdisjoint(("incomplete", "unclear")),
            settled=not requests.isdisjoint(("complete", "confirmed", "refused", "answered")),
            texts=tuple(r.reply_text for r in before if r.author_key == address_key(author)),
        )

    def restricted(self, address: str) -> bool:
        return self._is(
            select(1).where(
                privacy_restriction.c.address_key == address_key(address),
                privacy_restriction.c.lifted_at.is_(None),
            )
        )

    def outbox_row(self, notice_id: str) -> OutboxRow | None:
        row = self._one(select(outbox).where(outbox.c.id == notice_id))
        return rows.outbox_of(row) if row else None
