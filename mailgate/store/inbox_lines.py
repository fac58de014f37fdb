"""Lines of the inbox: what they are asked by, and what a line is made of, in one query."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, func, select

from mailgate.model.views import InboxFilter, InboxRow
from mailgate.store import search
from mailgate.store.people_tables import labelled, override
from mailgate.store.restricted import of_restricted
from mailgate.store.tables import account, contact, item, message, service
from mailgate.store.tables import ticket as tickets
from mailgate.store.types import AnyRow, AnySelect, is_number

_EXCERPT = 200


def marks(wanted: InboxFilter) -> list[str]:
    asked = {"account": wanted.account_id, "verdict": wanted.verdict, "desk": wanted.desk}
    return [search.mark(kind, value) for kind, value in asked.items() if value is not None]


def marks_say_all(wanted: InboxFilter) -> bool:
    """Whether nothing is asked but words and what marks answer."""
    return wanted == InboxFilter(
        verdict=wanted.verdict, account_id=wanted.account_id, desk=wanted.desk, text=wanted.text
    )


def conditions(wanted: InboxFilter, *, by_hit: bool = False) -> list[ColumnElement[bool]]:
    """With `by_hit`, hits lead to the messages: no index on the service may seem better."""
    service_id: ColumnElement[Any] = tickets.c.service_id + 0 if by_hit else tickets.c.service_id
    asked: dict[Any, Any] = {
        message.c.verdict: wanted.verdict,
        message.c.account_id: wanted.account_id,
        item.c.desk: wanted.desk,
        item.c.state: wanted.state,
    }
    found = [column == value for column, value in asked.items() if value is not None]
    if wanted.service_id is not None:
        found.append(is_number(service_id, wanted.service_id))
    if wanted.ticket is not None:
        found.append(is_number(message.c.ticket, wanted.ticket))
    if wanted.automatic is not None:
        machine = message.c.automatic != "no"
        found.append(machine if wanted.automatic else ~machine)
    if wanted.label is not None:
        of_label = select(labelled.c.queue_id).where(labelled.c.label == wanted.label)
        found.append(message.c.queue_id.in_(of_label))
    if wanted.text.strip():
        found.append(~of_restricted())
    return found


def lines() -> AnySelect:
    said = (
        select(override.c.value)
        .where(override.c.queue_id == message.c.queue_id)
        .order_by(override.c.id.desc())
        .limit(1)
        .correlate(message)
        .scalar_subquery()
    )
    return (
        select(
            message.c.queue_id,
            message.c.received_at,
            message.c.author,
            message.c.author_name,
            message.c.subject,
            func.substr(message.c.reply_text, 1, _EXCERPT).label("excerpt"),
            message.c.verdict,
            message.c.rule,
            message.c.reasons,
            message.c.labels,
            message.c.automatic,
            message.c.attachments,
            message.c.account_id,
            message.c.ticket,
            item.c.desk,
            item.c.channel,
            item.c.state.label("item_state"),
            account.c.company,
            contact.c.name.label("contact_name"),
            contact.c.address.label("contact_address"),
            contact.c.role,
            tickets.c.state.label("ticket_state"),
            tickets.c.standing,
            service.c.identifier.label("service"),
            said.label("said"),
            of_restricted().label("restricted"),
        )
        .select_from(message)
        .join(item, item.c.queue_id == message.c.queue_id)
        .outerjoin(tickets, tickets.c.number == message.c.ticket)
        .outerjoin(account, account.c.id == message.c.account_id)
        .outerjoin(contact, contact.c.id == message.c.contact_id)
        .outerjoin(service, service.c.id == tickets.c.service_id)
    )


def line(row: AnyRow) -> InboxRow:
    """Of somebody whose data may only be stored (GDPR Art. 18(2)) it has no word."""
    hidden = bool(row.restricted)
    return InboxRow(
        queue_id=row.queue_id,
        received_at=row.received_at,
        desk=row.desk,
        channel=row.channel,
        author=row.author,
        author_name="" if hidden else row.author_name,
        subject="" if hidden else row.subject,
        excerpt="" if hidden else row.excerpt,
        verdict=row.verdict,
        rule=row.rule,
        reasons=tuple(row.reasons),
        labels=tuple(row.labels),
        automatic=row.automatic,
        state=row.item_state,
        account_id=row.account_id,
        company=row.company or "",
        contact=row.contact_name or row.contact_address or "",
        role=row.role or "",
        ticket=row.ticket,
        ticket_state=row.ticket_state,
        standing=row.standing,
        service=row.service or "",
        attachments=len(row.attachments),
        override=row.said if row.said and row.said != "none" else "",
        restricted=hidden,
    )
