"""Every column of the database has a class and a window, and docs/privacy.md says the same."""

from __future__ import annotations

import os
import re

import mailgate.store.people_tables
import mailgate.store.privacy_tables  # noqa: F401 - its tables are part of the schema
from mailgate.privacy.classes import COLUMNS, WINDOWS, as_rows, class_of
from mailgate.settings import Settings
from mailgate.store.tables import metadata
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "privacy.md"
HEAD = "| table | class | kept | columns |\n|---|---|---|---|\n"
TABLE = re.compile(re.escape(HEAD) + r"(?:\|.*\n)+")
SCHEMA = [(table.name, column.name) for table in metadata.tables.values() for column in table.c]


def test_every_column_has_a_class() -> None:
    new = [f"{table}.{column}" for table, column in SCHEMA if not class_of(table, column)]
    assert new == [], (
        "does it hold personal data, and for how long? Say so in mailgate/privacy/classes.py,"
        " remove it in store/forget.py or store/retention.py, and renew the table of the page:"
        " MAILGATE_UPDATE_GOLDEN=1 pytest tests/privacy/test_classes.py"
    )


def test_no_class_speaks_of_a_column_that_is_gone_or_twice_of_one() -> None:
    named = [
        (table, column)
        for table, classes in COLUMNS.items()
        for names in classes.values()
        for column in names.split()
    ]
    assert sorted(named) == sorted(SCHEMA)


def test_every_window_is_a_setting_or_says_what_ends_it() -> None:
    for kept in WINDOWS.values():
        assert kept.since
        for name in kept.windows:
            value: object = Settings
            for part in name.split("."):
                fields = getattr(value, "model_fields", {})
                assert part in fields, f"there is no setting {name}"
                value = fields[part].annotation


def test_the_page_shows_the_classes_as_they_are() -> None:
    rows = (
        f"| `{table}` | {data_class} | {kept} | {' '.join(f'`{name}`' for name in names)} |\n"
        for table, data_class, kept, names in as_rows()
    )
    wanted = HEAD + "".join(rows)
    page = PAGE.read_text(encoding="utf-8")
    if os.environ.get("MAILGATE_UPDATE_GOLDEN") == "1":
        page = TABLE.sub(lambda _: wanted, page)
        PAGE.write_text(page, encoding="utf-8")
    found = TABLE.search(page)
    assert found, "docs/privacy.md has no table of columns"
    assert found[0] == wanted
