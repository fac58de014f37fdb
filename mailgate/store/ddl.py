"""What the tables need beyond columns and indexes: full-text search, and a log nobody rewrites."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

#: Our own words are put in, separated by blanks, so the tokenizer has nothing to decide: `ascii`
#: takes every character beyond ASCII for a letter. No positions: phrases are not searched for.
_SQLITE = (
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
CREATE TRIGGER audit_never_removed BEFORE DELETE ON audit
WHEN old.id >= (SELECT first FROM audit_head) BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END""",
)

_POSTGRESQL = (
    """\
CREATE INDEX ix_search_words ON search
    USING gin (array_to_tsvector(string_to_array(words, ' ')))""",
    """\
CREATE FUNCTION audit_only_added_to() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN RAISE EXCEPTION ''the audit log is only added to''; END'""",
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

STATEMENTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}
)
"""For each database, in the order in which they can be run."""
