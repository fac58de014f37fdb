"""`mailgate serve`: the daemon."""

from __future__ import annotations

import click

from mailgate.cli.main import Context, Unusable

PARTS = ("intake", "worker", "mailer", "web")


@click.command()
@click.option(
    "--only",
    metavar="PART,…",
    help=f"Run a part only, so that parts can live on several machines: {', '.join(PARTS)}.",
)
@click.pass_obj
def serve(context: Context, only: str | None) -> None:
    """Run the daemon: SMTP and LMTP intake, workers, mailer and web.

    SIGTERM finishes what was answered for and stops; SIGHUP reloads the rules, and keeps the old
    ones where the file is broken.
    """
    from mailgate import app, logs
    from mailgate.yamlfile import ConfigError

    parts = frozenset(only.split(",")) if only else frozenset(PARTS)
    if unknown := parts - frozenset(PARTS):
        raise click.BadParameter(f"no such part: {', '.join(sorted(unknown))}", param_hint="--only")
    settings = context.settings()
    context.keys()
    context.store().close()
    logs.configure(settings.log.level, settings.log.format)
    try:
        house = app.House(context.config, settings, parts)
        app.run(lambda: app.serve(house))
    except (ConfigError, OSError) as error:
        raise Unusable(str(error)) from error
