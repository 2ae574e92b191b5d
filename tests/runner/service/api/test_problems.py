"""Errors as problem+json, from a small FastAPI app."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from wattmark_core.errors import ConfigurationError, ExporterError, RunError, StoreError
from wattmark_runner.service.api.problems import RESPONSES, ApiError, FieldError, install

Ask = Callable[..., httpx.Response]


class Parameters(BaseModel):
    """Nested, so that paths are."""

    size: int


class Body(BaseModel):
    """A request."""

    parameters: Parameters


class ModelError(ConfigurationError):
    """A refusal that knows which field it is about."""

    field = "model"


def make_app() -> FastAPI:
    """An app whose every call fails in a way of its own."""
    app = FastAPI()
    install(app)

    @app.post("/things", responses=RESPONSES)
    async def create(body: Body, limit: int = 1) -> Body:
        return body

    @app.get("/refused")
    async def refused() -> None:
        raise ApiError(409, "ended already", [FieldError("state", "is done")], {"X-Hint": "later"})

    @app.get("/errors/{name}")
    async def errors(name: str) -> None:
        known = {"configuration": ConfigurationError, "exporter": ExporterError,
                 "store": StoreError, "run": RunError, "field": ModelError}  # fmt: skip
        raise known.get(name, ValueError)("secret of the inside")

    return app


@pytest.fixture
def ask() -> Ask:
    """Sends one request to the app."""
    app = make_app()

    async def send(method: str, path: str, **options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, **options)

    return lambda method, path, **options: asyncio.run(send(method, path, **options))


def problem(response: httpx.Response) -> dict[str, Any]:
    """The body, after checking what holds for every problem."""
    assert response.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = response.json()
    assert found["type"] == "about:blank"
    assert found["status"] == response.status_code
    assert found["detail"]
    assert "\n" not in found["detail"]
    return found


def test_a_refusal_of_our_own(ask: Ask) -> None:
    """Status, detail, fields and headers of an ApiError reach the client."""
    response = ask("GET", "/refused")
    assert response.headers["X-Hint"] == "later"
    assert problem(response) == {
        "type": "about:blank", "title": "Conflict", "status": 409, "detail": "ended already",
        "instance": "/refused", "errors": [{"field": "state", "message": "is done"}],
    }  # fmt: skip


def test_a_wrong_type_names_its_field(ask: Ask) -> None:
    """Fields are dotted paths, without the part of the request they are in."""
    found = problem(ask("POST", "/things?limit=x", json={"parameters": {"size": "big"}}))
    assert found["status"] == 422
    assert found["title"] == "Unprocessable Content"
    assert {error["field"] for error in found["errors"]} == {"limit", "parameters.size"}
    assert "parameters.size" in found["detail"]


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe{", b"[" * 50_000, b'"\\ud800"', b"", b"null"])
def test_a_body_that_is_no_json_object(ask: Ask, body: bytes) -> None:
    """Whatever bytes come as the body, the answer is 422."""
    found = problem(
        ask("POST", "/things", content=body, headers={"Content-Type": "application/json"})
    )
    assert found["status"] == 422


def test_a_lone_surrogate_is_answered(ask: Ask) -> None:
    """A field's name that is no UTF-8 can be repeated in the answer."""
    body = b'{"parameters": {"size": "\\ud800"}}'
    found = problem(
        ask("POST", "/things", content=body, headers={"Content-Type": "application/json"})
    )
    assert found["errors"][0]["field"] == "parameters.size"


def test_unknown_paths_and_methods(ask: Ask) -> None:
    """404 and 405 of the framework are problems too; 405 says what is allowed."""
    assert problem(ask("GET", "/no/thing%20here"))["instance"] == "/no/thing%20here"
    response = ask("GET", "/things")
    assert problem(response)["status"] == 405
    assert response.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    ("name", "status"), [("configuration", 422), ("exporter", 503), ("store", 503)]
)
def test_errors_of_the_rooms(ask: Ask, name: str, status: int) -> None:
    """What the user asked wrongly is 422, a part that is away is 503; the line is handed on."""
    found = problem(ask("GET", f"/errors/{name}"))
    assert (found["status"], found["detail"]) == (status, "secret of the inside")
    assert "errors" not in found


@pytest.mark.parametrize("name", ["run", "unforeseen"])
def test_a_fault_discloses_nothing(ask: Ask, name: str) -> None:
    """Anything unforeseen is 500 without a word of what happened."""
    response = ask("GET", f"/errors/{name}")
    assert problem(response)["status"] == 500
    assert "secret" not in response.text


def test_the_field_of_a_configuration_error(ask: Ask) -> None:
    """A ConfigurationError that knows its field blames it."""
    found = problem(ask("GET", "/errors/field"))
    assert found["errors"] == [{"field": "model", "message": "secret of the inside"}]


def test_openapi_describes_problems() -> None:
    """Every documented error refers to a schema that the document holds."""
    document = make_app().openapi()
    responses = document["paths"]["/things"]["post"]["responses"]
    assert {str(status) for status in RESPONSES} <= responses.keys()
    content = responses["422"]["content"]
    assert content.keys() == {"application/problem+json"}
    assert {"Problem", "FieldError"} <= document["components"]["schemas"].keys()
    assert "$defs" not in json.dumps(document)
