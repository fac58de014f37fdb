"""`mailgate privacy restrict|hold`: what may only be stored, and what must be kept."""

from __future__ import annotations

import click

from mailgate.cli.main import Context
from mailgate.cli.output import json_line, listed
from mailgate.cli.privacy_rights import WHO
from mailgate.cli.tickets import JSON


@click.command()
@click.argument("address", required=False)
@click.option("--lift", is_flag=True, help="Let the data be used again.")
@click.option("--why", help="The reason, for the audit trail.")
@WHO
@JSON
@click.pass_obj
def restrict(
    context: Context, address: str | None, why: str | None, who: str, *, lift: bool, as_lines: bool
) -> None:
    """Only store somebody's data from now on (GDPR Art. 18); without ADDRESS list whose that is.

    Their mail is held, nothing is sent to them, staff see none of their words, and neither purge
    nor erasure touches them. They can still sign in. What was held is decided once it is lifted.
    """
    store, now = context.store(), context.now()
    if address is None:
        found = store.privacy_holds.restrictions()
        store.close()
        columns = ("address", "since", "by", "why")
        listed(found, columns, lambda r: (r.address, r.at, r.who, r.why), as_lines=as_lines)
        return
    if not why:
        raise click.UsageError("say --why")
    if lift:
        if not store.privacy_holds.lift_restriction(address, why, who, now):
            raise click.ClickException(f"nothing restricts the data of {address}")
    else:
        store.privacy_holds.restrict(address, why, who, now)
    store.close()
    state = "is used again" if lift else "is only stored from now on"
    if as_lines:
        json_line({"address": address, "restricted": not lift})
    else:
        click.echo(f"the data of {address} {state}")


@click.command()
@click.argument("address", required=False)
@click.option("--ticket", type=int, metavar="N", help="Keep this ticket.")
@click.option("--account", "account_id", metavar="ID", help="Keep all of this account.")
@click.option("--ground", metavar="TEXT", help="Why it must be kept, such as the claim.")
@click.option("--lift", "lifted", type=int, metavar="ID", help="End this hold.")
@click.option("--why", default="", help="Why it ends, for the audit trail.")
@WHO
@JSON
@click.pass_obj
def hold(
    context: Context,
    address: str | None,
    ticket: int | None,
    account_id: str | None,
    ground: str | None,
    lifted: int | None,
    why: str,
    who: str,
    *,
    as_lines: bool,
) -> None:
    """Keep what concerns a person, a ticket or an account, whatever is asked; without anything
    list the holds that stand (GDPR Art. 17(3)(e)).

    A hold beats erasure and purge. What waited for it is erased within a day of its end.
    """
    on = [value for value in (address, ticket, account_id) if value is not None]
    if lifted is not None:
        _lift(context, lifted, why, who)
    elif not on:
        _list(context, as_lines=as_lines)
    elif len(on) > 1:
        raise click.UsageError("a hold is on ADDRESS, on --ticket or on --account: say one of them")
    elif not ground:
        raise click.UsageError("say --ground: what it must be kept for")
    else:
        _place(context, address, ticket, account_id, ground, who, as_lines=as_lines)


def _place(
    context: Context,
    address: str | None,
    ticket: int | None,
    account_id: str | None,
    ground: str,
    who: str,
    *,
    as_lines: bool,
) -> None:
    from mailgate.model.web_ports import Refused

    store = context.store()
    try:
        made = store.privacy_holds.hold(
            ground, who, context.now(), address=address, ticket=ticket, account_id=account_id
        )
    except Refused:
        what = f"ticket {ticket}" if ticket is not None else f"account {account_id}"
        raise click.ClickException(f"there is no {what}") from None
    finally:
        store.close()
    if as_lines:
        json_line(made)
    else:
        click.echo(f"hold {made.id} stands")


def _lift(context: Context, number: int, why: str, who: str) -> None:
    if not why:
        raise click.UsageError("say --why")
    store = context.store()
    done = store.privacy_holds.lift_hold(number, who, why, context.now())
    store.close()
    if not done:
        raise click.ClickException(f"no hold {number} stands")
    click.echo(f"hold {number} has ended")


def _list(context: Context, *, as_lines: bool) -> None:
    store = context.store()
    found = store.privacy_holds.holds()
    store.close()
    listed(
        found,
        ("hold", "address", "ticket", "account", "since", "by", "ground"),
        lambda h: (h.id, h.address, h.ticket, h.account_id, h.at, h.who, h.ground),
        as_lines=as_lines,
    )
