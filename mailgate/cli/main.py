"""The command `mailgate`: finds the subcommand and opens what it needs, each on first use."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailgate import __version__

if TYPE_CHECKING:
    from mailgate.settings import Settings
    from mailgate.store import Store
    from mailgate.tokens.keys import Keys

DEFAULT_CONFIG = "config/mailgate.yaml"

#: Each word of the command line, and where it is said. Imported only when it is used.
COMMANDS = {
    "serve": "mailgate.cli.serve:serve",
    "demo": "mailgate.cli.demo:demo",
    "inspect": "mailgate.cli.inspect:inspect",
    "explain": "mailgate.cli.explain:explain",
    "replay": "mailgate.cli.replay:replay",
    "rules": "mailgate.cli.rules:group",
    "directory": "mailgate.cli.directory:group",
    "tickets": "mailgate.cli.tickets:group",
    "outbox": "mailgate.cli.outbox:group",
    "queue": "mailgate.cli.queue:group",
    "staff": "mailgate.cli.staff:group",
    "tokens": "mailgate.cli.tokens:group",
    "privacy": "mailgate.cli.privacy:group",
    "audit": "mailgate.cli.audit:group",
    "keys": "mailgate.cli.keys:group",
    "db": "mailgate.cli.db:group",
    "doctor": "mailgate.cli.doctor:doctor",
}


class Context:
    """What commands share: the configuration and, opened on first use, what follows from it."""

    def __init__(self, config: Path) -> None:
        self.config = config

    def settings(self) -> Settings:
        """Raises `click.ClickException` (exit 2) with every problem of the file."""
        from mailgate.settings import load
        from mailgate.yamlfile import ConfigError

        try:
            return load(self.config)
        except ConfigError as error:
            raise Unusable(str(error)) from error

    def now(self) -> datetime:
        from mailgate.clock import now

        return now()

    def keys(self) -> Keys:
        from mailgate.tokens.keys import BadKeys, Keys

        try:
            return Keys.load(self.settings().keys)
        except BadKeys as error:
            raise Unusable(str(error)) from error

    def store(self) -> Store:
        """The store, once its schema is the one of this program."""
        from mailgate.model.ports import StoreUnusable
        from mailgate.wiring import open_checked_store

        try:
            return open_checked_store(self.settings())
        except StoreUnusable as error:
            raise Unusable(str(error)) from error


class Unusable(click.ClickException):
    """Wrong usage or unreadable input."""

    exit_code = 2


class LazyGroup(click.Group):
    """Imports a command's file only when the command is called (or its help is asked for)."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`--config PATH` may stand after the command as well, where many people write it."""
        return super().parse_args(ctx, _config_first(args))

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        target = COMMANDS.get(cmd_name)
        if target is None:
            return None
        module, _, attribute = target.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands from a table, so that `--help` imports none of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))


def _config_first(args: list[str]) -> list[str]:
    """The arguments with `--config` and its value in front of the command; after `--` nothing is
    an option."""
    options = args[: args.index("--")] if "--" in args else args
    for at, word in enumerate(options):
        if word == "--config" or word.startswith("--config="):
            end = at + 1 if "=" in word else at + 2
            return [*args[at:end], *args[:at], *args[end:]]
    return args


SUMMARIES = {
    "serve": "run the daemon: intake, worker, mailer, web",
    "demo": "the whole of mailgate on an embedded default, until Ctrl-C",
    "inspect": "what the reader sees in a message",
    "explain": "every fact and rule behind the verdict of one message",
    "replay": "judge stored mail without sending or storing anything",
    "rules": "check and show the rules",
    "directory": "accounts, contacts, services and shares: import, export, show",
    "tickets": "list, show, open, close, rotate",
    "outbox": "mails of ours: list, show, retry",
    "queue": "items that wait or are held: list, show, release, drop",
    "staff": "the people of the console: add, list, disable",
    "tokens": "access tokens of contacts: issue, list, show, revoke",
    "privacy": "personal data: what people may ask for, and what is kept",
    "audit": "what people did, and proof that nobody changed the record",
    "keys": "make and rotate the keys",
    "db": "migrations and the schema",
    "doctor": "check configuration, database, ports, relay, clock and disk",
}


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mailgate")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=lambda: Path(os.environ.get("MAILGATE_CONFIG", DEFAULT_CONFIG)),
    show_default=f"$MAILGATE_CONFIG, else {DEFAULT_CONFIG}",
    help="The configuration file.",
)
@click.pass_context
def cli(ctx: click.Context, config: Path) -> None:
    """An inbound support-mail gateway: who may ask for what, proved before anyone acts.

    Exit status: 0 fine; 1 the thing asked for is not so; 2 wrong usage or unreadable input.
    """
    ctx.obj = Context(config)


def main(*arguments: Any) -> None:
    """Run the command line; a reader that goes away (`| head`) is no error."""
    try:
        cli.main(args=list(arguments) or None, prog_name="mailgate")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
