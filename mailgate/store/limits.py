"""Bounds on our own mail, counted in the outbox inside the transaction that would add to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, ScalarSelect, TextClause, func, select

from mailgate.model.addresses import address_key
from mailgate.settings import Limits
from mailgate.store.paused import ALLOWED, is_paused
from mailgate.store.tables import CARRIES_LINK, contact, outbox

#: The one template whose text a person writes.
BY_A_PERSON = "staff-answer"
#: What no message asked for: people ask on a page, or must be told.
LETTERS = (
    "access-ended",
    "access-token",
    "access-token-expires",
    "address-changed",
    "confirm-main-change",
    "privacy-answered",
    "sign-in-link",
    "token-approval",
    "token-refused",
    "token-verify",
    "verify-address",
)
#: Letters about access tokens: what all contacts of an account get is bounded together.
TOKEN_LETTERS = ("access-token", "token-approval", "token-refused", "token-verify")

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)

#: Name of a limit, how much it allows, and the count of what was sent.
_Bound = tuple[str, int, ScalarSelect[int]]


@dataclass(frozen=True, slots=True)
class Budget:
    """How much mail of our own there may be; `tokens_per_account` are letters of an hour."""

    limits: Limits
    tokens_per_account: int


def exceeded(
    connection: Connection,
    limits: Limits,
    now: datetime,
    *,
    to: str,
    ticket: int | None,
    link: bool,
) -> str | None:
    """The first limit that one more mail would break, or None.

    Everything queued counts, sent or not. Two workers that write to one person at the same moment
    may pass a limit by one; per ticket they cannot, for its row is locked.
    """
    if is_paused(connection, to):
        return "address-paused"
    bounds = list(_bounds(limits, now, address_key(to), ticket, link=link))
    counts = connection.execute(select(*(count for _, _, count in bounds))).one()
    for (name, allowed, _), found in zip(bounds, counts, strict=True):
        if found >= allowed:
            return name
    return None


def letter_exceeded(
    connection: Connection, limits: Limits, now: datetime, *, to: str, template: str
) -> bool:
    """Whether one more mail that somebody asks for on a page, to sign in say, would be too many.

    Each kind has a budget of its own, apart from that of answers to mail: mail in somebody's name,
    forged or not, must not keep them from signing in (promise W5), and whoever asks for links on
    our pages must not keep a confirmation from its reader.
    """
    if template not in ALLOWED and is_paused(connection, to):
        return True
    kind = outbox.c.template == template
    his = (kind, outbox.c.to_key == address_key(to))
    bounds = (
        (limits.links_per_contact_hour, _since(now - _HOUR, *his)),
        (limits.links_per_contact_day, _since(now - _DAY, *his)),
        (limits.links_per_hour, _since(now - _HOUR, kind)),
    )
    counts = connection.execute(select(*(count for _, count in bounds))).one()
    return any(found >= allowed for (allowed, _), found in zip(bounds, counts, strict=True))


def token_letter_exceeded(
    connection: Connection,
    budget: Budget,
    now: datetime,
    *,
    to: str,
    template: str,
    account_id: str,
) -> str | None:
    """The limit that one more mail about an access token would break, or None.

    Anybody can write to the token desk in anybody's name: a registered address gets few such mails,
    and so do all addresses of an account together.
    """
    if letter_exceeded(connection, budget.limits, now, to=to, template=template):
        return "letters"
    of_account = select(contact.c.id).where(contact.c.account_id == account_id)
    sent = _since(
        now - _HOUR,
        outbox.c.template.in_(TOKEN_LETTERS),
        outbox.c.contact_id.in_(of_account.scalar_subquery()),
    )
    found = connection.execute(select(sent)).scalar_one()
    return "per_account_hour" if found >= budget.tokens_per_account else None


def _bounds(
    limits: Limits, now: datetime, to_key: str, ticket: int | None, *, link: bool
) -> Iterator[_Bound]:
    hour, day = now - _HOUR, now - _DAY
    person = outbox.c.to_key == to_key
    yield "per_sender_hour", limits.per_sender_hour, _count(hour, person)
    yield "per_sender_day", limits.per_sender_day, _count(day, person)
    if ticket is not None:
        yield "per_ticket_hour", limits.per_ticket_hour, _count(hour, outbox.c.ticket == ticket)
    if not link:
        return
    yield "links_per_contact_hour", limits.links_per_contact_hour, _links(hour, person)
    yield "links_per_contact_day", limits.links_per_contact_day, _links(day, person)
    if ticket is not None:
        of_ticket = outbox.c.ticket == ticket
        yield "links_per_ticket_day", limits.links_per_ticket_day, _links(day, of_ticket)
    yield "links_per_hour", limits.links_per_hour, _links(hour)


def _count(since: datetime, *where: ColumnElement[bool] | TextClause) -> ScalarSelect[int]:
    """Answers to mail alone: what people write or ask for is neither bounded here nor counted."""
    return _since(since, outbox.c.template.not_in((BY_A_PERSON, *LETTERS)), *where)


def _links(since: datetime, *where: ColumnElement[bool] | TextClause) -> ScalarSelect[int]:
    return _count(since, CARRIES_LINK, *where)


def _since(since: datetime, *where: ColumnElement[bool] | TextClause) -> ScalarSelect[int]:
    query = select(func.count()).select_from(outbox).where(outbox.c.created_at > since, *where)
    return query.scalar_subquery()
