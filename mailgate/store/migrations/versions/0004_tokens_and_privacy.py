"""The token desk and personal data: requests, holds, restrictions, what remains, what is due."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
STANDS = sa.text("lifted_at IS NULL")
UNDONE = sa.text("state IN ('open', 'waiting')")
LIVE = sa.text("revoked_at IS NULL")

#: The oldest part of the audit log may go once its head says that the log begins later.
SQLITE = (
    "DROP TRIGGER audit_never_removed",
    """\
CREATE TRIGGER audit_never_removed BEFORE DELETE ON audit
WHEN old.id >= (SELECT first FROM audit_head) BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END""",
)
POSTGRESQL = (
    "DROP TRIGGER audit_never_changed ON audit",
    """\
CREATE TRIGGER audit_never_changed BEFORE UPDATE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_only_added_to()""",
    """\
CREATE FUNCTION audit_only_oldest_removed() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN IF old.id >= (SELECT first FROM audit_head) THEN
     RAISE EXCEPTION ''the audit log is only added to''; END IF; RETURN old; END'""",
    """\
CREATE TRIGGER audit_never_removed BEFORE DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_only_oldest_removed()""",
)


def upgrade() -> None:
    _columns()
    _requests()
    _against()
    _remains()
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE if on_sqlite else POSTGRESQL:
        op.execute(statement)


def _id() -> sa.Column[int]:
    return sa.Column("id", ID, sa.Identity(), nullable=False)


def _columns() -> None:
    op.add_column("access_token", sa.Column("queue_id", sa.String(length=32)))
    op.add_column(
        "access_token",
        sa.Column("scopes", sa.Text(), server_default='["panel"]', nullable=False),
    )
    op.add_column("access_token", sa.Column("warned", sa.Integer()))
    op.create_index("ix_access_token_queue_id", "access_token", ["queue_id"])
    op.create_index(
        "ix_access_token_expires_at",
        "access_token",
        ["expires_at"],
        sqlite_where=LIVE,
        postgresql_where=LIVE,
    )
    op.add_column(
        "link", sa.Column("about", sa.String(length=16), server_default="message", nullable=False)
    )
    op.create_index("ix_link_contact_id", "link", ["contact_id"])
    op.add_column("audit_head", sa.Column("first", ID, server_default="1", nullable=False))
    op.add_column(
        "audit_head",
        sa.Column("first_prev", sa.String(length=64), server_default="0" * 64, nullable=False),
    )


def _requests() -> None:
    op.create_table(
        "privacy_request",
        _id(),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("address_key", sa.Text(), nullable=False),
        sa.Column("contact_id", ID),
        sa.Column("account_id", sa.Text()),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("filed_by", sa.Text(), nullable=False),
        sa.Column("filed_at", TIME, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("alerted_at", TIME),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("closed_at", TIME),
        sa.Column("closed_by", sa.Text(), server_default="", nullable=False),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.Column("receipt", sa.Text(), server_default="{}", nullable=False),
        sa.CheckConstraint(
            "kind IN ('access', 'portability', 'rectify', 'erase', 'restrict', 'object')",
            name=op.f("ck_privacy_request_kind"),
        ),
        sa.CheckConstraint(
            "state IN ('open', 'waiting', 'done', 'refused')", name=op.f("ck_privacy_request_state")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_privacy_request"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_privacy_request_address_key", "privacy_request", ["address_key"])
    op.create_index("ix_privacy_request_contact_id", "privacy_request", ["contact_id"])
    op.create_index(
        "ix_privacy_request_due_at",
        "privacy_request",
        ["due_at"],
        sqlite_where=UNDONE,
        postgresql_where=UNDONE,
    )


def _against() -> None:
    op.create_table(
        "privacy_hold",
        _id(),
        sa.Column("address_key", sa.Text()),
        sa.Column("address", sa.Text()),
        sa.Column("ticket", ID),
        sa.Column("account_id", sa.Text()),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("lifted_at", TIME),
        sa.Column("lifted_by", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "(CASE WHEN address_key IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN ticket IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN account_id IS NULL THEN 0 ELSE 1 END) = 1",
            name=op.f("ck_privacy_hold_one"),
        ),
        sa.PrimaryKeyConstraint("id", name="pk_privacy_hold"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_privacy_hold_address_key",
        "privacy_hold",
        ["address_key"],
        sqlite_where=STANDS,
        postgresql_where=STANDS,
    )
    op.create_table(
        "privacy_restriction",
        _id(),
        sa.Column("address_key", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("lifted_at", TIME),
        sa.Column("lifted_by", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_privacy_restriction"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_privacy_restriction_stands",
        "privacy_restriction",
        ["address_key"],
        unique=True,
        sqlite_where=STANDS,
        postgresql_where=STANDS,
    )


def _remains() -> None:
    op.create_table(
        "correction",
        _id(),
        sa.Column("contact_id", ID, nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("old", sa.Text(), nullable=False),
        sa.Column("new", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_correction"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_correction_contact_id", "correction", ["contact_id"])
    op.create_table(
        "claim_record",
        sa.Column("queue_id", sa.String(length=32), nullable=False),
        sa.Column("ticket", ID),
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("account_id", sa.Text()),
        sa.Column("contact_id", ID),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("decided_at", TIME),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("policy_sha256", sa.String(length=64), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("ended_at", TIME, nullable=False),
        sa.Column("removed_at", TIME, nullable=False),
        sa.Column("removed_why", sa.String(length=16), nullable=False),
        sa.CheckConstraint(
            "removed_why IN ('retention', 'erasure')", name=op.f("ck_claim_record_removed_why")
        ),
        sa.PrimaryKeyConstraint("queue_id", name="pk_claim_record"),
    )
    for column in ("ticket", "contact_id", "ended_at"):
        op.create_index(f"ix_claim_record_{column}", "claim_record", [column])
    op.create_table(
        "duty",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("last_at", TIME),
        sa.Column("next_at", TIME),
        sa.Column("seen_at", TIME),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_duty"),
    )
    op.create_table(
        "paused_address",
        sa.Column("address_key", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("paused_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
        sa.PrimaryKeyConstraint("address_key", name="pk_paused_address"),
    )
