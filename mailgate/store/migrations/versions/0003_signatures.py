"""DKIM signatures of authorized messages, by which a replay is known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "signature",
        sa.Column("queue_id", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["queue_id"], ["message.queue_id"], name="fk_signature_queue_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("queue_id", "digest", name="pk_signature"),
    )
    op.create_index("ix_signature_digest", "signature", ["digest"])
