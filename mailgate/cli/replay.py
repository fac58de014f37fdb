"""`mailgate replay`: judge stored mail, or see what another rule set would change."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mailgate.cli.main import Context, Unusable
from mailgate.cli.output import table

if TYPE_CHECKING:
    from mailgate.lab.replay import Court

F = TypeVar("F", bound=Callable[..., Any])


def judging(command: F) -> F:
    """The options of every command that judges a stored mail."""
    command = click.option(
        "--rules",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Judge by this rules file instead of the configured one.",
    )(command)
    return click.option(
        "--directory",
        metavar="FILE|none",
        help="Judge with this directory file, or with none, instead of the database.",
    )(command)


@contextmanager
def court(
    context: Context, rules: Path | None, against: Path | None, directory: str | None
) -> Iterator[Court]:
    """Find rules, keys and directory; trouble with any of them is wrong usage."""
    from mailgate import clock
    from mailgate.lab.replay import Court, paper_directory
    from mailgate.lab.sources import UnreadableError
    from mailgate.model.ports import StoreUnusable
    from mailgate.tokens.keys import Keys
    from mailgate.yamlfile import ConfigError

    settings = context.settings()
    files = (rules or settings.rules, *([against] if against else []))
    try:
        if directory is None:
            yield Court(settings, context.keys(), files, clock.now())
            return
        # Away from the real database no code of ours can be known, so any key will do.
        keys = Keys.load(settings.keys) if settings.keys.exists() else Keys.generate(clock.random)
        with paper_directory(settings, None if directory == "none" else Path(directory)) as paper:
            yield Court(paper, keys, files, clock.now())
    except (ConfigError, StoreUnusable, UnreadableError) as error:
        raise Unusable(str(error)) from error


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH…")
@judging
@click.option(
    "--against",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Show only what differs under this rules file.",
)
@click.option(
    "--format", "form", type=click.Choice(["table", "jsonl"]), default="table", show_default=True
)
@click.option(
    "-j", "--jobs", type=click.IntRange(0, 256), default=1, help="Processes; 0: one a core."
)
@click.pass_obj
def replay(
    context: Context,
    paths: tuple[str, ...],
    rules: Path | None,
    directory: str | None,
    against: Path | None,
    form: str,
    jobs: int,
) -> None:
    """Judge stored mail as production would; nothing is stored and nothing is sent.

    A PATH is a message, a folder (searched for .eml files), an mbox or a Maildir. Exit 1 where
    --against finds a difference.
    """
    from mailgate.lab import sources
    from mailgate.lab.each import counted
    from mailgate.lab.replay import replay as judge_all

    with court(context, rules, against, directory) as sitting:
        sources.check(paths)
        results = counted(judge_all(sitting, sources.messages(paths), jobs))
        if against:
            differ = _print_differences(results, form)
            raise SystemExit(1 if differ else 0)
        _print_verdicts((result[0] for result in results), form)


def _print_verdicts(results: Iterable[dict[str, Any]], form: str) -> None:
    if form == "jsonl":
        for result in results:
            click.echo(json.dumps(result, ensure_ascii=False))
        return
    rows, count = [], Counter[str]()
    for result in results:
        count[result["verdict"]] += 1
        rows.append([result[key] for key in ("file", "verdict", "rule", "reasons", "author")])
    table(("file", "verdict", "rule", "reasons", "author"), rows)
    click.echo(", ".join(f"{n} {verdict}" for verdict, n in count.most_common()) or "no message")


def _print_differences(results: Iterable[list[dict[str, Any]]], form: str) -> int:
    rows, total = [], 0
    asked = ("verdict", "rule", "notices")
    for old, new in results:
        total += 1
        if all(old[key] == new[key] for key in asked):
            continue
        if form == "jsonl":
            sides = {"from": {k: old[k] for k in asked}, "to": {k: new[k] for k in asked}}
            click.echo(json.dumps({"file": old["file"], **sides}, ensure_ascii=False))
        rows.append((old["file"], old["verdict"], old["rule"], new["verdict"], new["rule"]))
    if form == "table":
        table(("file", "verdict", "by rule", "would be", "by rule"), rows)
        click.echo(f"{len(rows)} of {total} messages would be judged otherwise")
    return len(rows)
