"""Every error of the service as RFC 9457 ``application/problem+json``.

Raise ``ApiError`` for a refusal of the API's own. Errors of the floors below
(``wattmark_core.errors``, ``wattmark_runner.errors``) and of the framework become problems here
alone, by the handlers that ``install`` adds.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from wattmark_core.errors import (
    ConfigurationError,
    ExporterError,
    LineFormatError,
    NoSamples,
    SensorAbsent,
    SensorFailed,
    StoreError,
    UnknownRun,
    WattmarkError,
)
from wattmark_core.printable import printable
from wattmark_runner.errors import Conflict, Invalid, RequestRefused
from wattmark_runner.service.api.schemas import examples_of

MEDIA_TYPE: Final = "application/problem+json"
TITLES: Final = {413: "Content Too Large", 422: "Unprocessable Content"}
"""As RFC 9110 calls them; the standard library of Python 3.11 has older names."""
STATUS: Final[dict[type[WattmarkError], int]] = {
    ConfigurationError: 422,
    Invalid: 422,
    Conflict: 409,
    UnknownRun: 404,
    LineFormatError: 422,
    NoSamples: 422,
    ExporterError: 503,
    SensorAbsent: 503,
    SensorFailed: 503,
    StoreError: 503,
}
"""What an error of the lower floors means to a client; any other is a fault of ours: 500."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field; ``field`` is a dotted path such as ``parameters.size``."""

    field: str
    message: str


class Problem(BaseModel):
    """An error, after RFC 9457. ``errors`` is given where fields of the request are to blame."""

    type: str = "about:blank"
    title: str = Field(description="the status in words")
    status: int
    detail: str = Field(description="one line: what is wrong and what to do")
    instance: str = Field(description="the path that was asked for")
    errors: list[FieldError] | None = None


class ApiError(Exception):
    """A refusal: ``detail`` is one line for the user, ``errors`` name the fields to blame."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})


def title_of(status: int) -> str:
    """A status in words."""
    return TITLES.get(status) or HTTPStatus(status).phrase


def problem_response(
    status: int,
    detail: str,
    instance: str,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer with the problem; ``instance`` is the path that was asked for, unquoted."""
    problem = Problem(
        title=title_of(status),
        status=status,
        detail=printable(detail),
        instance=quote(instance),
        errors=[FieldError(printable(one.field), printable(one.message)) for one in errors] or None,
    )
    text = problem.model_dump_json(exclude_none=True, ensure_ascii=True)
    return Response(text, status, dict(headers or {}), MEDIA_TYPE)


def _schemas() -> dict[str, Any]:
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs"), "Problem": schema}


def _described(meaning: str) -> dict[str, Any]:
    reference = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {"description": meaning, "content": {MEDIA_TYPE: reference}}


RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    401: _described("the key is missing or wrong"),
    403: _described("a read key on a write, or a foreign origin"),
    404: _described("there is no such thing"),
    405: _described("the path takes another method"),
    408: _described("the headers or the body took too long"),
    409: _described("its state does not allow it"),
    413: _described("the body is too large"),
    414: _described("the path and query are too long"),
    415: _described("the body is not JSON"),
    421: _described("the Host header names another machine"),
    422: _described("the input is wrong"),
    431: _described("the headers are too long"),
    500: _described("a fault of the service, which its log explains"),
    503: _described("the exporter or the store is away"),
}
"""For ``APIRouter(responses=…)``; the schema they refer to is added by ``install``."""


KEY: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": "a key of the runner's key file, where it has one; else none is needed",
}


def install(app: FastAPI) -> None:
    """Answer every error as a problem, and describe problems in the OpenAPI document."""
    for kind in (ApiError, RequestValidationError, HTTPException, WattmarkError, Exception):
        app.add_exception_handler(kind, _answer)
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        document = plain()
        components = document.setdefault("components", {})
        components.setdefault("schemas", {}).update(_schemas())
        components["securitySchemes"] = {"key": KEY}
        for name, schema in components["schemas"].items():
            if "examples" in schema:  # the framework leaves out what is null in them
                schema["examples"] = examples_of(name)
        document["security"] = [{}, {"key": []}]
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend it


def refusal(error: Exception) -> ApiError:
    """What any error means to a client. A fault of ours shows nothing of its inside."""
    match error:
        case ApiError():
            return error
        case RequestValidationError():
            return _invalid(error)
        case HTTPException(status_code=400):  # FastAPI: the body could not be decoded
            return ApiError(422, "the body cannot be read as JSON")
        case HTTPException():
            return ApiError(error.status_code, str(error.detail), headers=error.headers)
    status = next((STATUS[kind] for kind in STATUS if isinstance(error, kind)), None)
    if status is None:
        # The server closes the connection after logging it: the next request must not go there.
        detail = "a fault of the service; its log has the reason"
        return ApiError(500, detail, headers={"Connection": "close"})
    field = getattr(error, "field", "")
    reason = error.reason if isinstance(error, RequestRefused) else str(error)
    return ApiError(status, str(error), [FieldError(field, reason)] if field else [])


def _answer(request: Request, error: Exception) -> Response:
    """The framework raises unforeseen errors again once answered, and so the server logs them."""
    refused = refusal(error)
    headers = refused.headers
    if refused.status == 405:  # the framework names the methods of one route of several alone
        headers = {**headers, "Allow": ", ".join(sorted(_methods(request)))}
    return problem_response(
        refused.status, refused.detail, request.url.path, refused.errors, headers
    )


def _methods(request: Request) -> set[str]:
    """What the path takes, by the API's own description."""
    paths: dict[str, dict[str, Any]] = request.app.openapi()["paths"]
    requested = request.url.path
    return {
        method.upper()
        for path, operations in paths.items()
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)), requested)
        for method in operations
    }


def _invalid(error: RequestValidationError) -> ApiError:
    details = error.errors()
    if any(detail["type"] == "json_invalid" for detail in details):
        return ApiError(422, "the body is not valid JSON")
    blamed = [FieldError(_path(detail["loc"]), detail["msg"]) for detail in details]
    return ApiError(422, "; ".join(f"{one.field}: {one.message}" for one in blamed), blamed)


def _path(location: Sequence[str | int]) -> str:
    """Where the field is, without the part of the request that it is in (body, query, path)."""
    return ".".join(str(part) for part in location[1:]) or str(location[0])
