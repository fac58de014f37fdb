"""The tables of personal data: what was asked, what must be kept, what remains, what is due."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, String, Table, Text, text

from mailgate.model.privacy import REQUEST_KINDS
from mailgate.store.tables import metadata, numbered, one_of, only
from mailgate.store.types import Id, Json, Key, Moment, Words

STANDS = text("lifted_at IS NULL")
IS_UNDONE = text("state IN ('open', 'waiting')")

privacy_request = Table(
    "privacy_request",
    metadata,
    numbered("id"),
    Column("kind", String(16), nullable=False),
    Column("address", Words, nullable=False),
    Column("address_key", Key, nullable=False, index=True),
    Column("contact_id", Id, index=True),
    Column("account_id", Words),
    Column("text", Words, nullable=False),
    Column("filed_by", Words, nullable=False),
    Column("filed_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("alerted_at", Moment),
    Column("state", String(16), nullable=False),
    Column("closed_at", Moment),
    Column("closed_by", Words, nullable=False, server_default=""),
    Column("outcome", Words, nullable=False, server_default=""),
    Column("receipt", Json, nullable=False, server_default="{}"),
    Index("ix_privacy_request_due_at", "due_at", **only(IS_UNDONE)),
    one_of("kind", *REQUEST_KINDS),
    one_of("state", "open", "waiting", "done", "refused"),
    sqlite_autoincrement=True,
)

privacy_hold = Table(
    "privacy_hold",
    metadata,
    numbered("id"),
    Column("address_key", Key),
    Column("address", Words),
    Column("ticket", Id),
    Column("account_id", Words),
    Column("ground", Words, nullable=False),
    Column("who", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Column("lifted_at", Moment),
    Column("lifted_by", Words, nullable=False, server_default=""),
    Index("ix_privacy_hold_address_key", "address_key", **only(STANDS)),
    CheckConstraint(
        "(CASE WHEN address_key IS NULL THEN 0 ELSE 1 END)"
        " + (CASE WHEN ticket IS NULL THEN 0 ELSE 1 END)"
        " + (CASE WHEN account_id IS NULL THEN 0 ELSE 1 END) = 1",
        name="one",
    ),
    sqlite_autoincrement=True,
)

privacy_restriction = Table(
    "privacy_restriction",
    metadata,
    numbered("id"),
    Column("address_key", Key, nullable=False),
    Column("address", Words, nullable=False),
    Column("why", Words, nullable=False),
    Column("who", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Column("lifted_at", Moment),
    Column("lifted_by", Words, nullable=False, server_default=""),
    Index("uq_privacy_restriction_stands", "address_key", unique=True, **only(STANDS)),
    sqlite_autoincrement=True,
)

#: Rows are only ever added: what stood in the directory before it was put right.
correction = Table(
    "correction",
    metadata,
    numbered("id"),
    Column("contact_id", Id, nullable=False, index=True),
    Column("what", String(16), nullable=False),
    Column("old", Words, nullable=False),
    Column("new", Words, nullable=False),
    Column("who", Words, nullable=False),
    Column("why", Words, nullable=False),
    Column("at", Moment, nullable=False),
    sqlite_autoincrement=True,
)

#: What remains of a message as evidence: that there was one, when, and what was decided. No name,
#: no address, no word of it; the hash proves a copy that somebody else may have.
claim_record = Table(
    "claim_record",
    metadata,
    Column("queue_id", String(32), primary_key=True),
    Column("ticket", Id, index=True),
    Column("desk", Text, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("account_id", Words),
    Column("contact_id", Id, index=True),
    Column("received_at", Moment, nullable=False),
    Column("decided_at", Moment),
    Column("verdict", String(16), nullable=False),
    Column("rule", Text, nullable=False),
    Column("reasons", Json, nullable=False),
    Column("policy_sha256", String(64), nullable=False),
    Column("content_sha256", String(64), nullable=False),
    Column("ended_at", Moment, nullable=False, index=True),
    Column("removed_at", Moment, nullable=False),
    Column("removed_why", String(16), nullable=False),
    one_of("removed_why", "retention", "erasure"),
)

#: What the house does by the clock, a row each: when it was done last, and when somebody may take
#: it again. The row of the clock itself has `seen_at`, the latest time any machine has seen.
duty = Table(
    "duty",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("last_at", Moment),
    Column("next_at", Moment),
    Column("seen_at", Moment),
    Column("note", Text, nullable=False, server_default=""),
)
