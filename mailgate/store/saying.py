"""What goes out with a decision, inside its transaction: mails within their limits, link, token."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from mailgate.model.addresses import address_key
from mailgate.model.notice import Notice
from mailgate.model.outcome import Composed, NewToken, Outcome
from mailgate.model.ticket import Link
from mailgate.store import events, rows
from mailgate.store.access_tokens import issue_within, lock_contact
from mailgate.store.limits import LETTERS, Budget, exceeded, token_letter_exceeded
from mailgate.store.people_tables import access_token
from mailgate.store.tables import link, outbox
from mailgate.store.tables import ticket as tickets

#: Whoever asks the token desk is answered so long after their mail came in, whatever there was to
#: look up and to write down meanwhile. Letters wait longer, so that their number and their way do
#: not show in the time of an answer either (B10).
ANSWERED, AFTER = timedelta(seconds=1), timedelta(seconds=2)


def say(
    connection: Connection, outcome: Outcome, composed: Composed, budget: Budget, now: datetime
) -> None:
    """Put the mails into the outbox, within the limits, with the link that one of them carries
    and the token that another does.

    Older links of the item die once a new one goes out, or once nothing is left to confirm; where
    a limit stops the new mail, the link he has stays good. What he was told already, and what a
    link he has already asks, is not said again because the directory changed.
    """
    asked = composed.link
    waits = asked is not None and _still_asked(connection, asked, now)
    notices = composed.notices
    if asked is not None and waits:
        notices = tuple(n for n in notices if n.link_nonce != asked.nonce)
    carrier = None
    for notice in notices:
        carries = asked is not None and notice.link_nonce == asked.nonce
        if not carries and _said_before(connection, notice):
            continue
        if _within(connection, outcome, notice, budget, now):
            row = {**rows.notice_row(notice, now), "due_at": _due(outcome, notice, now)}
            connection.execute(insert(outbox), row)
            carrier = notice if carries else carrier
    if carrier is not None or not (waits or outcome.decision.verdict == "pending"):
        supersede(connection, outcome.item.queue_id)
    if carrier is not None and asked is not None:
        connection.execute(insert(link), rows.link_row(asked, carrier.ticket))
    if composed.token is not None:
        _issue(connection, outcome, composed.token, budget, now)


def _due(outcome: Outcome, notice: Notice, now: datetime) -> datetime:
    if notice.template in LETTERS:
        return now + AFTER
    if notice.template == outcome.decision.acknowledge:
        return max(now, outcome.item.envelope.received_at + ANSWERED)
    return now


def _within(
    connection: Connection, outcome: Outcome, notice: Notice, budget: Budget, now: datetime
) -> bool:
    """Whether the limits leave room for it; says so where they do not.

    Answers and letters have budgets apart: what goes to a registered address must not show in
    whether the author is answered (B10).
    """
    case = outcome.case.token
    if notice.template in LETTERS:
        limit = token_letter_exceeded(
            connection,
            budget,
            now,
            to=notice.to,
            template=notice.template,
            account_id=case.account.id if case and case.account else "",
        )
    else:
        limit = exceeded(
            connection,
            budget.limits,
            now,
            to=notice.to,
            ticket=notice.ticket,
            link=notice.link_nonce is not None,
        )
    if limit is None:
        return True
    events.record(
        connection,
        now,
        "notice-suppressed",
        queue_id=outcome.item.queue_id,
        ticket=notice.ticket,
        limit=limit,
        template=notice.template,
        contact_id=notice.contact_id,
    )
    return False


def supersede(connection: Connection, queue_id: str) -> None:
    connection.execute(
        update(link)
        .where(link.c.queue_id == queue_id, link.c.state == "open")
        .values(state="superseded")
    )


def _still_asked(connection: Connection, new: Link, now: datetime) -> bool:
    """Whether a link that can still be answered asks the same of the same person."""
    query = select(link.c.token_sha256).where(
        link.c.queue_id == new.queue_id,
        link.c.contact_id == new.contact_id,
        link.c.address == new.address,
        link.c.step == new.step,
        link.c.about == new.about,
        link.c.state == "open",
        link.c.expires_at > now,
    )
    return connection.execute(query).first() is not None


def _said_before(connection: Connection, notice: Notice) -> bool:
    if notice.queue_id is None:
        return False
    query = select(outbox.c.details).where(
        outbox.c.queue_id == notice.queue_id,
        outbox.c.to_key == address_key(notice.to),
        outbox.c.template == notice.template,
    )
    said = {row.details.get("reasons") for row in connection.execute(query)}
    return notice.values.get("reasons") in said


# --- access tokens --------------------------------------------------------------------------------


def overtaken(connection: Connection, outcome: Outcome) -> bool:
    """Whether somebody else issued the contact a token, or changed the address, since this was
    gathered: then it is to be decided anew, or it would end a token that works.

    The contact is ours from here on. Call it before the item is locked, as edits do.
    """
    case, step = outcome.case.token, outcome.decision.token
    if step != "issue" or case is None or case.contact is None:
        return False
    whose = lock_contact(connection, case.contact.id)
    newest = select(access_token.c.id).where(access_token.c.contact_id == case.contact.id)
    last = connection.execute(newest.order_by(access_token.c.id.desc()).limit(1)).scalar()
    known = case.last.id if case.last else None
    return (
        whose is None
        or last != known
        or not whose.signs_in
        or whose.address_key != address_key(case.contact.address)
    )


def _issue(
    connection: Connection, outcome: Outcome, token: NewToken, budget: Budget, now: datetime
) -> None:
    """Issue the token and mail it; with that the correspondence has come to its end."""
    if not _within(connection, outcome, token.notice, budget, now):
        return
    queue_id, number = outcome.item.queue_id, token.notice.ticket
    issued = issue_within(
        connection,
        token,
        f"desk:{outcome.item.desk}",
        now,
        queue_id=queue_id,
        due_at=now + AFTER,
    )
    if issued is None or number is None:
        return
    closed = connection.execute(
        update(tickets)
        .where(tickets.c.number == number, tickets.c.state == "open")
        .values(state="closed", closed_at=now)
    )
    if closed.rowcount:
        events.record(
            connection, now, "ticket-closed", queue_id=queue_id, ticket=number, reason="answered"
        )
