"""People and what they do: sessions, tokens, staff, changes, overrides, audit, search."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from mailgate.store import search

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)

SQLITE = (
    """\
CREATE VIRTUAL TABLE search_fts USING fts5(
    words, content='search', content_rowid='id', tokenize='ascii', detail='none', columnsize=0,
    prefix='2 3 4 5 6 7 8'
)""",
    """\
CREATE TRIGGER search_added AFTER INSERT ON search BEGIN
    INSERT INTO search_fts (rowid, words) VALUES (new.id, new.words);
END""",
    """\
CREATE TRIGGER search_removed AFTER DELETE ON search BEGIN
    INSERT INTO search_fts (search_fts, rowid, words) VALUES ('delete', old.id, old.words);
END""",
    """\
CREATE TRIGGER search_changed AFTER UPDATE ON search BEGIN
    INSERT INTO search_fts (search_fts, rowid, words) VALUES ('delete', old.id, old.words);
    INSERT INTO search_fts (rowid, words) VALUES (new.id, new.words);
END""",
    """\
CREATE TRIGGER audit_never_changed BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END""",
    """\
CREATE TRIGGER audit_never_removed BEFORE DELETE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END""",
)
POSTGRESQL = (
    """\
CREATE INDEX ix_search_words ON search
    USING gin (array_to_tsvector(string_to_array(words, ' ')))""",
    """\
CREATE FUNCTION audit_only_added_to() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN RAISE EXCEPTION ''the audit log is only added to''; END'""",
    """\
CREATE TRIGGER audit_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_only_added_to()""",
)


def upgrade() -> None:
    _more_columns()
    _staff_and_sessions()
    _tokens()
    _changes()
    _audit()
    _search()
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)
    _index_what_is_there()


def _more_columns() -> None:
    op.add_column(
        "contact", sa.Column("signs_in", sa.Boolean(), server_default=sa.true(), nullable=False)
    )
    op.add_column("message", sa.Column("author_name", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "message",
        sa.Column("automatic", sa.String(length=16), server_default="no", nullable=False),
    )
    op.add_column(
        "message", sa.Column("attachments", sa.Text(), server_default="[]", nullable=False)
    )
    op.add_column("outbox", sa.Column("cc", sa.Text(), server_default="[]", nullable=False))
    op.add_column("outbox", sa.Column("envelope_to", sa.Text()))
    op.create_index("ix_ticket_standing", "ticket", ["standing", "updated_at"])
    op.create_index("ix_ticket_service_id", "ticket", ["service_id", "updated_at"])
    op.create_index("ix_message_verdict", "message", ["verdict", "queue_id"])
    op.create_index("ix_message_account_id", "message", ["account_id", "queue_id"])
    op.create_index("ix_message_contact_id", "message", ["contact_id", "verdict"])
    op.create_index("ix_decision_decided_at", "decision", ["decided_at", "verdict", "rule"])


def _staff_and_sessions() -> None:
    op.create_table(
        "staff",
        sa.Column("id", ID, sa.Identity(), nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("signature", sa.Text(), server_default="", nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("totp_secret", sa.Text(), nullable=False),
        sa.Column("totp_last_step", ID, server_default="0", nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("disabled_at", TIME),
        sa.CheckConstraint("role IN ('reader', 'agent', 'admin')", name=op.f("ck_staff_role")),
        sa.PrimaryKeyConstraint("id", name="pk_staff"),
        sa.UniqueConstraint("login", name="uq_staff_login"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "session",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("contact_id", ID),
        sa.Column("staff_id", ID),
        sa.Column("access_token_id", ID),
        sa.Column("via", sa.String(length=16), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
        sa.CheckConstraint("kind IN ('customer', 'staff')", name=op.f("ck_session_kind")),
        sa.CheckConstraint(
            "(contact_id IS NULL) <> (staff_id IS NULL)", name=op.f("ck_session_whose")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_session_staff_id"),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_session"),
    )
    for column in ("contact_id", "staff_id", "access_token_id", "ends_at"):
        op.create_index(f"ix_session_{column}", "session", [column])
    op.create_table(
        "signin",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("contact_id", ID, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_signin"),
    )
    op.create_index("ix_signin_contact_id", "signin", ["contact_id"])
    op.create_table(
        "attempt",
        sa.Column("id", ID, sa.Identity(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_attempt"),
    )
    op.create_index("ix_attempt_key", "attempt", ["key", "at"])
    op.create_index("ix_attempt_at", "attempt", ["at"])
    op.create_table(
        "saved_view",
        sa.Column("id", ID, sa.Identity(), nullable=False),
        sa.Column("staff_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_saved_view_staff_id"),
        sa.PrimaryKeyConstraint("id", name="pk_saved_view"),
        sa.UniqueConstraint("staff_id", "name", name="uq_saved_view_staff_id_name"),
        sqlite_autoincrement=True,
    )


def _tokens() -> None:
    op.create_table(
        "access_token",
        sa.Column("id", ID, sa.Identity(), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("contact_id", ID, nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("issued_at", TIME, nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("verified_at", TIME),
        sa.Column("last_used_at", TIME),
        sa.Column("revoked_at", TIME),
        sa.Column("revoked_why", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_access_token"),
        sa.UniqueConstraint("token_sha256", name="uq_access_token_token_sha256"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_access_token_contact_id", "access_token", ["contact_id"])
    op.create_index("ix_access_token_account_id", "access_token", ["account_id"])
    op.create_table(
        "api_token",
        sa.Column("id", ID, sa.Identity(), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("staff_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("last_used_at", TIME),
        sa.Column("revoked_at", TIME),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_api_token_staff_id"),
        sa.PrimaryKeyConstraint("id", name="pk_api_token"),
        sa.UniqueConstraint("token_sha256", name="uq_api_token_token_sha256"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_api_token_staff_id", "api_token", ["staff_id"])


def _changes() -> None:
    op.create_table(
        "change",
        sa.Column("id", ID, sa.Identity(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("contact_id", ID),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=8)),
        sa.Column("old_address", sa.Text(), nullable=False),
        sa.Column("new_address", sa.Text(), nullable=False),
        sa.Column("new_key", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("new_sha256", sa.String(length=64), nullable=False),
        sa.Column("old_sha256", sa.String(length=64)),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("confirmed_new_at", TIME),
        sa.Column("confirmed_old_at", TIME),
        sa.Column("decided_at", TIME),
        sa.CheckConstraint("kind IN ('add', 'address', 'main')", name=op.f("ck_change_kind")),
        sa.CheckConstraint(
            "state IN ('open', 'done', 'refused', 'cancelled')", name=op.f("ck_change_state")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_change"),
        sa.UniqueConstraint("new_sha256", name="uq_change_new_sha256"),
        sa.UniqueConstraint("old_sha256", name="uq_change_old_sha256"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_change_account_id", "change", ["account_id", "created_at"])
    waits = sa.text("state = 'open'")
    op.create_index(
        "uq_change_waits",
        "change",
        ["account_id", "new_key"],
        unique=True,
        sqlite_where=waits,
        postgresql_where=waits,
    )
    op.create_table(
        "override",
        sa.Column("id", ID, sa.Identity(), nullable=False),
        sa.Column("queue_id", sa.String(length=32), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("value", sa.String(length=16), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.CheckConstraint(
            "value IN ('none', 'refuses', 'vouches')", name=op.f("ck_override_value")
        ),
        sa.ForeignKeyConstraint(["queue_id"], ["item.queue_id"], name="fk_override_queue_id"),
        sa.PrimaryKeyConstraint("id", name="pk_override"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_override_queue_id", "override", ["queue_id"])


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("what", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("prev", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_who", "audit", ["who"])
    op.create_index("ix_audit_subject", "audit", ["subject"])
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", ID, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_one")),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    op.bulk_insert(head, [{"id": 1, "last": 0, "hash": "0" * 64}])


def _search() -> None:
    op.create_table(
        "search",
        sa.Column("id", ID, sa.Identity(), nullable=False),
        sa.Column("queue_id", sa.String(length=32), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["queue_id"], ["message.queue_id"], name="fk_search_queue_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_search"),
        sa.UniqueConstraint("queue_id", name="uq_search_queue_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "labelled",
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("queue_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["queue_id"], ["message.queue_id"], name="fk_labelled_queue_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("label", "queue_id", name="pk_labelled"),
    )
    op.create_index("ix_labelled_queue_id", "labelled", ["queue_id"])


def _index_what_is_there() -> None:
    """Earlier messages are found too, and their verdicts and desks narrow a search."""
    bind = op.get_bind()
    query = sa.text(
        "SELECT message.queue_id, message.subject, message.text, message.author, message.ticket,"
        " message.verdict, message.account_id, message.contact_id, item.desk"
        " FROM message JOIN item ON item.queue_id = message.queue_id"
        " WHERE message.queue_id > :last ORDER BY message.queue_id LIMIT 200"
    )
    found = bind.execute(query, {"last": ""}).all()
    while found:
        for row in found:
            _index(bind, row)
        found = bind.execute(query, {"last": found[-1].queue_id}).all()


def _index(bind: sa.Connection, row: sa.Row[Any]) -> None:
    marks = [search.mark("desk", row.desk), search.mark("verdict", row.verdict)]
    if row.account_id is not None:
        marks.append(search.mark("account", row.account_id))
    if row.contact_id is not None and row.verdict != "filed":
        marks.append(search.mark("people", "yes"))
    texts = (row.subject, row.author or "", row.queue_id, str(row.ticket or ""), row.text)
    search.write(bind, row.queue_id, texts, marks, ())
