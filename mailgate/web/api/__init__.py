"""The JSON API for a help desk or a script: one application under /api/v1, with its OpenAPI."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.routing import BaseRoute, Mount

from mailgate import __version__
from mailgate.web.api import acting, my, problems, reading
from mailgate.web.api.access import SCOPES, Api, ApiStore
from mailgate.web.guard import Buckets

__all__ = ["SCOPES", "Api", "ApiStore", "create", "routes"]

PATH = "/api/v1"
_ABOUT = """\
Tickets, messages, why they were authorized or not, and contacts.

Every request carries a token. Staff bring one of theirs, `Authorization: Bearer mga-…`. What begins
with `/my` is for customers, who bring their access token, `Authorization: Bearer mgt-…`, and see
what the panel shows them.

A list gives some rows and `next`; ask again with `after` for those that follow. Every error is a
problem (RFC 9457) with a stable `code`. Whoever asks too often gets a 429 that says when to come
back.
"""


def routes(api: Api) -> list[BaseRoute]:
    return [Mount(PATH, create(api))]


def create(api: Api) -> FastAPI:
    """Without pages that explain it: those would load scripts from elsewhere."""
    app = FastAPI(
        title="mailgate",
        version=__version__,
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        servers=[{"url": f"{api.settings.base_url}{PATH}"}],
        root_path_in_servers=False,
    )
    app.state.api = api
    often = api.settings.web.api_per_minute
    app.state.buckets = Buckets(often / 60, often, api.monotonic)
    problems.install(app)
    # The routes themselves, not the routers: what walks over all routes shall find them.
    app.router.routes += [*reading.router.routes, *acting.router.routes, *my.router.routes]
    problems.describe(app)
    return app
