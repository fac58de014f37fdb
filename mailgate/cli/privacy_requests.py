"""`mailgate privacy requests`: what people asked about their data, and until when it is due."""

from __future__ import annotations

from typing import Any

import click

from mailgate.cli.main import Context
from mailgate.cli.output import json_line, listed, plain
from mailgate.cli.privacy_rights import WHO, desk
from mailgate.cli.tickets import JSON
from mailgate.model.privacy import REQUEST_KINDS


@click.group(invoke_without_command=True)
@click.option("--all", "every", is_flag=True, help="Also those that are answered.")
@click.option("--late", is_flag=True, help="Those that must be looked at now.")
@JSON
@click.pass_context
def requests(ctx: click.Context, *, every: bool, late: bool, as_lines: bool) -> None:
    """List requests that wait, the one that is due first at the top; or file, show, answer one."""
    if ctx.invoked_subcommand is not None:
        return
    from mailgate.model.privacy_ports import RequestFilter

    context: Context = ctx.obj
    store = context.store()
    if late:
        found = store.privacy_requests.overdue(context.now())
    else:
        wanted = RequestFilter(undone=None if every else True)
        found = list(store.privacy_requests.all(wanted, limit=1000).rows)
    store.close()
    listed(
        found,
        ("request", "kind", "address", "account", "filed", "due", "state"),
        lambda r: (r.id, r.kind, r.address, r.account_id, r.filed_at, r.due_at, r.state),
        as_lines=as_lines,
    )


@requests.command()
@click.argument("kind", type=click.Choice(REQUEST_KINDS))
@click.argument("address")
@click.option("--account", "account_id", metavar="ID", help="About this account only.")
@click.option("--text", default="", help="What the person said.")
@WHO
@click.pass_obj
def file(
    context: Context, kind: Any, address: str, account_id: str | None, text: str, who: str
) -> None:
    """File a request that came by mail, by telephone or on paper; its deadline begins now."""
    store = context.store()
    made = store.privacy_requests.file(
        kind, address, text, who, context.now(), account_id=account_id
    )
    store.close()
    click.echo(f"request {made.id}, to be answered by {made.due_at:%Y-%m-%d}")


@requests.command()
@click.argument("request_id", type=int)
@JSON
@click.pass_obj
def show(context: Context, request_id: int, *, as_lines: bool) -> None:
    """Show one request with its answer and its receipt."""
    store = context.store()
    found = store.privacy_requests.get(request_id)
    store.close()
    if found is None:
        raise click.ClickException(f"there is no request {request_id}")
    if as_lines:
        json_line(found)
        return
    for name, value in plain(found).items():
        click.echo(f"{name.replace('_', ' '):11} {'–' if value in (None, '', {}) else value}")


@requests.command()
@click.argument("request_id", type=int)
@click.option("--outcome", required=True, help="What the person is told.")
@click.option("--refuse", is_flag=True, help="It cannot be done; the outcome says why.")
@WHO
@click.pass_obj
def answer(context: Context, request_id: int, outcome: str, who: str, *, refuse: bool) -> None:
    """Answer a request: the person gets a mail with the outcome (GDPR Art. 12(3) and (4))."""
    from mailgate.model.web_ports import Refused

    store, now = context.store(), context.now()
    found = store.privacy_requests.get(request_id)
    if found is None:
        raise click.ClickException(f"there is no request {request_id}")
    told = desk(context, store).answered(found, now)
    state: Any = "refused" if refuse else "done"
    try:
        done = store.privacy_requests.close(request_id, state, outcome, who, now, told)
    except Refused as refused:
        said = "say why in --outcome" if refused.code == "say-why" else "too many mails lately"
        raise click.ClickException(said) from None
    finally:
        store.close()
    if done is None:
        raise click.ClickException(f"request {request_id} is answered already")
    click.echo(f"request {request_id}: {done.state}")
