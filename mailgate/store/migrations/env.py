"""Alembic's entry: runs the steps inside the transaction that the caller has begun."""

from __future__ import annotations

from alembic import context

from mailgate.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
