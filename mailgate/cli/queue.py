"""`mailgate queue`: what waits or is held; show, release or drop it."""

from __future__ import annotations

import sys
from typing import Any

import click

from mailgate.cli.main import Context
from mailgate.cli.output import json_line, listed, plain, table
from mailgate.cli.tickets import JSON, WHO, WHY


@click.group()
def group() -> None:
    """List what waits or is held; show, release or drop an item."""


@group.command("list")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(["incoming", "active", "deferred", "hold", "done"]),
    help="May be given several times; all but done by default.",
)
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True)
@JSON
@click.pass_obj
def list_(context: Context, states: Any, limit: int, *, as_lines: bool) -> None:
    """List items, the oldest first."""
    found = context.store().views.queue(states, limit)
    listed(
        found,
        ("queue id", "state", "tries", "received", "desk", "reverse-path", "last error"),
        lambda r: (
            r.queue_id, r.state, r.attempts, r.received_at, r.desk, r.reverse_path, r.last_error
        ),
        as_lines=as_lines,
    )  # fmt: skip


@group.command()
@click.argument("queue_id")
@click.option("--raw", is_flag=True, help="The content, octet by octet as it came in.")
@JSON
@click.pass_obj
def show(context: Context, queue_id: str, *, raw: bool, as_lines: bool) -> None:
    """Show one item: its verdict and every reason, or its raw content."""
    store = context.store()
    if raw:
        octets = store.views.octets(queue_id)
        if octets is None:
            raise click.ClickException(f"there is no item {queue_id}")
        sys.stdout.buffer.write(octets)
        return
    row, message = store.views.queue_row(queue_id), store.views.message(queue_id)
    if row is None:
        raise click.ClickException(f"there is no item {queue_id}")
    if as_lines:
        json_line({**plain(row), "message": plain(message)})
        return
    click.echo(f"{row.queue_id}  {row.state}, {row.attempts} tries  {row.last_error}")
    if message is None:
        click.echo("nobody has decided it yet")
        return
    click.echo(f"{message.verdict} by {message.rule}: {', '.join(message.reasons)}")
    newest = message.history[-1] if message.history else None
    table(
        ("fact", "value", "source"),
        (
            (name, value, newest.sources.get(name, "") if newest else "")
            for name, value in message.facts.items()
        ),
    )


@group.command()
@click.argument("queue_id")
@WHO
@WHY
@click.pass_obj
def release(context: Context, queue_id: str, who: str, why: str) -> None:
    """Send a held or deferred item through the rules again."""
    if not context.store().queue.release_held(queue_id, who, why, context.now()):
        raise click.ClickException(f"{queue_id} is not held or deferred")
    click.echo(f"{queue_id} is in the queue again")


@group.command()
@click.argument("queue_id")
@WHO
@WHY
@click.pass_obj
def drop(context: Context, queue_id: str, who: str, why: str) -> None:
    """Close a held item without judging it; its content and its history stay."""
    if not context.store().queue.drop(queue_id, who, why, context.now()):
        raise click.ClickException(f"{queue_id} is not held")
    click.echo(f"{queue_id} is filed")
