"""`mailgate inspect`: what the reader sees in each message, for people or for scripts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from mailgate.cli.main import Unusable

if TYPE_CHECKING:
    from mailgate.lab.sources import Source


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH…")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line (JSON Lines).")
@click.option(
    "-j", "--jobs", type=click.IntRange(0, 256), default=1, help="Processes; 0: one a core."
)
@click.pass_context
def inspect(ctx: click.Context, paths: tuple[str, ...], *, as_lines: bool, jobs: int) -> None:
    """Show what the reader sees in each message; needs no database and no configuration.

    A PATH is a message, a folder (searched for .eml files), an mbox or a Maildir.
    """
    from mailgate.lab import sources
    from mailgate.lab.each import counted, each

    unreadable = False
    try:
        sources.check(paths)
        for number, result in enumerate(counted(each(_read, sources.messages(paths), jobs))):
            if isinstance(result, str):
                unreadable = True
                click.echo(f"Error: {result}", err=True)
            elif as_lines:
                click.echo(json.dumps(result, ensure_ascii=False).encode("utf-8"))
            else:
                _show(result, number)
    except sources.UnreadableError as error:
        raise Unusable(str(error)) from error
    if unreadable:
        ctx.exit(2)


def _read(source: Source) -> dict[str, Any] | str:
    """One message in, one object out, or why there is none; runs in any process."""
    from mailgate.lab.inspect import as_json
    from mailgate.lab.sources import UnreadableError
    from mailgate.message import read

    try:
        return as_json(source.file, read(source.content))
    except UnreadableError as error:  # one file among many: the others are read
        return str(error)


def _show(result: dict[str, Any], number: int) -> None:
    """A table of one message; long texts are cut."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    table = Table(title=Text(result["file"]), title_justify="left", show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for key, value in result.items():
        if key != "file" and value not in (None, "", []):
            table.add_row(key.replace("_", " "), Text(_readable(key, value)))
    if number:
        console.print()
    console.print(table)


def _readable(key: str, value: Any) -> str:
    if key == "attachments":
        return "\n".join(
            f"{a['filename'] or '(no name)'}  {a['content_type']}  {a['size']} octets"
            for a in value
        )
    if key == "bounce":
        return "\n".join(
            " ".join(filter(None, (r["address"], r["action"], r["status"], r["diagnostic"])))
            for r in value["recipients"]
        )
    if isinstance(value, list):
        return "\n".join(_one(v) for v in value)
    text = str(value)
    return text if len(text) <= 2000 else f"{text[:2000]}…"


def _one(value: Any) -> str:
    if isinstance(value, str):
        return value
    if "number" in value:
        return f"[{value['tag']}#{value['number']}:{value['code'] or '?'}]"
    return f"{value['name']} <{value['address']}>" if value["name"] else str(value["address"])


if __name__ == "__main__":
    inspect()
