"""Alembic revisions, one file a step; a released one is never changed."""
