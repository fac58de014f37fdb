"""`mailgate demo`: the whole of mailgate on an embedded default, with stories to look at."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from mailgate.cli.main import Unusable

if TYPE_CHECKING:
    from mailgate.demo.people import Logins
    from mailgate.demo.run import Told
    from mailgate.settings import Settings

COLOURS = {
    "authorized": "green",
    "pending": "yellow",
    "unauthorized": "red",
    "filed": "cyan",
    "held": "magenta",
}


@click.command()
@click.option("--once", is_flag=True, help="Tell one story to its end, print it, and stop.")
def demo(*, once: bool) -> None:
    """Run the main job on an embedded default: a mail comes in over SMTP, a click authorizes it.

    Needs no configuration. Nothing leaves this machine. With --once the exit status is 0 only if
    a mail went from SMTP to authorized through its link.
    """
    from mailgate.demo.run import run

    started = time.monotonic()
    click.echo(f"{'row':4} {'what happens':44} {'verdict':13} {'rule':22} reason")
    try:
        authorized = run(once=once, tell=_tell, open_=_open)
    except (OSError, TimeoutError) as error:
        raise Unusable(f"the demo cannot run here: {error}") from error
    if once:
        says = "a mail went from SMTP to authorized through its link"
        click.echo(
            f"{says if authorized else 'NOT authorized'} ({time.monotonic() - started:.1f} s)"
        )
        sys.exit(0 if authorized else 1)


def _tell(told: Told) -> None:
    story, message = told.story, told.message
    verdict = click.style(f"{message.verdict:13}", fg=COLOURS[message.verdict])
    click.echo(
        f"{story.row:4} {story.title:44} {verdict} {message.rule:22} {', '.join(message.reasons)}"
    )


def _open(settings: Settings, logins: Logins) -> None:
    from mailgate.demo.people import LOGIN

    url = settings.base_url
    click.echo(
        f"\ncustomer panel: {url}/panel\n"
        f"    as Anna, the bakery's main contact, with the access token {logins.access_token}\n"
        f"staff console:  {url}/console\n"
        f"    login {LOGIN}, password {logins.password}\n"
        f"    TOTP secret {logins.totp_secret}; its code of this moment: {url}/mailbox/code\n"
        f"JSON API:       {url}/api/v1/openapi.json\n"
        f"\nmailbox with every mail that was sent, and their links: {url}/mailbox\n"
        f"SMTP on {settings.intake.smtp[0]}: send your own to pomoc@desk.example;"
        " tokens@desk.example mails new access tokens\n"
        "Ctrl-C ends it."
    )
