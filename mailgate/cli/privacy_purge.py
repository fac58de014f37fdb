"""`mailgate privacy purge`: remove what has been kept long enough (row A11)."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import click

from mailgate.cli.main import Context
from mailgate.cli.output import json_line, plain, table
from mailgate.cli.tickets import JSON
from mailgate.model.privacy import Removal
from mailgate.model.retention import Due

if TYPE_CHECKING:
    from mailgate.store import Store

#: What a person calls the rows of a table that go by themselves; others are called as they are.
NAMES = {
    "ticket": "closed tickets",
    "message": "messages on no ticket",
    "outbox": "mails of ours on no ticket",
    "claim_record": "records for claims",
    "audit": "entries of the audit log",
    "access_token": "ended access tokens",
    "api_token": "ended API tokens",
    "change": "changes of addresses",
    "privacy_request": "answered requests",
    "correction": "corrections",
    "privacy_hold": "lifted holds",
    "privacy_restriction": "lifted restrictions",
    "paused_address": "pauses of addresses",
    "event": "events of the system",
}
STOPPED = {
    "share": (
        "it would take more of all tickets than privacy.largest_share allows in one run.\n"
        "Look at what is due and at the windows in the configuration; if they are right, "
        "run it again with --force."
    ),
    "clock": (
        "the clock is more than a day from the time that was seen last, or was put back.\n"
        "If `date` is right, run it again with --force; from then on that time counts."
    ),
}


@click.command()
@click.option("--dry-run", is_flag=True, help="Do every step and take it back: only say what goes.")
@click.option("--yes", is_flag=True, help="Remove it for good.")
@click.option("--force", is_flag=True, help="Even a large share, even after the clock jumped.")
@click.option("--who", "--by", default=getpass.getuser, help="Who does it; your user name.")
@JSON
@click.pass_obj
def purge(
    context: Context, who: str, *, dry_run: bool, yes: bool, force: bool, as_lines: bool
) -> None:
    """Remove what is older than the windows of the configuration (privacy.*).

    The daemon does it by itself twice a day. What goes is gone for good, but for a record of each
    message without a word of it; what a hold or a restriction is on stays.
    """
    if dry_run == yes:
        raise click.UsageError("say --dry-run to see what would go, or --yes to remove it for good")
    store, now = context.store(), context.now()
    retention = store.retention
    due = retention.due(now)
    if not as_lines:
        _show_due(due)
    with _counting(sum(line.count for line in due)) as progress:
        done = retention.purge(now, force=force, dry_run=dry_run, who=who, progress=progress)
    if not (dry_run or done.stopped):
        _note(store, done, now)
    if as_lines:
        json_line({"dry_run": dry_run, "at": now, "due": plain(due), **plain(done)})
    else:
        _show_done(done, dry_run=dry_run)
    if done.stopped:
        if not dry_run:
            raise click.ClickException(f"nothing was removed: {STOPPED[done.stopped]}")
        click.echo(f"without --force nothing will be removed: {STOPPED[done.stopped]}", err=True)


def _note(store: Store, done: Removal, now: datetime) -> None:
    """It counts as the daemon's run: the console no longer says that something stopped it."""
    from mailgate.duties import PURGE, TWICE_A_DAY, purge_said

    store.duties.done(PURGE, purge_said(done), now, now + TWICE_A_DAY)


def _show_due(due: Sequence[Due]) -> None:
    if not due:
        click.echo("nothing is due")
        return
    table(
        ("class", "what", "goes", "kept", "ended from", "to"),
        (
            (d.data, NAMES.get(d.table, d.table), d.count, d.kept, _day(d.oldest), _day(d.newest))
            for d in due
        ),
        title="What is due, and what of it a hold or a restriction keeps",
    )


def _day(moment: datetime | None) -> str | None:
    return moment.date().isoformat() if moment else None


def _show_done(done: Removal, *, dry_run: bool) -> None:
    if done.removed:
        said = "Rows that would go" if dry_run else "Rows that went"
        table(("table", "rows"), sorted(done.removed.items()), title=said)
    elif not done.stopped:
        click.echo("nothing would go" if dry_run else "nothing went")
    if done.kept:
        click.echo(f"kept: {_counted(done.kept)}")


def _counted(kept: Mapping[str, int]) -> str:
    return ", ".join(
        f"{count} by a {'hold' if ground == 'hold' else 'restriction'}"
        for ground, count in kept.items()
    )


@contextmanager
def _counting(all_: int) -> Iterator[Callable[[int, int], None] | None]:
    """A bar on standard error, where a person watches it."""
    if not all_ or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=all_)
        yield lambda done, total: bar.update(task, completed=done, total=total)
