"""`mailgate staff`: the people of the console: add, list, disable, give a new password."""

from __future__ import annotations

from typing import Any

import click

from mailgate.cli.main import Context
from mailgate.cli.output import json_line, plain, table
from mailgate.cli.staff_token import token
from mailgate.cli.tickets import JSON, WHO, WHY


@click.group()
def group() -> None:
    """Add, list and disable the people of the console."""


@group.command()
@click.argument("login")
@click.option("--name", required=True, help="As customers read it in answers.")
@click.option(
    "--role",
    type=click.Choice(["reader", "agent", "admin"]),
    default="agent",
    show_default=True,
    help="A reader only looks; an agent answers and acts; an admin manages staff too.",
)
@click.option("--language", type=click.Choice(["pl", "en"]), default="pl", show_default=True)
@WHO
@click.pass_obj
def add(context: Context, login: str, name: str, role: Any, language: Any, who: str) -> None:
    """Make an account; prints its password and its authenticator secret, this once."""
    from mailgate.clock import random
    from mailgate.model.web_ports import Refused
    from mailgate.tokens import password, totp

    words, secret = password.new_password(random), totp.new_secret(random)
    hashed = password.Passwords(random).hash(words)
    try:
        made = context.store().staff.add(
            login, name, language, role, hashed, secret, who, context.now()
        )
    except Refused as refused:
        raise click.ClickException(_REFUSALS[refused.code].format(login=login)) from None
    click.echo(f"login:     {made.login}")
    click.echo(f"password:  {words}")
    click.echo(f"TOTP:      {totp.uri(secret, made.login, _issuer(context))}")


_REFUSALS = {
    "login-taken": "{login} is there already",
    "bad-login": "a login is lower-case letters, digits, dots and hyphens",
    "last-admin": "{login} is the last admin; make another one first",
}


@group.command("list")
@JSON
@click.pass_obj
def list_(context: Context, *, as_lines: bool) -> None:
    """List everybody, those who are disabled too."""
    found = context.store().staff.all()
    if as_lines:
        for person in found:
            json_line({k: v for k, v in plain(person).items() if k != "signature"})
        return
    table(
        ("login", "name", "role", "language", "since", "disabled"),
        ((s.login, s.name, s.role, s.language, s.created_at, s.disabled_at) for s in found),
    )


@group.command()
@click.argument("login")
@WHO
@WHY
@click.pass_obj
def disable(context: Context, login: str, who: str, why: str) -> None:
    """Shut somebody out at once: sessions and API tokens end, the account stays for the record."""
    from mailgate.model.web_ports import Refused

    try:
        done = context.store().staff.disable(login, who, why, context.now())
    except Refused as refused:
        raise click.ClickException(_REFUSALS[refused.code].format(login=login)) from None
    if not done:
        raise click.ClickException(f"nobody of that login can sign in: {login}")
    click.echo(f"{login} is disabled")


@group.command()
@click.argument("login")
@WHO
@click.pass_obj
def password(context: Context, login: str, who: str) -> None:
    """Give somebody a new password; prints it, this once, and ends their sessions."""
    from mailgate.clock import random
    from mailgate.tokens.password import Passwords, new_password

    words = new_password(random)
    hashed = Passwords(random).hash(words)
    if not context.store().staff.set_password(login, hashed, who, context.now()):
        raise click.ClickException(f"there is no {login}")
    click.echo(f"password:  {words}")


group.add_command(token)


def _issuer(context: Context) -> str:
    from urllib.parse import urlsplit

    return urlsplit(context.settings().base_url).hostname or "mailgate"
