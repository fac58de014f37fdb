"""Messages for lists and pages: the row, and where asked for every judgement and link of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select

from mailgate.model.message import Attachment
from mailgate.model.views import DecisionView, LinkView, MessageView
from mailgate.store.restricted import of_restricted
from mailgate.store.tables import content, decision, item, link, message
from mailgate.store.types import AnyRow, AnySelect


def messages() -> AnySelect:
    """Messages with what their item and content add; `message_view` reads its rows."""
    return (
        select(
            message,
            item.c.channel,
            item.c.desk,
            item.c.entered_by,
            item.c.state.label("item_state"),
            content.c.size,
            of_restricted().label("restricted"),
        )
        .join(item, item.c.queue_id == message.c.queue_id)
        .join(content, content.c.sha256 == item.c.sha256)
    )


def message_views(connection: Connection, found: Sequence[AnyRow]) -> list[MessageView]:
    """With their history and their links: two queries however many there are."""
    ids = [row.queue_id for row in found]
    history: dict[str, list[DecisionView]] = {}
    judged = select(decision).where(decision.c.queue_id.in_(ids)).order_by(decision.c.id)
    for row in connection.execute(judged):
        history.setdefault(row.queue_id, []).append(_decision_view(row))
    links: dict[str, list[LinkView]] = {}
    asked = select(link).where(link.c.queue_id.in_(ids)).order_by(link.c.created_at)
    for row in connection.execute(asked):
        links.setdefault(row.queue_id, []).append(_link_view(row))
    return [
        message_view(row, history.get(row.queue_id, []), links.get(row.queue_id, []))
        for row in found
    ]


def message_view(
    row: AnyRow, history: Sequence[DecisionView] = (), links: Sequence[LinkView] = ()
) -> MessageView:
    return MessageView(
        queue_id=row.queue_id,
        channel=row.channel,
        ticket=row.ticket,
        account_id=row.account_id,
        contact_id=row.contact_id,
        author=row.author,
        message_id=row.message_id,
        subject=row.subject,
        date=row.date,
        received_at=row.received_at,
        text=row.text,
        reply_text=row.reply_text,
        verdict=row.verdict,
        rule=row.rule,
        reasons=tuple(row.reasons),
        labels=tuple(row.labels),
        facts=row.facts,
        size=row.size,
        history=tuple(history),
        links=tuple(links),
        desk=row.desk,
        author_name=row.author_name,
        entered_by=row.entered_by,
        attachments=attachments_of(row.attachments),
        state=row.item_state,
        restricted=bool(row.restricted),
    )


def for_others(view: MessageView) -> MessageView:
    """Without its words where they may only be stored (GDPR Art. 18(2)); the verdict stays."""
    if not view.restricted:
        return view
    return replace(view, subject="", text="", reply_text="", author_name="", attachments=())


def attachments_of(kept: Iterable[Sequence[Any]]) -> tuple[Attachment, ...]:
    return tuple(Attachment(*values) for values in kept)


def attachments_row(found: Iterable[Attachment]) -> list[list[Any]]:
    return [[a.filename, a.content_type, a.size, a.sha256] for a in found]


def _decision_view(row: AnyRow) -> DecisionView:
    return DecisionView(
        decided_at=row.decided_at,
        revision=row.revision,
        verdict=row.verdict,
        rule=row.rule,
        reasons=tuple(row.reasons),
        facts=row.facts,
        sources=row.sources,
        trace=tuple(row.trace),
        policy_sha256=row.policy_sha256,
    )


def _link_view(row: AnyRow) -> LinkView:
    return LinkView(
        contact_id=row.contact_id,
        address=row.address,
        state=row.state,
        created_at=row.created_at,
        expires_at=row.expires_at,
        decided_at=row.decided_at,
    )
