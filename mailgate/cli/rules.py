"""`mailgate rules`: check a rules file, show it in words, prove what it never does."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from mailgate.cli.output import json_line

if TYPE_CHECKING:
    from mailgate.cli.main import Context
    from mailgate.rules.policy import Consequence, Policy
    from mailgate.rules.prove import Findings
    from mailgate.yamlfile import ConfigError

_FILE = click.argument("file", type=click.Path(path_type=Path), required=False)
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


@click.group("rules")
def group() -> None:
    """Check, show and prove the rules.

    FILE is a rules file; left out, it is the one that the configuration names.
    """


@group.command()
@_FILE
@_JSON
@click.pass_obj
def check(context: Context, file: Path | None, as_json: bool) -> None:
    """Say whether the rules can be used, and name every mistake with line and column.

    Exit status: 0 they can; 1 they cannot; 2 the file cannot be read.
    """
    policy, name = _load(context, file, as_json)
    findings = _prove(policy)
    unreachable = findings.unreachable if findings else ()
    if as_json:
        json_line(
            {
                "file": name,
                "ok": True,
                "rules": len(policy.rules),
                "guarantees": len(policy.guarantees),
                "default": policy.default.verdict,
                "unreachable": unreachable,
                "sha256": policy.sha256,
            }
        )
        return
    click.echo(f"{name}: {_count(policy)}, default {_then(policy.default)}")
    for rule in unreachable:
        click.echo(f"warning: {rule} never decides: the rules before it take all of its cases")


@group.command()
@_FILE
@_JSON
@click.pass_obj
def show(context: Context, file: Path | None, as_json: bool) -> None:
    """List the rules in their order, in words."""
    policy, _ = _load(context, file, as_json)
    rows = [(r.name, r.says, r.asked, r.then) for r in policy.rules]
    rows.append(("default", "No rule above matches.", "", policy.default))
    for number, (name, says, asked, then) in enumerate(rows, 1):
        if as_json:
            row = {"number": number, "rule": name, "says": says, "when": asked}
            json_line({**row, **asdict(then)})
            continue
        click.echo(f"{number:3} {click.style(name, bold=True)}: {_then(then)}")
        click.echo(f"    {says}")
        click.echo(f"    when {asked}\n" if asked else "")


@group.command()
@_FILE
@_JSON
@click.pass_obj
def prove(context: Context, file: Path | None, as_json: bool) -> None:
    """Look at every combination of facts, and hold each guarantee of the file against it.

    A guarantee that does not hold is shown with a case in which the rules break it.
    Exit status: 0 all hold; 1 one is broken; 2 the file cannot be read.
    """
    policy, name = _load(context, file, as_json)
    findings = _prove(policy)
    if findings is None:
        raise click.ClickException("the rules ask for too many combinations of facts")
    if as_json:
        for law in policy.guarantees:
            json_line({"guarantee": law.name, "holds": True, "says": law.says})
        return
    for law in policy.guarantees:
        click.echo(f"holds  {law.name}: {law.says}")
    default = "is used" if findings.default_used else "is never needed"
    click.echo(
        f"{name}: {_count(policy)}, looked at in {findings.cases} cases that cover every "
        f"combination of facts; the default {default}"
    )


def _load(context: Context, file: Path | None, as_json: bool) -> tuple[Policy, str]:
    """The policy, or an exit with every problem of the file.

    Names of desks are checked against the configuration, if there is one.
    """
    from mailgate.rules.load import load_policy
    from mailgate.yamlfile import ConfigError

    settings = context.settings() if file is None or context.config.exists() else None
    path = settings.rules if settings and file is None else file or Path()
    try:
        return load_policy(path, tuple(settings.desks) if settings else ()), str(path)
    except ConfigError as error:
        _refuse(error, as_json)


def _refuse(error: ConfigError, as_json: bool) -> NoReturn:
    from mailgate.yamlfile import Unreadable

    for problem in error.problems:
        if as_json:
            json_line({"ok": False, **asdict(problem)})
        else:
            click.echo(str(problem), err=True)
    sys.exit(2 if isinstance(error, Unreadable) else 1)


def _prove(policy: Policy) -> Findings | None:
    """What a look at every case has found; None where there are too many to look at."""
    from mailgate.rules.prove import TooManyCases
    from mailgate.rules.prove import prove as look

    try:
        return look(policy)
    except TooManyCases:
        return None


def _count(policy: Policy) -> str:
    rules, laws = len(policy.rules), len(policy.guarantees)
    proved = f", {laws} guarantee{'s' * (laws != 1)} proved" if laws else ""
    return f"{rules} rule{'s' * (rules != 1)}{proved}"


def _then(then: Consequence) -> str:
    words = [f"{then.verdict} ({', '.join(then.reasons)})"]
    if then.notice:
        words.append(f"send {then.notice}" + (f", confirm {then.confirm}" if then.confirm else ""))
    if then.token:
        words.append(f"token {then.token}")
    if then.acknowledge:
        words.append(f"acknowledge {then.acknowledge} where the mail proves its domain")
    if then.labels:
        words.append(f"label {', '.join(then.labels)}")
    return "; ".join(words)
