"""`mailgate directory`: accounts, contacts, services and shares from and to files."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailgate.cli.letters import Letters
from mailgate.cli.main import Context, Unusable
from mailgate.cli.output import json_line, table

if TYPE_CHECKING:
    from mailgate.model.directory import AccountEntry
    from mailgate.store import Store

FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["yaml", "csv"]),
    help="Else as the file's name ends; YAML where it does not say.",
)
PATH = click.Path(path_type=Path, dir_okay=False, allow_dash=True)


@click.group()
def group() -> None:
    """Import, export and show who may ask for what."""


@group.command("import")
@click.argument("file", type=PATH)
@FORMAT
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--by", "who", default=getpass.getuser, show_default="the user", metavar="WHO")
@click.option(
    "--issue-tokens", is_flag=True, help="Mail an access token to every contact that is new."
)
@click.pass_obj
def import_(
    context: Context, file: Path, form: Any, who: str, *, dry_run: bool, issue_tokens: bool
) -> None:
    """Make the accounts named in FILE exactly what it says: all of it, or nothing.

    Accounts that FILE does not name stay as they are. Access tokens of contacts that are gone end,
    and their owners are told.
    """
    from mailgate.store.directory_files import parse_csv, parse_yaml
    from mailgate.yamlfile import ConfigError, read

    csv = _form(file, form) == "csv"
    try:
        text = read(Path("/dev/stdin") if str(file) == "-" else file)
        entries = parse_csv(text, str(file)) if csv else parse_yaml(text, str(file))
    except ConfigError as error:
        raise Unusable(str(error)) from error
    store, letters = context.store(), Letters(context)
    known = {c.id for entry in store.directory.export() for c in entry.contacts}
    changes = store.directory.import_entries(
        entries, context.now(), who, dry_run=dry_run, told=letters.access_ended
    )
    said = ", ".join(f"{count} {what}" for what, count in changes.items()) or "nothing to change"
    click.echo(f"{'would be' if dry_run else 'done'}: {said}")
    if issue_tokens and not dry_run:
        _issue_tokens(store, letters, known, who)
    store.close()


def _issue_tokens(store: Store, letters: Letters, known: set[int], who: str) -> None:
    """A token for every contact that was not there before; one that is there already gets none."""
    new = [
        (c, e.account) for e in store.directory.export() for c in e.contacts if c.id not in known
    ]
    missed = []
    with click.progressbar(new, label="issuing tokens", file=sys.stderr) as people:
        for contact, account in people:
            if letters.issue(store, contact, account, who) is None:
                missed.append(contact.address)
    click.echo(f"tokens: {len(new) - len(missed)} mailed")
    if missed:
        click.echo("not mailed now, for the limits of our own mail or a paused address:", err=True)
        for address in missed:
            click.echo(f"  {address}", err=True)
        raise click.ClickException("later: mailgate tokens issue ADDRESS")


@group.command()
@click.argument("file", type=PATH, required=False)
@FORMAT
@click.pass_obj
def export(context: Context, file: Path | None, form: Any) -> None:
    """Write the whole directory to FILE, or to standard output."""
    from mailgate.store.directory_files import to_csv, to_yaml

    csv = _form(file, form) == "csv"
    store = context.store()
    entries = store.directory.export()
    store.close()
    text = to_csv(entries) if csv else to_yaml(entries)
    if file is None or str(file) == "-":
        sys.stdout.buffer.write(text.encode())
        return
    try:
        file.write_bytes(text.encode())
    except OSError as error:
        raise Unusable(f"{file}: {error.strerror}") from error


@group.command()
@click.argument("what", metavar="[ADDRESS|ACCOUNT]", required=False)
@click.option("--json", "as_lines", is_flag=True, help="One JSON object an account, a line each.")
@click.pass_obj
def show(context: Context, what: str | None, *, as_lines: bool) -> None:
    """Show all accounts, one account, or the accounts that have this address as a contact."""
    store = context.store()
    if what and "@" in what:
        entries = store.directory.of_address(what)
    else:
        entries = store.directory.export(what)
    store.close()
    if what and not entries:
        raise click.ClickException(f"{what} is in no account")
    if as_lines:
        for entry in entries:
            json_line(_plain(entry))
        return
    table(
        ("account", "company", "contact", "role", "name", "language", "may ask for"),
        (row for entry in entries for row in _rows(entry)),
    )


def _form(file: Path | None, form: str | None) -> str:
    return form or ("csv" if file is not None and file.suffix.lower() == ".csv" else "yaml")


def _shared(entry: AccountEntry, contact_id: int) -> list[str]:
    return sorted(s.identifier for s in entry.services if (contact_id, s.id) in entry.shares)


def _rows(entry: AccountEntry) -> list[tuple[Any, ...]]:
    """A line a contact; the account's name stands in its first line."""
    account = entry.account
    rows: list[tuple[Any, ...]] = []
    for contact in entry.contacts:
        shared = _shared(entry, contact.id)
        may = "everything, with its link" if contact.role == "main" else ", ".join(shared)
        language = contact.language or account.language
        rows.append(("", "", contact.address, contact.role, contact.name, language, may or "–"))
    rows = rows or [("", "", "–", "", "", account.language, "")]
    return [(account.id, account.company, *rows[0][2:]), *rows[1:]]


def _plain(entry: AccountEntry) -> dict[str, Any]:
    account = entry.account
    return {
        "id": account.id,
        "company": account.company,
        "language": account.language,
        "contacts": [
            {
                "address": contact.address,
                "role": contact.role,
                "name": contact.name,
                "language": contact.language,
                "services": _shared(entry, contact.id),
            }
            for contact in entry.contacts
        ],
        "services": [{"identifier": s.identifier, "name": s.name} for s in entry.services],
    }
