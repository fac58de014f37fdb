"""The tables of people and of what they do: sessions, tokens, staff, changes, audit, search.

What opens something is kept as its SHA-256 alone; passwords as argon2id. A TOTP secret has to be
kept as it is, for both sides compute with it.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from mailgate.store.tables import metadata, numbered, one_of, only
from mailgate.store.types import Id, Json, Key, Moment, Words

#: At most one change of a kind waits for one contact, and one for one new address of an account.
IS_OPEN = text("state = 'open'")
IS_LIVE = text("revoked_at IS NULL")

# --- who may sign in, and who has -----------------------------------------------------------------

staff = Table(
    "staff",
    metadata,
    numbered("id"),
    Column("login", String(64), nullable=False, unique=True),
    Column("name", Words, nullable=False),
    Column("language", String(8), nullable=False),
    Column("role", String(16), nullable=False),
    Column("signature", Words, nullable=False, server_default=""),
    Column("password_hash", Text, nullable=False),
    Column("totp_secret", Text, nullable=False),
    Column("totp_last_step", Id, nullable=False, server_default="0"),
    Column("created_at", Moment, nullable=False),
    Column("disabled_at", Moment),
    one_of("role", "reader", "agent", "admin"),
    sqlite_autoincrement=True,
)

session = Table(
    "session",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("contact_id", Id, index=True),
    Column("staff_id", Id, ForeignKey("staff.id"), index=True),
    Column("access_token_id", Id, index=True),
    Column("via", String(16), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False, index=True),
    one_of("kind", "customer", "staff"),
    CheckConstraint("(contact_id IS NULL) <> (staff_id IS NULL)", name="whose"),
)

signin = Table(
    "signin",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("nonce", String(64), nullable=False),
    Column("contact_id", Id, nullable=False, index=True),
    Column("address", Words, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
)

access_token = Table(
    "access_token",
    metadata,
    numbered("id"),
    Column("token_sha256", String(64), nullable=False, unique=True),
    Column("contact_id", Id, nullable=False, index=True),
    Column("account_id", Words, nullable=False, index=True),
    Column("address", Words, nullable=False),
    Column("issued_at", Moment, nullable=False),
    Column("issued_by", Words, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("verified_at", Moment),
    Column("last_used_at", Moment),
    Column("revoked_at", Moment),
    Column("revoked_why", Words, nullable=False, server_default=""),
    Column("queue_id", String(32), index=True),
    Column("scopes", Json, nullable=False, server_default='["panel"]'),
    Column("warned", Integer),
    Index("ix_access_token_expires_at", "expires_at", **only(IS_LIVE)),
    sqlite_autoincrement=True,
)

api_token = Table(
    "api_token",
    metadata,
    numbered("id"),
    Column("token_sha256", String(64), nullable=False, unique=True),
    Column("staff_id", Id, ForeignKey("staff.id"), nullable=False, index=True),
    Column("name", Words, nullable=False),
    Column("scopes", Json, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("last_used_at", Moment),
    Column("revoked_at", Moment),
    sqlite_autoincrement=True,
)

attempt = Table(
    "attempt",
    metadata,
    numbered("id"),
    Column("key", Key, nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_attempt_key", "key", "at"),
    Index("ix_attempt_at", "at"),
)

# --- what people change ---------------------------------------------------------------------------

change = Table(
    "change",
    metadata,
    numbered("id"),
    Column("account_id", Words, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("contact_id", Id),
    Column("role", String(16), nullable=False),
    Column("name", Words, nullable=False),
    Column("language", String(8)),
    Column("old_address", Words, nullable=False),
    Column("new_address", Words, nullable=False),
    Column("new_key", Key, nullable=False),
    Column("requested_by", Words, nullable=False),
    Column("nonce", String(64), nullable=False),
    Column("new_sha256", String(64), nullable=False, unique=True),
    Column("old_sha256", String(64), unique=True),
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("confirmed_new_at", Moment),
    Column("confirmed_old_at", Moment),
    Column("decided_at", Moment),
    Index("ix_change_account_id", "account_id", "created_at"),
    one_of("kind", "add", "address", "main"),
    one_of("state", "open", "done", "refused", "cancelled"),
    sqlite_autoincrement=True,
)
Index("uq_change_waits", change.c.account_id, change.c.new_key, unique=True, **only(IS_OPEN))

override = Table(
    "override",
    metadata,
    numbered("id"),
    Column("queue_id", String(32), ForeignKey("item.queue_id"), nullable=False, index=True),
    Column("who", Words, nullable=False),
    Column("why", Words, nullable=False),
    Column("value", String(16), nullable=False),
    Column("at", Moment, nullable=False),
    one_of("value", "none", "refuses", "vouches"),
    sqlite_autoincrement=True,
)

saved_view = Table(
    "saved_view",
    metadata,
    numbered("id"),
    Column("staff_id", Id, ForeignKey("staff.id"), nullable=False),
    Column("name", Words, nullable=False),
    Column("query", Words, nullable=False),
    UniqueConstraint("staff_id", "name"),
    sqlite_autoincrement=True,
)

# --- the audit log --------------------------------------------------------------------------------

#: Numbered without holes by the store itself; each row's hash covers the row and the hash before.
audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("who", Words, nullable=False, index=True),
    Column("what", String(64), nullable=False),
    Column("subject", Words, nullable=False, index=True),
    Column("why", Json, nullable=False),
    Column("prev", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

#: One row: the end of the chain, and where it begins since its oldest part was removed. Whoever
#: adds to it holds this row, so the chain never forks, and a last row that somebody cut off is
#: missed.
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("last", Id, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("first", Id, nullable=False, server_default="1"),
    Column("first_prev", String(64), nullable=False, server_default="0" * 64),
    CheckConstraint("id = 1", name="one"),
)

# --- finding messages -----------------------------------------------------------------------------

#: The words of a message, each once. What finds them is made by `ddl.py`: an FTS5 table in SQLite,
#: a GIN index in PostgreSQL.
search = Table(
    "search",
    metadata,
    numbered("id"),
    Column(
        "queue_id",
        String(32),
        ForeignKey("message.queue_id", ondelete="CASCADE"),
        nullable=False,
        unique=True,
    ),
    Column("words", Text, nullable=False),
    sqlite_autoincrement=True,
)

labelled = Table(
    "labelled",
    metadata,
    Column("label", Words, primary_key=True),
    Column(
        "queue_id",
        String(32),
        ForeignKey("message.queue_id", ondelete="CASCADE"),
        primary_key=True,
        index=True,
    ),
)
