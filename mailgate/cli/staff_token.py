"""`mailgate staff token`: tokens by which a help desk or a script uses the API as a person."""

from __future__ import annotations

from datetime import timedelta

import click

from mailgate.cli.main import Context
from mailgate.cli.output import json_line, table
from mailgate.cli.tickets import JSON, WHO

LONGEST_DAYS = 365


@click.group()
def token() -> None:
    """Add, list and revoke tokens for the API."""


@token.command()
@click.argument("login")
@click.option("--name", required=True, help="What it is for, such as the script's name.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(["read", "act"]),
    multiple=True,
    default=("read",),
    show_default=True,
    help="May be given twice. What the person may not do, no token of theirs may.",
)
@click.option(
    "--days", type=click.IntRange(1, LONGEST_DAYS), default=90, show_default=True, help="Its life."
)
@WHO
@click.pass_obj
def add(
    context: Context, login: str, name: str, scopes: tuple[str, ...], days: int, who: str
) -> None:
    """Make a token for somebody; prints it, this once: only its hash is kept."""
    from mailgate.clock import random
    from mailgate.tokens import access

    store, now = context.store(), context.now()
    found = store.staff.find(login)
    if found is None or found.staff.disabled_at is not None:
        raise click.ClickException(f"nobody of that login can sign in: {login}")
    made = access.api_token(random)
    until = now + timedelta(days=days)
    asked = sorted(set(scopes), reverse=True)
    kept = store.api_tokens.issue(found.staff.id, name, access.sha256(made), asked, who, now, until)
    click.echo(f"token:     {made}")
    click.echo(f"number:    {kept.id}, expires {until:%Y-%m-%d}")


@token.command("list")
@click.argument("login", required=False)
@JSON
@click.pass_obj
def list_(context: Context, login: str | None, *, as_lines: bool) -> None:
    """List tokens of everybody or of one person; never the token itself."""
    store = context.store()
    people = {person.id: person.login for person in store.staff.all()}
    if login is not None and login not in people.values():
        raise click.ClickException(f"there is no {login}")
    rows = [
        {
            "number": one.id,
            "login": people.get(one.staff_id, ""),
            "name": one.name,
            "scopes": list(one.scopes),
            "created_at": one.created_at,
            "expires_at": one.expires_at,
            "last_used_at": one.last_used_at,
            "revoked_at": one.revoked_at,
        }
        for one in store.api_tokens.all()
        if login is None or people.get(one.staff_id) == login
    ]
    if as_lines:
        for row in rows:
            json_line(row)
        return
    names = ("number", "login", "name", "scopes", "created", "expires", "last used", "revoked")
    table(names, (list(row.values()) for row in rows))


@token.command()
@click.argument("number", type=int)
@WHO
@click.pass_obj
def revoke(context: Context, number: int, who: str) -> None:
    """End a token at once."""
    if not context.store().api_tokens.revoke(number, who, context.now()):
        raise click.ClickException(f"no token {number} that is still good")
    click.echo(f"token {number} is revoked")
