"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("company", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
    )
    op.create_table(
        "content",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("octets", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_content"),
    )
    op.create_table(
        "event",
        sa.Column("id", ID, sa.Identity(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("what", sa.String(length=64), nullable=False),
        sa.Column("queue_id", sa.String(length=32)),
        sa.Column("ticket", ID),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_event_queue_id", "event", ["queue_id"])
    op.create_index("ix_event_ticket", "event", ["ticket"])
    op.create_index("ix_event_what", "event", ["what", "at"])

    op.create_table(
        "outbox",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("to_address", sa.Text(), nullable=False),
        sa.Column("to_key", sa.Text(), nullable=False),
        sa.Column("to_name", sa.Text(), nullable=False),
        sa.Column("contact_id", ID),
        sa.Column("queue_id", sa.String(length=32)),
        sa.Column("ticket", ID),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("date", TIME, nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("in_reply_to", sa.Text()),
        sa.Column("link_nonce", sa.String(length=64)),
        sa.Column("link_step", sa.String(length=16)),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", TIME),
        sa.Column("last_reply", sa.Text(), server_default="", nullable=False),
        sa.Column("claimed_by", sa.Text()),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("sent_at", TIME),
        sa.CheckConstraint(
            "(due_at IS NOT NULL) = (state = 'waiting')", name=op.f("ck_outbox_due")
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'active', 'sent', 'failed', 'bounced')",
            name=op.f("ck_outbox_state"),
        ),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )
    op.create_index(
        "ix_outbox_due_at",
        "outbox",
        ["due_at"],
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_outbox_links",
        "outbox",
        ["created_at"],
        sqlite_where=sa.text("link_nonce IS NOT NULL"),
        postgresql_where=sa.text("link_nonce IS NOT NULL"),
    )
    op.create_index("ix_outbox_queue_id", "outbox", ["queue_id"])
    op.create_index("ix_outbox_state", "outbox", ["state", "created_at"])
    op.create_index("ix_outbox_ticket", "outbox", ["ticket", "created_at"])
    op.create_index("ix_outbox_to_key", "outbox", ["to_key", "created_at"])

    op.create_table(
        "ticket",
        sa.Column("number", ID, sa.Identity(), nullable=False),
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("standing", sa.String(length=16), nullable=False),
        sa.Column("epoch", sa.Integer(), server_default="0", nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("account_id", sa.Text()),
        sa.Column("service_id", ID),
        sa.Column("opener_id", ID),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("closed_at", TIME),
        sa.CheckConstraint(
            "standing IN ('none', 'authorized', 'pending', 'unauthorized')",
            name=op.f("ck_ticket_standing"),
        ),
        sa.CheckConstraint("state IN ('open', 'closed')", name=op.f("ck_ticket_state")),
        sa.PrimaryKeyConstraint("number", name="pk_ticket"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ticket_account_id", "ticket", ["account_id", "updated_at"])
    op.create_index("ix_ticket_updated_at", "ticket", ["updated_at"])

    op.create_table(
        "contact",
        sa.Column("id", ID, sa.Identity(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("address_key", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=8)),
        sa.CheckConstraint(
            "role IN ('main', 'technical', 'additional')", name=op.f("ck_contact_role")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_contact_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_contact"),
        sa.UniqueConstraint("account_id", "address_key", name="uq_contact_account_id_address_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_contact_address_key", "contact", ["address_key"])
    op.create_index(
        "uq_contact_main",
        "contact",
        ["account_id"],
        unique=True,
        sqlite_where=sa.text("role = 'main'"),
        postgresql_where=sa.text("role = 'main'"),
    )

    op.create_table(
        "item",
        sa.Column("queue_id", sa.String(length=32), nullable=False),
        sa.Column("dedup_key", sa.String(length=64), nullable=False),
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("reverse_path", sa.Text(), nullable=False),
        sa.Column("recipients", sa.Text(), nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("helo", sa.Text(), nullable=False),
        sa.Column("protocol", sa.String(length=16), nullable=False),
        sa.Column("tls", sa.Boolean(), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text()),
        sa.Column("state", sa.String(length=16), server_default="incoming", nullable=False),
        sa.Column("due_at", TIME),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("claim", sa.Integer(), server_default="0", nullable=False),
        sa.Column("revision", sa.Integer(), server_default="0", nullable=False),
        sa.Column("claimed_by", sa.Text()),
        sa.Column("claimed_at", TIME),
        sa.Column("last_error", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "(due_at IS NOT NULL) = (state IN ('incoming', 'deferred'))", name=op.f("ck_item_due")
        ),
        sa.CheckConstraint(
            "state IN ('incoming', 'active', 'deferred', 'hold', 'done')",
            name=op.f("ck_item_state"),
        ),
        sa.ForeignKeyConstraint(["sha256"], ["content.sha256"], name="fk_item_sha256"),
        sa.PrimaryKeyConstraint("queue_id", name="pk_item"),
        sa.UniqueConstraint("dedup_key", name="uq_item_dedup_key"),
    )
    op.create_index(
        "ix_item_due_at",
        "item",
        ["due_at", "queue_id"],
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_item_sha256", "item", ["sha256"])
    op.create_index("ix_item_state", "item", ["state", "received_at"])

    op.create_table(
        "service",
        sa.Column("id", ID, sa.Identity(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_service_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_service"),
        sa.UniqueConstraint("account_id", "identifier", name="uq_service_account_id_identifier"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "decision",
        sa.Column("id", ID, sa.Identity(), nullable=False),
        sa.Column("queue_id", sa.String(length=32), nullable=False),
        sa.Column("ticket", ID),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("decided_at", TIME, nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("sources", sa.Text(), nullable=False),
        sa.Column("trace", sa.Text(), nullable=False),
        sa.Column("policy_sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["queue_id"], ["item.queue_id"], name="fk_decision_queue_id"),
        sa.PrimaryKeyConstraint("id", name="pk_decision"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_decision_queue_id", "decision", ["queue_id"])

    op.create_table(
        "link",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("queue_id", sa.String(length=32), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("ticket", ID),
        sa.Column("contact_id", ID, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("decided_at", TIME),
        sa.CheckConstraint(
            "state IN ('open', 'confirmed', 'denied', 'superseded')", name=op.f("ck_link_state")
        ),
        sa.ForeignKeyConstraint(["queue_id"], ["item.queue_id"], name="fk_link_queue_id"),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_link"),
    )
    op.create_index("ix_link_queue_id", "link", ["queue_id"])
    op.create_index("ix_link_ticket", "link", ["ticket", "contact_id"])

    op.create_table(
        "message",
        sa.Column("queue_id", sa.String(length=32), nullable=False),
        sa.Column("ticket", ID),
        sa.Column("account_id", sa.Text()),
        sa.Column("contact_id", ID),
        sa.Column("author", sa.Text()),
        sa.Column("author_key", sa.Text()),
        sa.Column("message_id", sa.Text()),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("date", TIME),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("reply_text", sa.Text(), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("claimed_ticket", ID),
        sa.Column("decided_at", TIME, nullable=False),
        sa.CheckConstraint(
            "verdict IN ('authorized', 'pending', 'unauthorized', 'filed', 'held')",
            name=op.f("ck_message_verdict"),
        ),
        sa.ForeignKeyConstraint(["queue_id"], ["item.queue_id"], name="fk_message_queue_id"),
        sa.ForeignKeyConstraint(["ticket"], ["ticket.number"], name="fk_message_ticket"),
        sa.PrimaryKeyConstraint("queue_id", name="pk_message"),
    )
    op.create_index("ix_message_author_key", "message", ["author_key", "received_at"])
    op.create_index("ix_message_claimed_ticket", "message", ["claimed_ticket", "received_at"])
    op.create_index("ix_message_message_id", "message", ["message_id"])
    op.create_index("ix_message_ticket", "message", ["ticket", "verdict"])

    op.create_table(
        "share",
        sa.Column("contact_id", ID, nullable=False),
        sa.Column("service_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name="fk_share_contact_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["service_id"], ["service.id"], name="fk_share_service_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("contact_id", "service_id", name="pk_share"),
    )
    op.create_index("ix_share_service_id", "share", ["service_id"])

    op.create_table(
        "named",
        sa.Column("queue_id", sa.String(length=32), nullable=False),
        sa.Column("address_key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["queue_id"], ["message.queue_id"], name="fk_named_queue_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("queue_id", "address_key", name="pk_named"),
    )
    op.create_index("ix_named_address_key", "named", ["address_key"])
