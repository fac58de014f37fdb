"""What a contact may see and answer in the panel. Every question names the contact who asks, and
what he may see is looked up anew with it, from the directory of that moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    ScalarSelect,
    and_,
    insert,
    or_,
    select,
    update,
)

from mailgate.model.directory import AccountEntry, Service
from mailgate.model.notice import OutboxRow
from mailgate.model.ticket import LinkState
from mailgate.model.views import MessageView, Page, PanelTicket, TicketRow, WaitingRow
from mailgate.store import asked, events, history, message_views, queue, rows, search, ticket_rows
from mailgate.store.directory import entries
from mailgate.store.engine import Database
from mailgate.store.limits import BY_A_PERSON
from mailgate.store.restricted import of_restricted
from mailgate.store.tables import (
    account,
    contact,
    content,
    item,
    link,
    message,
    outbox,
    service,
    share,
)
from mailgate.store.tables import ticket as tickets
from mailgate.store.types import AnyRow, storable


@dataclass(frozen=True, slots=True)
class _Viewer:
    """Who asks."""

    contact_id: int
    account_id: str
    address: str
    main: bool
    token_desks: tuple[str, ...]

    @property
    def tickets(self) -> ColumnElement[bool]:
        """The tickets he may see: all of the account, or those of services shared with him.

        None of the token desk: how one is decided tells of a token that may be anybody's (B10).
        """
        support = tickets.c.desk.not_in(self.token_desks)
        mine = and_(tickets.c.account_id == self.account_id, support)
        return mine if self.main else and_(mine, tickets.c.service_id.in_(self.shared))

    @property
    def shared(self) -> ScalarSelect[int]:
        return (
            select(share.c.service_id)
            .join(service, service.c.id == share.c.service_id)
            .where(share.c.contact_id == self.contact_id, service.c.account_id == self.account_id)
            .scalar_subquery()
        )

    @property
    def messages(self) -> ColumnElement[bool]:
        """Messages of those tickets that people of the account wrote, or staff for them.

        What a stranger sent to a ticket is for staff to see: on a page of ours it would look as
        if we stood behind it.
        """
        return and_(
            message.c.account_id == self.account_id,
            message.c.contact_id.is_not(None),
            message.c.verdict != "filed",
        )


class Panel:
    """`PanelStore` over a database."""

    def __init__(self, database: Database, token_desks: Sequence[str] = ()) -> None:
        self._database = database
        self._token_desks = tuple(token_desks)

    def tickets(
        self,
        contact_id: int,
        *,
        state: str | None = None,
        text: str = "",
        after: str | None = None,
        limit: int = 25,
    ) -> Page[TicketRow]:
        """The last changed first. Raises `BadCursor`."""
        with self._database.reading() as connection:
            viewer = self._viewer(connection, contact_id)
            if viewer is None:
                return Page(())
            where = [viewer.tickets]
            if state is not None:
                where.append(tickets.c.state == state)
            marks = (search.mark("account", viewer.account_id), search.mark("people", "yes"))
            return ticket_rows.ticket_rows(
                connection,
                where,
                text=text,
                marks=marks,
                after=after,
                limit=limit,
                viewer=viewer.contact_id,
            )

    def ticket(self, contact_id: int, number: int) -> PanelTicket | None:
        with self._database.reading() as connection:
            viewer = self._viewer(connection, contact_id)
            if viewer is None:
                return None
            which = tickets.c.number == storable(number)
            row = ticket_rows.one_row(connection, which, viewer.tickets, viewer=viewer.contact_id)
            if row is None:
                return None
            query = message_views.messages().where(
                message.c.ticket == row.ticket.number, viewer.messages
            )
            found = connection.execute(query.order_by(message.c.received_at)).all()
            return PanelTicket(
                row=row,
                messages=tuple(_without_inside(_for_viewer(r, viewer)) for r in found),
                notices=tuple(_notices(connection, viewer, row.ticket.number)),
                waiting=frozenset(
                    each.queue_id
                    for each in asked.messages(
                        connection, viewer.contact_id, viewer.account_id, ticket=row.ticket.number
                    )
                ),
            )

    def octets(self, contact_id: int, queue_id: str) -> bytes | None:
        """The content of a message that `ticket` shows, for its attachments."""
        with self._database.reading() as connection:
            viewer = self._viewer(connection, contact_id)
            if viewer is None:
                return None
            query = (
                select(content.c.octets)
                .join(item, item.c.sha256 == content.c.sha256)
                .join(message, message.c.queue_id == item.c.queue_id)
                .join(tickets, tickets.c.number == message.c.ticket)
                .where(message.c.queue_id == queue_id, viewer.tickets, viewer.messages)
                .where(or_(message.c.contact_id == viewer.contact_id, ~of_restricted()))
            )
            return connection.execute(query).scalar()

    def waiting(self, contact_id: int, limit: int = 50) -> list[WaitingRow]:
        """What waits for this contact's answer: questions about access tokens, then messages in
        his own name, newest first."""
        with self._database.reading() as connection:
            viewer = self._viewer(connection, contact_id)
            return _waiting(connection, viewer, limit=limit) if viewer else []

    def asked(self, contact_id: int, queue_id: str) -> bool:
        """Whether this contact was ever asked about a token by this message."""
        query = select(link.c.about).where(
            link.c.queue_id == queue_id, link.c.contact_id == storable(contact_id)
        )
        with self._database.reading() as connection:
            return any(about != "message" for about in connection.execute(query).scalars())

    def answer(self, contact_id: int, queue_id: str, answer: LinkState, now: datetime) -> bool:
        """Record `confirmed` or `denied` for a waiting message and queue it again, once (L5).

        The answer is a fact like that of a mailed link, and bound like it to content and contact
        (L6); where no link was ever mailed, a row that no token can find stands for it.
        """
        if answer not in ("confirmed", "denied"):
            raise ValueError(f"{answer} is no answer")
        with self._database.writing() as connection:
            viewer = self._viewer(connection, contact_id)
            queued = history.lock(connection, queue_id)
            if viewer is None or queued is None:
                return False
            waiting = _waiting(connection, viewer, queue_id=queue_id, limit=1)
            if not waiting:
                return False
            settled = connection.execute(
                update(link)
                .where(
                    link.c.queue_id == queue_id,
                    link.c.contact_id == contact_id,
                    link.c.content_sha256 == queued.sha256,
                    link.c.state == "open",
                )
                .values(state=answer, decided_at=now)
            )
            if settled.rowcount == 0:
                connection.execute(insert(link), _answered(viewer, queued, waiting[0], answer, now))
            queue.again(connection, queued, now)
            events.record(
                connection,
                now,
                f"link-{answer}",
                who=viewer.address,
                queue_id=queue_id,
                ticket=waiting[0].ticket,
                contact_id=contact_id,
                channel="panel",
            )
        return True

    def services(self, contact_id: int) -> list[Service]:
        """What this contact may write about."""
        with self._database.reading() as connection:
            viewer = self._viewer(connection, contact_id)
            if viewer is None:
                return []
            query = select(service).where(service.c.account_id == viewer.account_id)
            if not viewer.main:
                query = query.where(service.c.id.in_(viewer.shared))
            found = connection.execute(query.order_by(service.c.identifier))
            return [rows.service_of(row) for row in found]

    def account(self, contact_id: int) -> AccountEntry | None:
        """The whole account; for its main contact alone."""
        with self._database.reading() as connection:
            viewer = self._viewer(connection, contact_id)
            if viewer is None or not viewer.main:
                return None
            query = select(account).where(account.c.id == viewer.account_id)
            owner = rows.account_of(connection.execute(query).one())
            return entries(connection, [owner], whole=False)[0]

    def _viewer(self, connection: Connection, contact_id: int) -> _Viewer | None:
        query = select(contact).where(contact.c.id == storable(contact_id), contact.c.signs_in)
        row = connection.execute(query).first()
        if row is None:
            return None
        return _Viewer(row.id, row.account_id, row.address, row.role == "main", self._token_desks)


def _waiting(
    connection: Connection, viewer: _Viewer, *, queue_id: str | None = None, limit: int
) -> list[WaitingRow]:
    mine, account = viewer.contact_id, viewer.account_id
    found = asked.token_questions(connection, mine, queue_id=queue_id)
    return [*found, *asked.messages(connection, mine, account, queue_id=queue_id, limit=limit)]


def _notices(connection: Connection, viewer: _Viewer, number: int) -> list[OutboxRow]:
    """Answers of staff, for all who see the ticket; of our other mails those that went to him."""
    answers = and_(outbox.c.template == BY_A_PERSON, outbox.c.envelope_to.is_(None))
    his = and_(outbox.c.template != BY_A_PERSON, outbox.c.contact_id == viewer.contact_id)
    query = select(outbox).where(outbox.c.ticket == number, or_(answers, his))
    found = connection.execute(query.order_by(outbox.c.created_at))
    return [rows.outbox_of(row) for row in found]


def _for_viewer(row: AnyRow, viewer: _Viewer) -> MessageView:
    """What may only be stored is still there for whoever it is about (GDPR Art. 18(2))."""
    view = message_views.message_view(row)
    return view if view.contact_id == viewer.contact_id else message_views.for_others(view)


def _without_inside(view: MessageView) -> MessageView:
    """Without what is ours alone: facts, labels, how the rules were tried."""
    return replace(view, facts={}, labels=(), rule="", message_id=None)


def _answered(
    viewer: _Viewer, queued: AnyRow, asked: WaitingRow, answer: LinkState, now: datetime
) -> dict[str, Any]:
    # A colon is in no SHA-256, so no token of a link leads here.
    return {
        "token_sha256": f"panel:{queued.queue_id}:{viewer.contact_id}:{queued.revision}",
        "nonce": "",
        "queue_id": queued.queue_id,
        "content_sha256": queued.sha256,
        "ticket": asked.ticket,
        "contact_id": viewer.contact_id,
        "address": viewer.address,
        "step": "click",
        "state": answer,
        "tries": 0,
        "created_at": now,
        "expires_at": now,
        "decided_at": now,
    }
