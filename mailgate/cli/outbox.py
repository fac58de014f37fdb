"""`mailgate outbox`: mails of ours that wait, failed or were sent; show one, try one again."""

from __future__ import annotations

from typing import Any

import click

from mailgate.cli.main import Context
from mailgate.cli.output import json_line, plain, table
from mailgate.cli.tickets import JSON, WHO, WHY


@click.group()
def group() -> None:
    """List mails of ours; show one, try a failed one again."""


@group.command("list")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(["waiting", "active", "sent", "failed", "bounced"]),
    help="May be given several times; all but sent by default.",
)
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True)
@JSON
@click.pass_obj
def list_(context: Context, states: Any, limit: int, *, as_lines: bool) -> None:
    """List mails of ours, the newest first."""
    found = context.store().views.outbox(states, limit)
    if as_lines:
        for row in found:
            json_line(
                {**plain(row.notice), **{k: v for k, v in plain(row).items() if k != "notice"}}
            )
        return
    table(
        ("id", "state", "tries", "next", "notice", "to", "ticket", "last reply"),
        (
            (
                row.notice.id, row.state, row.attempts,
                row.next_at if row.state == "waiting" else None,
                row.notice.template, row.notice.to, row.notice.ticket, row.last_reply,
            )
            for row in found
        ),
    )  # fmt: skip


@group.command()
@click.argument("notice_id")
@click.pass_obj
def show(context: Context, notice_id: str) -> None:
    """Print one mail as it is sent, with the secrets of its link left out."""
    from mailgate.outbound.render import render
    from mailgate.outbound.templates import Templates

    settings = context.settings()
    row = context.store().lookup.outbox_row(notice_id)
    if row is None:
        raise click.ClickException(f"there is no mail {notice_id} in the outbox")
    templates = Templates.load(settings.outbound.templates)
    rendered = render(row.notice, settings, context.keys(), templates)
    text = rendered.text
    for secret in rendered.secrets:
        text = text.replace(secret, "•" * len(secret))
    click.echo(text)


@group.command()
@click.argument("notice_id")
@WHO
@WHY
@click.pass_obj
def retry(context: Context, notice_id: str, who: str, why: str) -> None:
    """Send a failed or waiting mail now, under the same Message-ID."""
    if not context.store().outbox.send_again(notice_id, who, why, context.now()):
        raise click.ClickException(f"{notice_id} is neither failed nor waiting")
    click.echo(f"{notice_id} waits to be sent")
