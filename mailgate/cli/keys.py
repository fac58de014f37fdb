"""`mailgate keys`: make the secret keys that codes and links are derived from, and rotate them."""

from __future__ import annotations

from pathlib import Path

import click

from mailgate.cli.main import Unusable


@click.group()
def group() -> None:
    """Make the secret keys that ticket codes and links are derived from, and rotate them."""


@group.command()
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
def new(path: Path) -> None:
    """Write a new key file that only its owner can read; never over an old one."""
    from mailgate.clock import random
    from mailgate.tokens.keys import Keys

    try:
        Keys.generate(random).save(path)
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from error
    click.echo(f"{path}: one key; losing it makes every code and link that is out there worthless")
