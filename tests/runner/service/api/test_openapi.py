"""The OpenAPI document and the service agree: schemathesis makes requests of the document, good and
bad, and compares every answer with it."""

import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from wattmark_runner.service.api.schemas import model_of

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
FEW = settings(
    max_examples=60, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
METHODS = ("get", "post", "patch", "put", "delete")
WINDOW = {"workload": "w", "model": "m"}
UNKNOWN_RUN_OR_TIME = ("run_id", "start_ns", "end_ns", "gpu", "boundary", "inferences", "correct",
                       "cpu_seconds")  # fmt: skip
"""What a window that is opened now on any host must not have."""


@pytest.fixture(scope="module")
def rooms(service: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Rooms of these tests' own: what they queue would keep others waiting."""
    made = type(service)(tmp_path_factory.mktemp("openapi"))
    yield made
    made.end_all()


@pytest.fixture(scope="module")
def document(rooms: Any) -> Any:
    """The OpenAPI document."""
    return httpx.get(f"{rooms.url}/openapi.json").json()


def choice(made_up: Any, makers: list[Callable[[], str]]) -> Any:
    """What was made up, or something that is there; always the same for the same."""
    number = zlib.crc32(repr(made_up).encode()) % (len(makers) + 1)
    return makers[number - 1]() if number else made_up


class Existing:
    """Runs and windows for requests to be about."""

    def __init__(self, api: Any, queued: Any) -> None:
        self._api = api
        self._queued = queued
        window = api.post("/windows", WINDOW)
        time.sleep(1.0)
        api.close_window(window, inferences=10, correct=9)
        api.ended(window["run_id"])
        self._closed = window

    def named(self, case: Any) -> None:
        """Let most requests be about something that is there."""
        for name, makers in {
            "run_id": [lambda: str(self._closed["run_id"]), self._run],
            "window_id": [lambda: str(self._closed["window_id"]), self._window],
        }.items():
            if name in case.path_parameters:
                case.path_parameters[name] = choice(case.path_parameters[name], makers)

    def possible(self, case: Any) -> None:
        """Let a valid body ask for what this host has."""
        if case.operation.label == "POST /api/v1/runs":
            case.body |= {name: self._queued[name] for name in ("workload", "model")}
            case.body["parameters"] = {}
        elif case.operation.label == "POST /api/v1/windows":
            known = {name: value for name, value in case.body.items()
                     if name not in UNKNOWN_RUN_OR_TIME}  # fmt: skip
            case.body = known | WINDOW

    def _run(self) -> str:
        return str(self._api.post("/runs", self._queued)["run_id"])

    def _window(self) -> str:
        return str(self._api.post("/windows", WINDOW)["window_id"])


@pytest.mark.slow
def test_every_answer_is_as_the_document_says(
    rooms: Any, api_of: Callable[..., Any], subtests: pytest.Subtests
) -> None:
    """Whatever is sent: no fault of the service, and a status, type, headers and body that the
    document describes; what the document forbids is refused. Each call also succeeds."""
    names = Existing(api_of(rooms.url), {**rooms.quick, "idle_before_seconds": 300.0})
    schema = schemathesis.openapi.from_url(f"{rooms.url}/openapi.json")
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        with subtests.test(operation.label):
            statuses = tried(operation, names)
            assert min(statuses) < 300, statuses


def tried(operation: Any, names: Existing) -> Counter[int]:
    """How often each status came of an operation, all answers being as described."""
    statuses: Counter[int] = Counter()
    cases = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]

    @FEW
    @given(st.one_of(cases))
    def each(case: Any) -> None:
        names.named(case)
        if case.meta.generation.mode is GenerationMode.POSITIVE:
            names.possible(case)
        if case.path.endswith("/events"):
            case.query["follow"] = "false"  # else it would stay open
        statuses[case.call_and_validate(checks=CHECKS, timeout=30.0).status_code] += 1

    each()
    return statuses


def operations(document: Any) -> Iterator[tuple[str, Any]]:
    """Every operation, with a name for messages."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method} {path}", item[method]


def test_every_operation_is_explained(document: Any) -> None:
    """Each has a name of its own, a summary and a description."""
    found = dict(operations(document))
    assert len(found) >= 20
    assert len({operation["operationId"] for operation in found.values()}) == len(found)
    for name, operation in found.items():
        assert operation["summary"], name
        assert operation["description"], name


def test_every_body_has_an_example_that_works(
    document: Any, rooms: Any, api_of: Callable[..., Any]
) -> None:
    """The example of each body, sent as it stands, is accepted."""
    api = api_of(rooms.url)
    for name, operation in operations(document):
        if "requestBody" not in operation:
            continue
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        described = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        for example in described["examples"]:
            method, path = name.split()
            if "{window_id}" in path:
                path = path.format(window_id=api.post("/windows", WINDOW)["window_id"])
            answer = api.http.request(method, f"{rooms.url}{path}", json=example)
            assert answer.status_code < 300, (name, answer.text)


def test_every_answer_has_an_example_that_is_one(document: Any) -> None:
    """An example of each JSON answer, which its own model accepts."""
    shown = 0
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
            if not status.startswith("2") or not schema:
                continue
            model = schema["$ref"].rpartition("/")[2]
            examples = document["components"]["schemas"][model]["examples"]
            assert examples, name
            for example in examples:
                model_of(model).model_validate(example)
                shown += 1
    assert shown >= 14
