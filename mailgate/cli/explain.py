"""`mailgate explain`: every fact and every rule behind the verdict of one stored mail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailgate.cli.main import Context
from mailgate.cli.output import table
from mailgate.cli.replay import court, judging

if TYPE_CHECKING:
    from mailgate.lab.stored import Judged


@click.command()
@click.argument("file", metavar="FILE")
@judging
@click.option("--json", "as_lines", is_flag=True, help="One JSON object.")
@click.pass_obj
def explain(
    context: Context, file: str, rules: Path | None, directory: str | None, *, as_lines: bool
) -> None:
    """Show why a stored mail is judged as it is, and what came nearest to another verdict."""
    from mailgate.lab import sources
    from mailgate.lab.replay import Judge
    from mailgate.lab.stored import verdict_json

    with court(context, rules, None, directory) as sitting:
        judge = Judge(sitting)
        for source in sources.messages([file]):
            (judged,) = judge.judge(source)
            if as_lines:
                click.echo(json.dumps(verdict_json(judged), ensure_ascii=False))
            else:
                _show(judged)
        judge.close()


def _show(judged: Judged) -> None:
    outcome = judged.outcome
    decision, facts = outcome.decision, outcome.facts
    click.echo(f"{judged.file}: {decision.verdict}")
    click.echo(f"by the rule {decision.rule}: {', '.join(decision.reasons)}")
    for notice in judged.notices:
        click.echo(f"would send {notice.template} to {notice.to}")
    table(
        ("fact", "value", "because"),
        ((name, value, facts.sources.get(name, "")) for name, value in facts.values.items()),
    )
    table(
        ("rule", "matched", "what failed"),
        (
            (
                tried.rule,
                "yes" if tried.matched else "no",
                "; ".join(f"{c.asked}: it is {c.found}" for c in tried.failed),
            )
            for tried in decision.trace
        ),
    )
    for miss in judged.misses:
        click.echo(f"{miss.verdict}, by {miss.rule}, if {miss.fact} were {miss.value}")
