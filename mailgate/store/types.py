"""Column types that mean the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Dialect,
    Integer,
    Row,
    Select,
    Text,
    false,
)
from sqlalchemy.types import TypeDecorator

#: Rows and queries of any shape; what they hold is checked where they become nouns.
AnyRow: TypeAlias = Row[*tuple[Any, ...]]
AnySelect: TypeAlias = Select[*tuple[Any, ...]]

#: SQLite numbers its rows only in a column declared INTEGER.
Id = BigInteger().with_variant(Integer, "sqlite")

#: What UTF-8 or PostgreSQL's text cannot hold: lone surrogates and NUL.
_UNFIT = re.compile("[\ud800-\udfff\x00]")


def fit(text: str) -> str:
    """The text with U+FFFD where a database could not store it; mail may hold anything."""
    return text if text.isascii() and "\x00" not in text else _UNFIT.sub("\ufffd", text)


def storable(number: int | None) -> int | None:
    """A number that somebody wrote in a subject; what no column can hold equals nothing."""
    return number if number is not None and 0 <= number < 2**63 else None


def is_number(column: ColumnElement[Any], number: int) -> ColumnElement[bool]:
    """That a column holds a number that somebody named; false for what no column can hold."""
    return false() if storable(number) is None else column == number


class Words(TypeDecorator[str]):
    """Text from outside."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else fit(value)


class Key(TypeDecorator[str]):
    """Text from outside that is looked up by an index; PostgreSQL indexes some 2,700 octets.

    What is longer than any honest value stands there as its hash, when written and when asked for.
    """

    impl = Text
    cache_ok = True
    longest = 500

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        if value is None or len(value) <= self.longest:
            return None if value is None else fit(value)
        return "sha256:" + sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


class Moment(TypeDecorator[datetime]):
    """An aware time. UTC in both databases; SQLite keeps it as text that sorts by time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone must not reach the database")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Json(TypeDecorator[Any]):
    """A value as JSON text, never asked about inside the database."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        if value is None:
            return None
        return fit(json.dumps(value, ensure_ascii=False, separators=(",", ":")))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else json.loads(value)
