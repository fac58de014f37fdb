"""`mailgate audit`: what people did; prove that nobody changed the record of it."""

from __future__ import annotations

import json

import click

from mailgate.cli.main import Context
from mailgate.cli.output import listed
from mailgate.cli.tickets import JSON


@click.group()
def group() -> None:
    """List what people did; prove that nobody changed the record of it."""


@group.command()
@click.pass_obj
def verify(context: Context) -> None:
    """Check the chain of hashes from the first entry to the last.

    Keep the number and the hash that this prints in another place: whoever can write to the
    database could forge the whole chain anew, but not so that an entry noted elsewhere still fits.
    """
    audit = context.store().audit
    looked_at, fault = audit.verify()
    if fault is not None:
        raise click.ClickException(f"entry {fault.id}: {fault.what}")
    number, digest = audit.head()
    click.echo(f"{looked_at} entries, unbroken; the last is {number} {digest}")


@group.command("list")
@click.option("--who", help="A contact's address, or the login of staff.")
@click.option("--subject", help="Such as message:ID, ticket:17, account:1001, staff:kasia.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@JSON
@click.pass_obj
def list_(
    context: Context, who: str | None, subject: str | None, limit: int, *, as_lines: bool
) -> None:
    """List entries, the newest first."""
    found = context.store().audit.entries(who=who, subject=subject, limit=limit)
    listed(
        found.rows,
        ("id", "at", "who", "what", "subject", "why"),
        lambda e: (
            e.id, e.at, e.who, e.what, e.subject, json.dumps(dict(e.why), ensure_ascii=False)
        ),
        as_lines=as_lines,
    )  # fmt: skip
