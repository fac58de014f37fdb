"""`mailgate db`: bring the database up to date, and print its schema."""

from __future__ import annotations

from typing import Any

import click

from mailgate.cli.main import Context, Unusable


@click.group()
def group() -> None:
    """Migrate the database, print its schema."""


@group.command()
@click.option(
    "--first-ticket",
    type=click.IntRange(1, 2**53 - 1),
    metavar="NUMBER",
    help="Let the next ticket have this number, to go on where another system stopped.",
)
@click.pass_obj
def upgrade(context: Context, first_ticket: int | None) -> None:
    """Bring the schema to this program's. Safe to run twice, to kill, and to run again."""
    from mailgate.model.ports import StoreUnusable
    from mailgate.store.migrations import set_first_ticket
    from mailgate.wiring import open_store

    try:
        store = open_store(context.settings())
        steps = store.upgrade()
        if first_ticket is not None:
            set_first_ticket(store.database, first_ticket)
    except StoreUnusable as error:
        raise Unusable(str(error)) from error
    store.close()
    click.echo(f"upgraded: {', '.join(steps)}" if steps else "the schema is up to date")
    if first_ticket is not None:
        click.echo(f"the next ticket is {first_ticket}")


@group.command()
@click.option(
    "--dialect",
    type=click.Choice(["sqlite", "postgresql"]),
    default="sqlite",
    show_default=True,
)
def schema(dialect: Any) -> None:
    """Print the tables as SQL; needs no database."""
    from mailgate.store.schema import schema as render

    click.echo(render(dialect), nl=False)
