"""The web application put together: which pages there are, and what stands around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.staticfiles import StaticFiles

from mailgate import clock
from mailgate.clock import Now, Random
from mailgate.model.ports import ConfirmView, LinkStore, StorageError, StoreUnusable
from mailgate.settings import Settings
from mailgate.tokens.keys import Keys
from mailgate.tokens.link import code_matches
from mailgate.web import api, health
from mailgate.web.api import problems
from mailgate.web.confirm import PAUSES, ConfirmPage
from mailgate.web.forms import PageNonce, host
from mailgate.web.guard import TOKEN_PAGE_RATE, RateLimit, Shield
from mailgate.web.pages import Pages


def create(
    settings: Settings,
    *,
    links: LinkStore,
    view: ConfirmView,
    keys: Keys,
    now: Now,
    random: Random,
    on_decided: Callable[[], None],
    ready: health.Ready = dict,
    routes: Sequence[BaseRoute] = (),
    monotonic: Callable[[], float] = clock.monotonic,
    pauses: Sequence[float] = PAUSES,
) -> Starlette:
    """The application to serve at `base_url`; `routes` are further pages, of the demo say.

    `on_decided` is called once an answer has put a message back into the queue. Everything but
    health lies under the path of `base_url`, and answers to its host only (promise L13).
    """
    pages = Pages(settings)
    confirm = ConfirmPage(
        links=links,
        view=view,
        code_is_right=partial(code_matches, keys),
        now=now,
        tries=settings.links.tries,
        pages=pages,
        nonce=PageNonce(settings.base_url, random),
        on_decided=on_decided,
        pauses=pauses,
    )
    limited = Middleware(RateLimit, rate=TOKEN_PAGE_RATE, monotonic=monotonic)
    site = _site(settings.base_url, [_token_pages(confirm, limited), *routes])
    all_routes: list[BaseRoute] = [*health.routes(ready), site]
    base = urlsplit(settings.base_url)
    return Starlette(
        routes=all_routes,
        middleware=[
            Middleware(
                Shield,
                https=base.scheme == "https",
                templates=dict(_templates(all_routes)),
                failed=pages.failure,
            ),
            Middleware(RequestBodyLimitMiddleware, max_body_size=settings.web.form_size),
        ],
        exception_handlers=_refusals(pages),
    )


def _token_pages(confirm: ConfirmPage, limited: Middleware) -> Mount:
    page = Route("/{token}", confirm.page, methods=["GET", "POST"])
    renew = Route("/{token}/new", confirm.renew, methods=["POST"])
    return Mount("/c", _router([page, renew]), middleware=[limited])


def _site(base_url: str, routes: Sequence[BaseRoute]) -> Mount:
    """All pages with what they are drawn with, where `base_url` says and for its host alone."""
    static = Mount("/static", StaticFiles(packages=[("mailgate.web", "static")]))
    ours = Middleware(TrustedHostMiddleware, allowed_hosts=[host(base_url)], www_redirect=False)
    return Mount(urlsplit(base_url).path, _router([static, *routes]), middleware=[ours])


def _router(routes: Sequence[BaseRoute]) -> Router:
    """Without redirects to or from a last slash: Starlette would build them from Host."""
    return Router(routes, redirect_slashes=False)


def _refusals(pages: Pages) -> Mapping[Any, Callable[[Request, Exception], Response]]:
    def refused(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 503
        # Starlette's Mount lets a path with a line end in it pass by, so the API is asked here too.
        is_api = request.url.path.startswith(f"{pages.root}{api.PATH}/")
        response = problems.refusal(status) if is_api else pages.refusal(request, status)
        response.headers.update(getattr(error, "headers", None) or {})
        return response

    return {HTTPException: refused, StorageError: refused, StoreUnusable: refused}


def _templates(routes: Sequence[BaseRoute], prefix: str = "") -> list[tuple[int, str]]:
    """Every endpoint with its path as written in the route, which is all of a path we may log.

    By its identity: what is mounted may be a router, which has no hash.
    """
    found: list[tuple[int, str]] = []
    for route in routes:
        if isinstance(route, Mount):
            found.append((id(route.app), f"{prefix}{route.path}/…"))
            found += _templates(route.routes, prefix + route.path)
        elif isinstance(route, Route):
            found.append((id(route.endpoint), prefix + route.path))
    return found
