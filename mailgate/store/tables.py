"""The tables of mail: what came in, who may ask, what was made of it, what we ask and say.

With `people_tables.py` they are all there are; the tests hold migrations and schema.sql against
them.

History (item, message, decision, link, outbox, event) names contacts, accounts and services by
id without a foreign key, because the directory changes and history must not. Their ids are never
given out twice.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TextClause,
    UniqueConstraint,
    text,
    true,
)

from mailgate.store.types import Id, Json, Key, Moment, Words

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: What the partial indexes hold. `due_at` is set exactly while a row waits for its turn: queues are
#: asked for by it alone, because a query that names the state too may be given another index.
IS_DUE = text("due_at IS NOT NULL")
CARRIES_LINK = text("link_nonce IS NOT NULL")
IS_MAIN = text("role = 'main'")


def only(rows: TextClause) -> dict[str, Any]:
    return {"sqlite_where": rows, "postgresql_where": rows}


def one_of(column: str, *values: str) -> CheckConstraint:
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", name=column)


def numbered(name: str) -> Column[int]:
    return Column(name, Id, Identity(), primary_key=True)


# --- what came in ---------------------------------------------------------------------------

content = Table(
    "content",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("size", Integer, nullable=False),
    Column("octets", LargeBinary, nullable=False),
)

item = Table(
    "item",
    metadata,
    Column("queue_id", String(32), primary_key=True),
    Column("dedup_key", String(64), nullable=False, unique=True),
    Column("desk", Text, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("sha256", String(64), ForeignKey("content.sha256"), nullable=False, index=True),
    Column("reverse_path", Words, nullable=False),
    Column("recipients", Json, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("client", Words, nullable=False),
    Column("helo", Words, nullable=False),
    Column("protocol", String(16), nullable=False),
    Column("tls", Boolean, nullable=False),
    Column("entered_by", Words, nullable=False),
    Column("account_id", Words),
    Column("state", String(16), nullable=False, server_default="incoming"),
    Column("due_at", Moment),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("claim", Integer, nullable=False, server_default="0"),
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("claimed_by", Words),
    Column("claimed_at", Moment),
    Column("last_error", Words, nullable=False, server_default=""),
    one_of("state", "incoming", "active", "deferred", "hold", "done"),
    CheckConstraint("(due_at IS NOT NULL) = (state IN ('incoming', 'deferred'))", name="due"),
)
Index("ix_item_due_at", item.c.due_at, item.c.queue_id, **only(IS_DUE))
Index("ix_item_state", item.c.state, item.c.received_at)

# --- who may ask for what -------------------------------------------------------------------

account = Table(
    "account",
    metadata,
    Column("id", Words, primary_key=True),
    Column("company", Words, nullable=False),
    Column("language", String(8), nullable=False),
    Column("updated_at", Moment, nullable=False),
)

contact = Table(
    "contact",
    metadata,
    numbered("id"),
    Column("account_id", Words, ForeignKey("account.id"), nullable=False),
    Column("address", Words, nullable=False),
    Column("address_key", Key, nullable=False, index=True),
    Column("role", String(16), nullable=False),
    Column("name", Words, nullable=False),
    Column("language", String(8)),
    Column("signs_in", Boolean, nullable=False, server_default=true()),
    UniqueConstraint("account_id", "address_key"),
    one_of("role", "main", "technical", "additional"),
    sqlite_autoincrement=True,
)
Index("uq_contact_main", contact.c.account_id, unique=True, **only(IS_MAIN))

service = Table(
    "service",
    metadata,
    numbered("id"),
    Column("account_id", Words, ForeignKey("account.id"), nullable=False),
    Column("identifier", Words, nullable=False),
    Column("name", Words, nullable=False),
    UniqueConstraint("account_id", "identifier"),
    sqlite_autoincrement=True,
)

share = Table(
    "share",
    metadata,
    Column("contact_id", Id, ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True),
    Column(
        "service_id", Id, ForeignKey("service.id", ondelete="CASCADE"), primary_key=True, index=True
    ),
)

# --- what was made of it --------------------------------------------------------------------

ticket = Table(
    "ticket",
    metadata,
    numbered("number"),
    Column("desk", Text, nullable=False),
    Column("subject", Words, nullable=False),
    Column("state", String(16), nullable=False),
    Column("standing", String(16), nullable=False),
    Column("epoch", Integer, nullable=False, server_default="0"),
    Column("language", String(8), nullable=False),
    Column("account_id", Words),
    Column("service_id", Id),
    Column("opener_id", Id),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("closed_at", Moment),
    Index("ix_ticket_account_id", "account_id", "updated_at"),
    Index("ix_ticket_updated_at", "updated_at"),
    Index("ix_ticket_standing", "standing", "updated_at"),
    Index("ix_ticket_service_id", "service_id", "updated_at"),
    one_of("state", "open", "closed"),
    one_of("standing", "none", "authorized", "pending", "unauthorized"),
    sqlite_autoincrement=True,
)

message = Table(
    "message",
    metadata,
    Column("queue_id", String(32), ForeignKey("item.queue_id"), primary_key=True),
    Column("ticket", Id, ForeignKey("ticket.number")),
    Column("account_id", Words),
    Column("contact_id", Id),
    Column("author", Words),
    Column("author_key", Key),
    Column("message_id", Key, index=True),
    Column("subject", Words, nullable=False),
    Column("date", Moment),
    Column("received_at", Moment, nullable=False),
    Column("text", Words, nullable=False),
    Column("reply_text", Words, nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("rule", Words, nullable=False),
    Column("reasons", Json, nullable=False),
    Column("labels", Json, nullable=False),
    Column("facts", Json, nullable=False),
    Column("code", String(16), nullable=False),
    Column("claimed_ticket", Id),
    Column("decided_at", Moment, nullable=False),
    Column("author_name", Words, nullable=False, server_default=""),
    Column("automatic", String(16), nullable=False, server_default="no"),
    Column("attachments", Json, nullable=False, server_default="[]"),
    Index("ix_message_verdict", "verdict", "queue_id"),
    Index("ix_message_account_id", "account_id", "queue_id"),
    Index("ix_message_contact_id", "contact_id", "verdict"),
    Index("ix_message_ticket", "ticket", "verdict"),
    Index("ix_message_claimed_ticket", "claimed_ticket", "received_at"),
    Index("ix_message_author_key", "author_key", "received_at"),
    one_of("verdict", "authorized", "pending", "unauthorized", "filed", "held"),
)

#: Everybody in To and Cc of a message, once.
named = Table(
    "named",
    metadata,
    Column(
        "queue_id",
        String(32),
        ForeignKey("message.queue_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("address_key", Key, primary_key=True, index=True),
)

#: Digests of the DKIM signatures of an authorized message.
signature = Table(
    "signature",
    metadata,
    Column(
        "queue_id",
        String(32),
        ForeignKey("message.queue_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("digest", String(64), primary_key=True, index=True),
)

#: One row a judgement; never changed.
decision = Table(
    "decision",
    metadata,
    numbered("id"),
    Column("queue_id", String(32), ForeignKey("item.queue_id"), nullable=False, index=True),
    Column("ticket", Id),
    Column("revision", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("decided_at", Moment, nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("rule", Words, nullable=False),
    Column("reasons", Json, nullable=False),
    Column("facts", Json, nullable=False),
    Column("sources", Json, nullable=False),
    Column("trace", Json, nullable=False),
    Column("policy_sha256", String(64), nullable=False),
    Index("ix_decision_decided_at", "decided_at", "verdict", "rule"),
    sqlite_autoincrement=True,
)

# --- what we ask and say --------------------------------------------------------------------

link = Table(
    "link",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("nonce", String(64), nullable=False),
    Column("queue_id", String(32), ForeignKey("item.queue_id"), nullable=False, index=True),
    Column("content_sha256", String(64), nullable=False),
    Column("ticket", Id),
    Column("contact_id", Id, nullable=False, index=True),
    Column("address", Words, nullable=False),
    Column("step", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("decided_at", Moment),
    Column("about", String(16), nullable=False, server_default="message"),
    Index("ix_link_ticket", "ticket", "contact_id"),
    one_of("state", "open", "confirmed", "denied", "superseded"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("template", Text, nullable=False),
    Column("language", String(8), nullable=False),
    Column("desk", Text, nullable=False),
    Column("to_address", Words, nullable=False),
    Column("to_key", Key, nullable=False),
    Column("to_name", Words, nullable=False),
    Column("contact_id", Id),
    Column("queue_id", String(32), index=True),
    Column("ticket", Id),
    Column("message_id", Text, nullable=False),
    Column("date", Moment, nullable=False),
    Column("details", Json, nullable=False),
    Column("in_reply_to", Words),
    Column("link_nonce", String(64)),
    Column("link_step", String(16)),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", Moment),
    Column("last_reply", Words, nullable=False, server_default=""),
    Column("claimed_by", Words),
    Column("created_at", Moment, nullable=False),
    Column("sent_at", Moment),
    Column("cc", Json, nullable=False, server_default="[]"),
    Column("envelope_to", Words),
    Index("ix_outbox_to_key", "to_key", "created_at"),
    Index("ix_outbox_ticket", "ticket", "created_at"),
    Index("ix_outbox_state", "state", "created_at"),
    one_of("state", "waiting", "active", "sent", "failed", "bounced"),
    CheckConstraint("(due_at IS NOT NULL) = (state = 'waiting')", name="due"),
)
Index("ix_outbox_due_at", outbox.c.due_at, **only(IS_DUE))
Index("ix_outbox_links", outbox.c.created_at, **only(CARRIES_LINK))

#: Addresses that our mail did not reach three times in a row, until `ended_at`. The row stays after
#: that: what came back before counts no more.
paused_address = Table(
    "paused_address",
    metadata,
    Column("address_key", Key, primary_key=True),
    Column("address", Words, nullable=False),
    Column("paused_at", Moment, nullable=False),
    Column("ended_at", Moment),
)

#: Who did what to which row, when and why; rows are only ever added.
event = Table(
    "event",
    metadata,
    numbered("id"),
    Column("at", Moment, nullable=False),
    Column("who", Words, nullable=False),
    Column("what", String(64), nullable=False),
    Column("queue_id", String(32), index=True),
    Column("ticket", Id, index=True),
    Column("why", Json, nullable=False),
    Index("ix_event_what", "what", "at"),
    sqlite_autoincrement=True,
)
