"""Every error of the API as a problem (RFC 9457): what is wrong, in a form for programs."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from mailgate.model.ports import StorageError, StoreUnusable
from mailgate.model.views import BadCursor
from mailgate.model.web_ports import Refused

MEDIA_TYPE = "application/problem+json"
_OWN = {413: "too-large"}


class Mistake(BaseModel):
    """One thing that is wrong with what was sent, and where it stands."""

    model_config = ConfigDict(extra="forbid")

    where: list[str | int]
    what: str


class Problem(BaseModel):
    """What went wrong. `code` does not change; `title` and `detail` are for people."""

    model_config = ConfigDict(extra="forbid")

    type: str = "about:blank"
    title: str
    status: int = Field(ge=400, le=599)
    code: str
    detail: str = ""
    mistakes: list[Mistake] = []


class Wrong(Exception):
    """Ends a request with a problem."""

    def __init__(self, status: int, code: str, detail: str = "", **headers: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These answers for the description, besides those that anybody may get: who is unknown or may
    not, who asks in a way that is not described, or comes when the database is away."""
    problem = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": problem}
        for status in sorted({401, 403, 422, 429, 503, *statuses})
    }


def respond(
    status: int, code: str, detail: str = "", headers: dict[str, str] | None = None, **more: Any
) -> JSONResponse:
    problem = Problem(
        title=HTTPStatus(status).phrase, status=status, code=code, detail=detail, **more
    )
    return JSONResponse(problem.model_dump(), status, headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Answer every exception that may leave an endpoint; what nobody foresaw tells nothing."""
    app.exception_handler(Wrong)(_wrong)
    app.exception_handler(HTTPException)(_http)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(BadCursor)(_bad_cursor)
    app.exception_handler(Refused)(_refused)
    app.exception_handler(StorageError)(_away)
    app.exception_handler(StoreUnusable)(_away)
    app.exception_handler(Exception)(_failed)


def describe(app: FastAPI) -> None:
    """Put the shape of a problem into the description, where `documented` refers to it."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        described = made()
        schemas = described.setdefault("components", {}).setdefault("schemas", {})
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        shape = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update({**shape.pop("$defs"), "Problem": shape})
        return described

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's own way to extend it


def _wrong(_request: Request, error: Wrong) -> JSONResponse:
    return respond(error.status, error.code, error.detail, error.headers)


def refusal(status: int, headers: dict[str, str] | None = None) -> JSONResponse:
    """A problem of which no more is known than its status."""
    # Python has changed the name of 413 since; our word for it stays.
    code = _OWN.get(status) or HTTPStatus(status).phrase.lower().replace(" ", "-")
    return respond(status, code, headers=headers)


def _http(_request: Request, error: HTTPException) -> JSONResponse:
    return refusal(error.status_code, dict(error.headers or {}))


def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
    mistakes = [Mistake(where=list(e["loc"]), what=e["msg"]) for e in error.errors()]
    return respond(422, "invalid", mistakes=mistakes)


def _bad_cursor(_request: Request, _error: BadCursor) -> JSONResponse:
    return respond(422, "bad-cursor", "`after` is the `next` of an earlier answer, as it stands.")


def _refused(_request: Request, error: Refused) -> JSONResponse:
    return respond(409, error.code)


def _away(_request: Request, _error: Exception) -> JSONResponse:
    return respond(503, "try-again", headers={"Retry-After": "5"})


def _failed(_request: Request, _error: Exception) -> JSONResponse:
    return respond(500, "failed")
