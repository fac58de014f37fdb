"""`mailgate tickets`: list and show tickets, enter one, close, reopen, give a new code."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING, Any

import click

from mailgate.cli.main import Context
from mailgate.cli.output import json_line, listed, plain, table

if TYPE_CHECKING:
    from mailgate.model.ticket import Ticket
    from mailgate.model.views import TicketView

WHO = click.option("--by", "who", default=getpass.getuser, help="Who does it; your user name.")
WHY = click.option("--why", required=True, help="The reason, for the audit trail.")
JSON = click.option("--json", "as_lines", is_flag=True, help="One JSON object a line.")


@click.group()
def group() -> None:
    """List and show tickets, enter one, close, reopen, give a new code."""


@group.command("list")
@click.option("--state", type=click.Choice(["open", "closed"]))
@click.option("--standing", type=click.Choice(["none", "unauthorized", "pending", "authorized"]))
@click.option("--account", metavar="ID")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@JSON
@click.pass_obj
def list_(
    context: Context,
    state: Any,
    standing: Any,
    account: str | None,
    limit: int,
    *,
    as_lines: bool,
) -> None:
    """List tickets, the last changed first."""
    found = context.store().views.tickets(
        state=state, standing=standing, account_id=account, limit=limit
    )
    listed(
        found,
        ("number", "standing", "state", "account", "desk", "subject"),
        lambda t: (t.number, t.standing, t.state, t.account_id, t.desk, t.subject),
        as_lines=as_lines,
    )


@group.command()
@click.argument("number", type=int)
@JSON
@click.pass_obj
def show(context: Context, number: int, *, as_lines: bool) -> None:
    """Show one ticket: its messages with verdict and reasons, mails of ours, and what happened."""
    view = context.store().views.ticket(number)
    if view is None:
        raise click.ClickException(f"there is no ticket {number}")
    token = _token(context, view.ticket)
    if as_lines:
        json_line({**plain(view.ticket), "token": token, **_parts(view)})
        return
    ticket = view.ticket
    click.echo(f"{token}  {ticket.subject}")
    click.echo(f"{ticket.state}, {ticket.standing}, account {ticket.account_id or '–'}\n")
    table(
        ("received", "from", "verdict", "rule", "reasons", "subject"),
        ((m.received_at, m.author, m.verdict, m.rule, m.reasons, m.subject) for m in view.messages),
        title="Messages",
    )
    table(
        ("sent", "notice", "to", "state"),
        ((n.sent_at, n.notice.template, n.notice.to, n.state) for n in view.notices),
        title="Mails of ours",
    )
    table(
        ("at", "who", "what", "why"),
        ((e.at, e.who, e.what, e.why.get("reason", "")) for e in view.events),
        title="What happened",
    )


def _parts(view: TicketView) -> dict[str, Any]:
    return {
        "messages": plain(view.messages),
        "notices": [
            {
                "template": n.notice.template,
                "to": n.notice.to,
                "language": n.notice.language,
                "state": n.state,
                "message_id": n.notice.message_id,
                "sent_at": plain(n.sent_at),
            }
            for n in view.notices
        ],
        "events": plain(view.events),
    }


def _token(context: Context, ticket: Ticket) -> str:
    from mailgate.tokens import ticket as token

    desk = context.settings().desks.get(ticket.desk)
    code = token.code(context.keys(), ticket.desk, ticket.number, ticket.epoch)
    return token.render(desk.tag if desk else ticket.desk, ticket.number, code)


@group.command()
@click.option("--channel", type=click.Choice(["panel", "console"]), required=True)
@click.option("--account", "account_id", required=True, metavar="ID")
@click.option("--by", "who", required=True, help="The contact's address, or the staff's name.")
@click.option("--desk", help="The desk; the first of the configuration by default.")
@click.option("--subject", required=True)
@click.option("--text", required=True, help="The text; - reads it from standard input.")
@click.pass_obj
def new(
    context: Context,
    channel: Any,
    account_id: str,
    who: str,
    desk: str | None,
    subject: str,
    text: str,
) -> None:
    """Enter a ticket as the panel or the staff console would; prints its queue id.

    It goes into the same queue as a mail, and the same rules decide it.
    """
    from mailgate.clock import now, random
    from mailgate.intake.entry import entry

    settings = context.settings()
    if desk is not None and desk not in settings.desks:
        raise click.BadParameter(f"no such desk: {desk}", param_hint="--desk")
    store = context.store()
    if store.lookup.account(account_id) is None:
        raise click.BadParameter(f"no such account: {account_id}", param_hint="--account")
    if text == "-":
        text = sys.stdin.read()
    try:
        admission = entry(
            settings,
            desk=desk or next(iter(settings.desks)),
            channel=channel,
            account_id=account_id,
            entered_by=who,
            subject=subject,
            text=text,
            now=now,
            random=random,
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    (admitted,) = store.intake.admit([admission])
    click.echo(admitted.queue_id)


@group.command()
@click.argument("number", type=int)
@WHO
@WHY
@click.pass_obj
def close(context: Context, number: int, who: str, why: str) -> None:
    """Close an open ticket; a message on it opens it again."""
    _acted(
        context.store().tickets.close(number, who, why, context.now()), f"no open ticket {number}"
    )


@group.command()
@click.argument("number", type=int)
@WHO
@WHY
@click.pass_obj
def reopen(context: Context, number: int, who: str, why: str) -> None:
    """Open a closed ticket again."""
    _acted(
        context.store().tickets.reopen(number, who, why, context.now()),
        f"no closed ticket {number}",
    )


@group.command()
@click.argument("number", type=int)
@WHO
@WHY
@click.pass_obj
def rotate(context: Context, number: int, who: str, why: str) -> None:
    """Give a ticket a new code, because the old one leaked; the old one links nothing any more."""
    _acted(context.store().tickets.rotate(number, who, why, context.now()), f"no ticket {number}")


def _acted(ticket: Ticket | None, otherwise: str) -> None:
    if ticket is None:
        raise click.ClickException(otherwise)
    click.echo(f"ticket {ticket.number}: {ticket.state}, {ticket.standing}")
