"""What waits for a contact's own answer: their messages, and questions about access tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, select, true

from mailgate.model.views import WaitingRow
from mailgate.store import ticket_rows
from mailgate.store.tables import item, link, message, outbox
from mailgate.store.types import AnyRow

_ABOUT_TOKENS = ("token", "manager")


def messages(
    connection: Connection,
    contact_id: int,
    account_id: str,
    *,
    ticket: int | None = None,
    queue_id: str | None = None,
    limit: int = 200,
) -> list[WaitingRow]:
    """Messages in the contact's own name that ask for an answer and have none yet."""
    of_message = link.c.queue_id == message.c.queue_id
    answered = (
        select(link.c.queue_id)
        .where(
            of_message,
            link.c.content_sha256 == item.c.sha256,
            link.c.contact_id == contact_id,
            link.c.state.in_(("confirmed", "denied")),
        )
        .exists()
    )
    # At the token desk a link asks somebody about a token, and nobody about the message.
    about_tokens = select(link.c.queue_id).where(of_message, link.c.about.in_(_ABOUT_TOKENS))
    query = (
        select(message, item.c.channel)
        .join(item, item.c.queue_id == message.c.queue_id)
        .where(
            message.c.contact_id == contact_id,
            message.c.account_id == account_id,
            ticket_rows.waits(),
            ~answered,
            ~about_tokens.exists(),
            _same(message.c.ticket, ticket),
            _same(message.c.queue_id, queue_id),
        )
        .order_by(message.c.queue_id.desc())
        .limit(limit)
    )
    return [
        WaitingRow(
            queue_id=found.queue_id,
            ticket=found.ticket,
            subject=found.subject,
            received_at=found.received_at,
            channel=found.channel,
            reasons=tuple(found.reasons),
        )
        for found in connection.execute(query)
    ]


def token_questions(
    connection: Connection, contact_id: int, *, queue_id: str | None = None
) -> list[WaitingRow]:
    """Links about a token, their own or one of their account, that this contact has not answered.

    What the mail with the link said goes along; what the message itself says may be a stranger's.
    """
    query = (
        select(link, item.c.channel, item.c.received_at, outbox.c.details)
        .join(item, item.c.queue_id == link.c.queue_id)
        .join(outbox, carrier())
        .where(
            link.c.contact_id == contact_id,
            link.c.about.in_(_ABOUT_TOKENS),
            link.c.state == "open",
            _same(link.c.queue_id, queue_id),
        )
        .order_by(link.c.queue_id.desc())
    )
    return [
        WaitingRow(
            queue_id=found.queue_id,
            ticket=found.ticket,
            subject="",
            received_at=found.received_at,
            channel=found.channel,
            reasons=(),
            about=found.about,
            said=said(found),
        )
        for found in connection.execute(query)
    ]


def carrier() -> ColumnElement[bool]:
    """The mail that carried a link."""
    return and_(outbox.c.queue_id == link.c.queue_id, outbox.c.link_nonce == link.c.nonce)


def said(row: AnyRow) -> Mapping[str, str]:
    """The values of the mail that carried a link."""
    details: dict[str, Any] = row.details or {}
    return {name: value for name, value in details.items() if isinstance(value, str)}


def _same(column: ColumnElement[Any], value: object) -> ColumnElement[bool]:
    return true() if value is None else column == value
