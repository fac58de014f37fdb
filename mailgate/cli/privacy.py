"""`mailgate privacy`: what a person may ask about their data, what is kept, and what goes."""

from __future__ import annotations

import click

from mailgate.cli.privacy_keep import hold, restrict
from mailgate.cli.privacy_purge import purge
from mailgate.cli.privacy_requests import requests
from mailgate.cli.privacy_rights import erase, export, rectify


@click.group()
def group() -> None:
    """Work off what people ask about their data, keep what must be kept, remove what is old."""


for command in (requests, export, rectify, restrict, erase, hold, purge):
    group.add_command(command)
