"""`mailgate doctor`: a line for each thing that must be right; exit 1 if one is not."""

from __future__ import annotations

import click

from mailgate.cli.main import Context

COLOURS = {"ok": "green", "warning": "yellow", "failed": "red"}


@click.command()
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def doctor(context: Context, *, as_lines: bool) -> None:
    """Check configuration, keys, rules, database, ports, relay, clock and disk."""
    from mailgate.cli.output import json_line
    from mailgate.doctor import examine

    failed = 0
    for finding in examine(context.config):
        failed += finding.level == "failed"
        if as_lines:
            json_line(finding)
        else:
            mark = click.style(f"{finding.level:8}", fg=COLOURS[finding.level])
            click.echo(f"{mark} {finding.what}: {finding.says}")
    raise SystemExit(1 if failed else 0)
