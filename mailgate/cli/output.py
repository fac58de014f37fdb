"""What commands print: tables for people, JSON Lines for scripts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Any, TypeVar

import click

Row = TypeVar("Row")


def json_line(value: Any) -> None:
    """Print one JSON object on a line of its own; times as ISO 8601."""
    click.echo(json.dumps(plain(value), ensure_ascii=False))


def plain(value: Any) -> Any:
    """The value in types that JSON has."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    return value


def listed(
    found: Iterable[Row],
    columns: Sequence[str],
    cells: Callable[[Row], Sequence[Any]],
    *,
    as_lines: bool,
) -> None:
    """Print what a command found: a line of JSON each for scripts, a table for people."""
    if as_lines:
        for one in found:
            json_line(one)
    else:
        table(columns, map(cells, found))


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str | None = None) -> None:
    """Print a table; texts from mail are shown as they are, never taken for markup."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    made = Table(*columns, title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for row in rows:
        made.add_row(*(Text(shown(cell)) for cell in row))
    Console().print(made)


def shown(cell: Any) -> str:
    """A cell in words; control characters of a hostile subject do not reach the terminal."""
    if cell is None:
        return "–"
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(cell, list | tuple):
        return ", ".join(map(str, cell))
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in str(cell))
