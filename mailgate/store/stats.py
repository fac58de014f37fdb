"""Numbers for the state of the house: decisions by day, what waits, whom no mail reaches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, func, literal, select, union_all

from mailgate.model.views import Count, Trouble
from mailgate.store.engine import Database
from mailgate.store.tables import decision, link, message, outbox, paused_address
from mailgate.store.tables import ticket as tickets

#: Nobody needs to know more exactly, and counting stays quick however many there are.
_COUNTED = 1000
_WAITING = ("pending", "unauthorized", "held")


class Stats:
    """`StatsStore` over a database. Days are those of UTC."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def verdicts(self, since: date) -> list[Count]:
        """Decisions a day by verdict, oldest first."""
        return self._daily(since, decision.c.verdict)

    def rules(self, since: date) -> list[Count]:
        return self._daily(since, decision.c.rule)

    def _daily(self, since: date, name: ColumnElement[Any]) -> list[Count]:
        start = datetime.combine(since, time(), UTC)
        day: ColumnElement[str]
        if self._database.sqlite:
            day = func.date(decision.c.decided_at)
        else:
            day = func.to_char(func.timezone("UTC", decision.c.decided_at), "YYYY-MM-DD")
        per = select(day.label("day"), name.label("name")).where(decision.c.decided_at >= start)
        days = per.subquery()
        query = (
            select(days.c.day, days.c.name, func.count())
            .group_by(days.c.day, days.c.name)
            .order_by(days.c.day, days.c.name)
        )
        with self._database.reading() as connection:
            found = connection.execute(query)
            return [Count(date.fromisoformat(row[0]), row[1], row[2]) for row in found]

    def standing(self) -> Mapping[str, int]:
        """Messages of open tickets, or of none, by verdict; beyond a thousand nobody counts."""
        counts = []
        for verdict in _WAITING:
            some = (
                select(message.c.queue_id)
                .outerjoin(tickets, tickets.c.number == message.c.ticket)
                .where(message.c.verdict == verdict)
                .where(message.c.ticket.is_(None) | (tickets.c.state == "open"))
                .limit(_COUNTED)
                .subquery()
            )
            counts.append(select(literal(verdict), func.count()).select_from(some))
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(union_all(*counts))}

    def troubles(self, since: datetime, limit: int = 100) -> list[Trouble]:
        """Mails of ours that came back or were refused, contacts who disowned a message, and
        addresses that are paused, however long ago."""
        came_back = (
            select(outbox)
            .where(outbox.c.state.in_(("bounced", "failed")), outbox.c.created_at >= since)
            .order_by(outbox.c.created_at.desc())
            .limit(limit)
        )
        disowned = (
            select(link)
            .where(link.c.state == "denied", link.c.decided_at >= since)
            .order_by(link.c.decided_at.desc())
            .limit(limit)
        )
        with self._database.reading() as connection:
            found = [
                Trouble(
                    "bounced",
                    row.created_at,
                    row.envelope_to or row.to_address,
                    row.contact_id,
                    row.ticket,
                    row.last_reply,
                )
                for row in connection.execute(came_back)
            ]
            found += [
                Trouble("muted", row.decided_at, row.address, row.contact_id, row.ticket, "")
                for row in connection.execute(disowned)
            ]
            found += [
                Trouble("paused", row.paused_at, row.address, None, None, "")
                for row in connection.execute(
                    select(paused_address)
                    .where(paused_address.c.ended_at.is_(None))
                    .order_by(paused_address.c.paused_at.desc())
                    .limit(limit)
                )
            ]
        return sorted(found, key=lambda trouble: trouble.at, reverse=True)[:limit]
