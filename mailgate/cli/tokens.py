"""`mailgate tokens`: access tokens: issue, list, show, revoke, request; never the token itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mailgate.cli.letters import Letters
from mailgate.cli.main import Context
from mailgate.cli.output import listed, plain
from mailgate.cli.tickets import JSON, WHO, WHY

if TYPE_CHECKING:
    from mailgate.model.directory import Account, Contact
    from mailgate.model.people import Scope

ACCOUNT = click.option("--account", "account_id", metavar="ID", help="The account's number.")


@click.group()
def group() -> None:
    """Access tokens of contacts: issue, list, show, revoke, request."""


@group.command()
@click.argument("address")
@ACCOUNT
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(["panel", "tickets:read", "tickets:write"]),
    multiple=True,
    help="What it is good for; may be given several times. Else as access_tokens.scopes says.",
)
@WHO
@click.pass_obj
def issue(
    context: Context, address: str, account_id: str | None, scopes: tuple[Scope, ...], who: str
) -> None:
    """Issue a token to a contact; it goes to the registered address alone, and is shown nowhere.

    Earlier tokens of the contact end. The running mailgate sends the mail.
    """
    store = context.store()
    contact, account = _contact(context, address, account_id)
    if not contact.signs_in:
        raise click.ClickException(f"{contact.address} may not sign in")
    if store.pauses.among([contact.address]):
        raise click.ClickException(f"{contact.address} is paused: our mail came back from it")
    made = Letters(context).issue(store, contact, account, who, scopes)
    if made is None:
        raise click.ClickException(f"{contact.address} got too many mails of ours lately")
    click.echo(f"token {made.id} for {made.address}, until {made.expires_at:%Y-%m-%d %H:%M} UTC")


@group.command("list")
@click.argument("account_id")
@JSON
@click.pass_obj
def list_(context: Context, account_id: str, *, as_lines: bool) -> None:
    """List the tokens of an account: when, to whom, and what became of them."""
    found = context.store().access_tokens.of_account(account_id)
    listed(
        found,
        ("id", "to", "for", "issued", "by", "expires", "verified", "last used", "revoked", "why"),
        lambda t: (
            t.id, t.address, " ".join(t.scopes), t.issued_at, t.issued_by, t.expires_at,
            t.verified_at, t.last_used_at, t.revoked_at, t.revoked_why,
        ),
        as_lines=as_lines,
    )  # fmt: skip


@group.command()
@click.argument("token_id", type=int)
@click.pass_obj
def show(context: Context, token_id: int) -> None:
    """Show when a token was issued, to whom, and what became of it."""
    token = context.store().access_tokens.get(token_id)
    if token is None:
        raise click.ClickException(f"there is no token {token_id}")
    for name, value in plain(token).items():
        click.echo(f"{name.replace('_', ' '):14} {'–' if value in (None, '') else value}")


@group.command()
@click.argument("token_id", type=int)
@WHO
@WHY
@click.pass_obj
def revoke(context: Context, token_id: int, who: str, why: str) -> None:
    """End a token, and the sessions it opened."""
    if not context.store().access_tokens.revoke(token_id, who, why, context.now()):
        raise click.ClickException(f"there is no valid token {token_id}")
    click.echo(f"token {token_id} is revoked")


@group.command()
@click.argument("address")
@click.option("--company", default="", help="The company, as they name it.")
@click.option("--account", default="", metavar="ID", help="The account's number, as they name it.")
@click.option("--why", required=True, help="Their explanation, in a few words.")
@click.option("--language", type=click.Choice(["pl", "en"]), default="pl", show_default=True)
@click.pass_obj
def request(
    context: Context, address: str, company: str, account: str, why: str, language: Any
) -> None:
    """File a request for a token that somebody made by phone, say, as if they had used the form.

    It goes to the desk for access tokens and is decided by its rules; what applies is mailed to the
    registered address alone. Prints the queue id.
    """
    from mailgate.clock import now, random
    from mailgate.intake.entry import entry
    from mailgate.message.token_request import as_text
    from mailgate.model.addresses import parse_address
    from mailgate.model.token_request import TokenRequest
    from mailgate.words import words

    settings, store = context.settings(), context.store()
    if settings.token_desk is None:
        raise click.ClickException("no desk of mailgate.yaml has `purpose: tokens`")
    if not company.strip() and not account.strip():
        raise click.UsageError("say --company or --account, or both")
    try:
        registered = parse_address(address)
        company, account, why = (" ".join(text.split()) for text in (company, account, why))
        asked = TokenRequest(company, account, registered, why, language, ())
        admission = entry(
            settings,
            desk=settings.token_desk,
            channel="form",
            account_id="",
            entered_by=registered,
            subject=words(language)["panel.token_form.subject"],
            text=as_text(asked, language),
            now=now,
            random=random,
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    (admitted,) = store.intake.admit([admission])
    click.echo(admitted.queue_id)


def _contact(context: Context, address: str, account_id: str | None) -> tuple[Contact, Account]:
    lookup = context.store().lookup
    found = [c for c in lookup.contacts(address) if account_id in (None, c.account_id)]
    if not found:
        raise click.ClickException(f"{address} is no contact of an account")
    if len(found) > 1:
        accounts = ", ".join(c.account_id for c in found)
        raise click.UsageError(f"{address} is a contact of {accounts}: say --account")
    account = lookup.account(found[0].account_id)
    if account is None:
        raise click.ClickException(f"the account {found[0].account_id} is gone")
    return found[0], account
