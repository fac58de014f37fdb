"""Between rows and the nouns of the model, both ways."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from mailgate.model.addresses import address_key
from mailgate.model.directory import Account, Contact, Service
from mailgate.model.envelope import Envelope
from mailgate.model.item import Item, QueueRow
from mailgate.model.notice import Notice, OutboxRow
from mailgate.model.people import AccessToken
from mailgate.model.ticket import Link, Ticket
from mailgate.store.types import AnyRow


def account_of(row: AnyRow) -> Account:
    return Account(row.id, row.company, row.language)


def contact_of(row: AnyRow) -> Contact:
    return Contact(
        row.id, row.account_id, row.address, row.role, row.name, row.language, row.signs_in
    )


def service_of(row: AnyRow) -> Service:
    return Service(row.id, row.account_id, row.identifier, row.name)


def ticket_of(row: AnyRow) -> Ticket:
    return Ticket(
        number=row.number,
        desk=row.desk,
        subject=row.subject,
        state=row.state,
        standing=row.standing,
        epoch=row.epoch,
        language=row.language,
        account_id=row.account_id,
        service_id=row.service_id,
        created_at=row.created_at,
    )


def envelope_of(row: AnyRow) -> Envelope:
    return Envelope(
        reverse_path=row.reverse_path,
        recipients=tuple(row.recipients),
        received_at=row.received_at,
        client=row.client,
        helo=row.helo,
        protocol=row.protocol,
        tls=row.tls,
    )


def item_of(row: AnyRow, octets: bytes) -> Item:
    return Item(
        queue_id=row.queue_id,
        desk=row.desk,
        channel=row.channel,
        envelope=envelope_of(row),
        content=octets,
        sha256=row.sha256,
        attempts=row.attempts,
        revision=row.revision,
        entered_by=row.entered_by,
        account_id=row.account_id,
        claim=row.claim,
    )


def queue_row_of(row: AnyRow) -> QueueRow:
    return QueueRow(
        queue_id=row.queue_id,
        desk=row.desk,
        channel=row.channel,
        state=row.state,
        attempts=row.attempts,
        received_at=row.received_at,
        available_at=row.due_at or row.received_at,
        reverse_path=row.reverse_path,
        last_error=row.last_error,
    )


def link_of(row: AnyRow) -> Link:
    return Link(
        token_sha256=row.token_sha256,
        nonce=row.nonce,
        queue_id=row.queue_id,
        content_sha256=row.content_sha256,
        contact_id=row.contact_id,
        address=row.address,
        step=row.step,
        state=row.state,
        tries=row.tries,
        created_at=row.created_at,
        expires_at=row.expires_at,
        decided_at=row.decided_at,
        about=row.about,
    )


def link_row(link: Link, ticket: int | None) -> dict[str, Any]:
    names = Link.__dataclass_fields__
    return {**{name: getattr(link, name) for name in names}, "ticket": ticket}


def notice_of(row: AnyRow) -> Notice:
    return Notice(
        id=row.id,
        template=row.template,
        language=row.language,
        desk=row.desk,
        to=row.to_address,
        to_name=row.to_name,
        contact_id=row.contact_id,
        queue_id=row.queue_id,
        ticket=row.ticket,
        message_id=row.message_id,
        date=row.date,
        values=row.details,
        in_reply_to=row.in_reply_to,
        link_nonce=row.link_nonce,
        link_step=row.link_step,
        cc=tuple(row.cc),
        envelope_to=row.envelope_to,
    )


def outbox_of(row: AnyRow) -> OutboxRow:
    return OutboxRow(
        notice=notice_of(row),
        state=row.state,
        attempts=row.attempts,
        next_at=row.due_at or row.sent_at or row.created_at,
        last_reply=row.last_reply,
        sent_at=row.sent_at,
    )


def notice_row(notice: Notice, now: datetime) -> dict[str, Any]:
    names = set(Notice.__dataclass_fields__) - {"to", "values"}
    return {
        **{name: getattr(notice, name) for name in names},
        "to_address": notice.to,
        "to_key": address_key(notice.envelope_to or notice.to),
        "details": dict(notice.values),
        "state": "waiting",
        "due_at": now,
        "created_at": now,
    }


def access_token_of(row: AnyRow) -> AccessToken:
    return AccessToken(
        id=row.id,
        contact_id=row.contact_id,
        account_id=row.account_id,
        address=row.address,
        issued_at=row.issued_at,
        issued_by=row.issued_by,
        expires_at=row.expires_at,
        verified_at=row.verified_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
        revoked_why=row.revoked_why,
        scopes=tuple(row.scopes),
        queue_id=row.queue_id,
        warned=row.warned,
    )
