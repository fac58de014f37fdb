"""Whether mailgate lives and whether it is ready, for supervisors and load balancers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Ready = Callable[[], Mapping[str, bool]]
"""Every check by its name, and whether it holds now. Called in a thread; it may look at a disk."""


def routes(ready: Ready) -> list[Route]:
    async def live(_request: Request) -> Response:
        return JSONResponse({"live": True})

    async def is_ready(_request: Request) -> Response:
        checks = dict(await run_in_threadpool(ready))
        holds = all(checks.values())
        return JSONResponse({"ready": holds, "checks": checks}, 200 if holds else 503)

    return [Route("/health/live", live), Route("/health/ready", is_ready)]
