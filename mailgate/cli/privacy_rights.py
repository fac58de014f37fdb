"""`mailgate privacy export|rectify|erase`: what a person may ask for (GDPR Art. 15 to 20)."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailgate.cli.main import Context, Unusable
from mailgate.cli.output import json_line, shown, table
from mailgate.cli.tickets import JSON, WHY

if TYPE_CHECKING:
    from datetime import datetime

    from mailgate.model.directory import Language
    from mailgate.model.privacy import Correction, PrivacyRequest, Removal, RequestKind
    from mailgate.rights import RightsDesk
    from mailgate.store import Store

WHO = click.option(
    "--who", "--by", "who", default=getpass.getuser, help="Who does it; your user name."
)
ACCOUNT = click.option(
    "--account", "account_id", metavar="ID", help="What is of this account only."
)
REQUEST = click.option(
    "--request", "request_id", type=int, metavar="N", help="The request that asks for it."
)
_SETTABLE = ("name", "language", "address")


@click.command()
@click.argument("address")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@ACCOUNT
@REQUEST
@WHO
@JSON
@click.pass_obj
def export(
    context: Context,
    address: str,
    file: Path,
    account_id: str | None,
    request_id: int | None,
    who: str,
    *,
    as_lines: bool,
) -> None:
    """Write all that is kept about a person to FILE, a new zip that you alone can read.

    It has what is known as JSON, their messages and our mails to them as .eml, and a README. Of
    the mail of others it says only that it names the person. Who took it is in the audit log.
    """
    from mailgate.privacy.export import private_file

    store, now = context.store(), context.now()
    if not store.persons.known(address, account_id):
        raise click.ClickException(f"nothing is kept about {address}")
    request = _request(store, "access", address, account_id, request_id, who, now)
    try:
        with private_file(file) as out:
            count = desk(context, store).pack(out, address, account_id, now)
    except OSError as error:
        raise Unusable(f"{file}: {error.strerror}") from error
    store.privacy_requests.copied(request.id, who, now, count)
    if request_id is None:  # nobody waits for a mail about it
        store.privacy_requests.close(request.id, "done", "", who, now, lambda _: None)
    store.close()
    if as_lines:
        json_line({"file": str(file), **count})
        return
    said = ", ".join(f"{number} {what}" for what, number in count.items())
    click.echo(f"{file}: {said or 'no mail'}")


@click.command()
@click.argument("address")
@click.option(
    "--set", "wanted", multiple=True, metavar="NAME=VALUE", help="name, language, address."
)
@click.option("--note", default="", help="What the person wants to have added to their data.")
@ACCOUNT
@WHO
@WHY
@JSON
@click.pass_obj
def rectify(
    context: Context,
    address: str,
    wanted: tuple[str, ...],
    note: str,
    account_id: str | None,
    who: str,
    why: str,
    *,
    as_lines: bool,
) -> None:
    """Put a contact right in the directory; what stood there before is kept (GDPR Art. 16).

    A new address counts at once, without a link to confirm: be sure whose it is. Tokens and
    sessions of the old one end, and both are told. No verdict of before changes.
    """
    values = _values(wanted)
    if not values and not note:
        raise click.UsageError("say what to put right: --set NAME=VALUE, or --note TEXT")
    store, now = context.store(), context.now()
    made = _rectified(context, store, address, account_id, values, note, who, why, now)
    store.close()
    if as_lines:
        for one in made:
            json_line(one)
        return
    if not made:
        click.echo("nothing to put right: it stands there like that already")
    for one in made:
        click.echo(f"contact {one.contact_id}: {one.what}: {shown(one.old)} → {shown(one.new)}")


@click.command()
@click.argument("address")
@click.option("--account-ends", "ends", is_flag=True, help="The contract has ended too.")
@click.option("--dry-run", is_flag=True, help="Say what would go and what would stay.")
@click.option("--yes", is_flag=True, help="Do it.")
@ACCOUNT
@REQUEST
@WHO
@click.option("--why", help="The reason, for the audit trail.")
@JSON
@click.pass_obj
def erase(
    context: Context,
    address: str,
    account_id: str | None,
    request_id: int | None,
    who: str,
    why: str | None,
    *,
    ends: bool,
    dry_run: bool,
    yes: bool,
    as_lines: bool,
) -> None:
    """Erase a person for good, and print a receipt: what went, and what stays and why (Art. 17).

    A hold keeps what it stands on; the erasure then waits, and the running mailgate carries it out
    once the last hold has ended. Exit status 1: it waits.
    """
    from mailgate.model.web_ports import Refused

    if dry_run == yes:
        raise click.UsageError("say --dry-run to look, or --yes to erase")
    if yes and not why:
        raise click.UsageError("say --why")
    store, now = context.store(), context.now()
    if dry_run:
        done = store.erasure.plan(address, account_id, ends=ends)
    else:
        request = _request(store, "erase", address, account_id, request_id, who, now)
        if store.erasure.approve(request.id, who, why or "", now, ends=ends) is None:
            raise click.ClickException(
                f"request {request.id} is answered, or asks for another thing"
            )
        answer = desk(context, store).answered(request, now)
        try:
            done = store.erasure.run(request.id, now, answer)
        except Refused:
            raise click.ClickException(
                "the mail to the person would be one too many: the running mailgate goes on with it"
            ) from None
    store.close()
    _receipt(context, done, now, dry_run=dry_run, as_lines=as_lines)
    if done.stopped and yes:
        raise click.ClickException(_waits(done.stopped))


def desk(context: Context, store: Store) -> RightsDesk:
    from mailgate.clock import random
    from mailgate.rights import RightsDesk

    return RightsDesk(context.settings(), store, context.keys(), random)


def _request(
    store: Store,
    kind: RequestKind,
    address: str,
    account_id: str | None,
    request_id: int | None,
    who: str,
    now: datetime,
) -> PrivacyRequest:
    """The request it is done for: the one named, one that waits, else a new one of staff."""
    from mailgate.model.addresses import same_address
    from mailgate.model.privacy_ports import RequestFilter

    if request_id is not None:
        named = store.privacy_requests.get(request_id)
        if named is None or not same_address(named.address, address):
            raise click.ClickException(f"there is no request {request_id} of {address}")
        if named.account_id != account_id:
            # What is done is what was asked for, in that account or in all.
            about = f"--account {named.account_id}" if named.account_id else "no --account"
            raise click.ClickException(f"request {request_id} says another thing: give {about}")
        return named
    asked = RequestFilter(kind=kind, undone=True, address=address)
    if kind == "erase":
        for one in store.privacy_requests.all(asked).rows:
            if one.account_id == account_id:
                return one
    return store.privacy_requests.file(kind, address, "", who, now, account_id=account_id)


def _values(wanted: tuple[str, ...]) -> dict[str, str]:
    values: dict[str, str] = {}
    for each in wanted:
        name, equals, value = each.partition("=")
        if not equals or name not in _SETTABLE or not value.strip():
            raise click.UsageError(f"--set {each}: say name=…, language=… or address=…")
        if name == "language" and value not in ("pl", "en"):
            raise click.UsageError(f"--set {each}: the languages are pl and en")
        values[name] = value.strip()
    return values


def _rectified(
    context: Context,
    store: Store,
    address: str,
    account_id: str | None,
    values: dict[str, str],
    note: str,
    who: str,
    why: str,
    now: datetime,
) -> list[Correction]:
    from typing import cast

    from mailgate.model.web_ports import Refused

    contacts = store.persons.contacts(address, account_id)
    if not contacts:
        raise click.ClickException(f"{address} is no contact of an account: nothing to put right")
    made: list[Correction] = []
    for contact in contacts:
        try:
            made += store.corrections.rectify(
                contact.id,
                who,
                why,
                now,
                name=values.get("name"),
                language=cast("Language | None", values.get("language")),
                address=values.get("address"),
                note=note,
                told=desk(context, store).told(contact, now),
            )
        except Refused as refused:
            said = {
                "address-taken": f"a contact of account {contact.account_id} has this address",
                "bad-address": f"{values.get('address')} is no address",
            }.get(refused.code, f"contact {contact.id} is gone")
            raise click.ClickException(said) from None
    return made


def _receipt(
    context: Context, done: Removal, now: datetime, *, dry_run: bool, as_lines: bool
) -> None:
    from mailgate.privacy.receipt import until

    last = until(context.settings().privacy, now)
    why = {
        "hold": "a hold keeps it (GDPR Art. 17(3)(e))",
        "claims": f"evidence for claims, until {last['claims']}",
        "security": f"entries of the audit log, until {last['security']}",
        "requests": f"requests and their answers, until {last['requests']}",
        "main": "the main contact, while the contract lasts",
    }
    if as_lines:
        json_line(
            {
                "dry_run": dry_run,
                "removed": dict(done.removed),
                "kept": dict(done.kept),
                "until": {name: day.isoformat() for name, day in last.items()},
                "stopped": done.stopped,
            }
        )
        return
    title = "Would be removed" if dry_run else "Removed"
    table(("rows", "number"), sorted(done.removed.items()), title=title)
    table(
        ("stays", "number", "why"),
        ((name, number, why.get(name, "")) for name, number in sorted(done.kept.items())),
        title="Kept",
    )
    if done.stopped and dry_run:
        click.echo(_waits(done.stopped))


def _waits(stopped: str) -> str:
    if stopped == "restricted":
        return "processing is restricted: lift that first (mailgate privacy restrict --lift)"
    return "a hold stands: it goes on once the last one has ended (mailgate privacy hold --lift)"
