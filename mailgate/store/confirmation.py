"""What the confirmation page shows for a link, in one look at the database."""

from __future__ import annotations

from sqlalchemy import func, select

from mailgate.model.confirmation import Confirmation
from mailgate.store import asked, rows
from mailgate.store.engine import Database
from mailgate.store.people_tables import access_token
from mailgate.store.tables import account, contact, decision, item, link, message, outbox


class Confirmations:
    """`ConfirmView` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        judged = select(func.max(decision.c.revision)).where(decision.c.queue_id == link.c.queue_id)
        issued = select(access_token.c.id).where(access_token.c.queue_id == link.c.queue_id)
        self._query = (
            select(
                link,
                item.c.desk,
                item.c.channel,
                item.c.received_at,
                item.c.revision,
                judged.scalar_subquery().label("judged_revision"),
                message.c.subject,
                message.c.ticket.label("ticket_number"),
                message.c.verdict,
                message.c.reasons,
                contact.c.name,
                account.c.company,
                func.coalesce(contact.c.language, account.c.language).label("speaks"),
                outbox.c.details,
                issued.exists().label("issued"),
            )
            .join(item, item.c.queue_id == link.c.queue_id)
            .join(message, message.c.queue_id == link.c.queue_id)
            .outerjoin(contact, contact.c.id == link.c.contact_id)
            .outerjoin(account, account.c.id == contact.c.account_id)
            .outerjoin(outbox, asked.carrier())
        )

    def confirmation(self, token_sha256: str) -> Confirmation | None:
        """The link with its message; the verdict counts only if it was given after the answer."""
        with self._database.reading() as connection:
            row = connection.execute(self._query.where(link.c.token_sha256 == token_sha256)).first()
        if row is None:
            return None
        judged = row.judged_revision is not None and row.judged_revision >= row.revision
        return Confirmation(
            link=rows.link_of(row),
            name=row.name or "",
            company=row.company or "",
            desk=row.desk,
            subject=row.subject,
            received_at=row.received_at,
            language=row.speaks or "pl",
            ticket=row.ticket_number,
            by_staff=row.channel == "console",
            verdict=row.verdict if judged else None,
            reasons=tuple(row.reasons) if judged else (),
            said=asked.said(row) if row.about != "message" else {},
            issued=row.issued,
        )
