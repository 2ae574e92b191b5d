"""The client's models against the OpenAPI document of today's service: they cannot drift apart."""

import types
import typing
from dataclasses import is_dataclass
from datetime import datetime
from typing import Any

import httpx
import pytest

import wattmark_client as client

MODELS: dict[str, Any] = {
    "Check": client.Check, "Column": client.Column, "CurveItem": client.Curve,
    "EnergyItem": client.EnergyCounter, "ParameterItem": client.Parameter,
    "PhaseItem": client.PhaseSpan, "Power": client.Power, "ProgressItem": client.Progress,
    "RankedGroup": client.RankedGroup, "Run": client.Run, "RunDetail": client.Run,
    "RunScores": client.RunScores, "Score": client.Score, "ScoreTexts": client.ScoreTexts,
    "SensorItem": client.Sensor,
    "Sensors": client.Sensors, "Table": client.Table, "WindowItem": client.WindowItem,
    "WorkloadItem": client.Workload, "Workloads": client.Workloads,
}  # fmt: skip
"""Schema → what the client makes of it."""
TAKEN_APART = {
    "RunsPage": "runs", "ScoresPage": "scores", "WindowsPage": "windows", "Ranking": "groups",
    "Tables": "tables",
}  # fmt: skip
"""Answers of which the client hands out what their one list holds, page by page."""
WHOLE = {"RunRecord", "ShownRun", "ShownGroup"}
"""What the client hands on as the JSON object that it is."""
ONLY_BY_NAME = {"record", "shown"}
"""Of a run: the client's one class is both the run in a list and the run asked for by name."""
ADDED = {"final"}
"""Of a run: what older runners lack, so that it may be None here."""
TEXT = "text"


@pytest.fixture(scope="module")
def document(service: Any) -> dict[str, Any]:
    """What the service says of itself."""
    body: dict[str, Any] = httpx.get(f"{service.url}/openapi.json").json()
    return body


def answers(document: dict[str, Any]) -> set[str]:
    """The schemas of the answers of all calls of the API."""
    names = set()
    for path, calls in document["paths"].items():
        for call in calls.values():
            for status, response in call["responses"].items():
                schema = response.get("content", {}).get("application/json", {}).get("schema", {})
                if path.startswith("/api/v1/") and status.startswith("2") and "$ref" in schema:
                    names.add(schema["$ref"].rpartition("/")[2])
    return names


def referred(schema: Any) -> set[str]:
    """The names of the schemas that one mentions."""
    if isinstance(schema, list):
        return set().union(*map(referred, schema))
    if not isinstance(schema, dict):
        return set()
    own = {schema["$ref"].rpartition("/")[2]} if "$ref" in schema else set()
    return own.union(*(referred(value) for name, value in schema.items() if name != "examples"))


def reached(document: dict[str, Any]) -> set[str]:
    """All object schemas that answers are made of, but for what is handed on whole."""
    schemas = document["components"]["schemas"]
    names: set[str] = set()
    left = answers(document)
    while left:
        name = left.pop()
        if name not in names | WHOLE and "properties" in schemas[name]:
            names.add(name)
            left |= referred(schemas[name])
    return names


def shape(schema: dict[str, Any], document: dict[str, Any]) -> Any:
    """A schema's type, in the words that ``shape_of`` uses for the client's."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name in WHOLE:
            return ("object", "any")
        return MODELS[name].__name__ if name in MODELS else shape(
            document["components"]["schemas"][name], document
        )  # fmt: skip
    if "anyOf" in schema:
        return frozenset(shape(part, document) for part in schema["anyOf"])
    if schema.get("format") == "date-time":
        return "moment"
    kind = schema.get("type", "any")
    if kind == "array":
        parts = schema.get("prefixItems") or [schema["items"]]
        (entry,) = {shape(part, document) for part in parts}
        return ("list", entry)
    if kind == "object":
        values = schema.get("additionalProperties", True)
        return ("object", "any" if values is True else shape(values, document))
    return {"string": TEXT}.get(kind, kind)


def shape_of(hint: Any) -> Any:
    """The same of a hint of the client."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {types.UnionType, typing.Union}:
        return frozenset(shape_of(part) for part in arguments)
    if origin in {tuple, list}:
        return ("list", shape_of(arguments[0]))
    if origin is dict:
        return ("object", shape_of(arguments[1]))
    if is_dataclass(hint) or typing.is_typeddict(hint):
        return hint.__name__
    return {
        str: TEXT, int: "integer", float: "number", bool: "boolean", types.NoneType: "null",
        datetime: "moment", Any: "any",
    }[hint]  # fmt: skip


def test_every_answer_has_a_model(document: dict[str, Any]) -> None:
    """And no model is left of an answer that is no more."""
    assert reached(document) == MODELS.keys() | TAKEN_APART.keys()


@pytest.mark.parametrize("name", TAKEN_APART)
def test_an_answer_that_is_taken_apart_is_one_list(document: dict[str, Any], name: str) -> None:
    """Beside it stands the cursor of the next page, or the same list in words, if anything."""
    properties = document["components"]["schemas"][name]["properties"].keys()
    assert properties - {"next", "shown"} == {TAKEN_APART[name]}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_has_the_fields_of_its_answer(document: dict[str, Any], name: str) -> None:
    """All of them, of the same type; no other. A value that the runner always gives may be
    optional here, for runners that did not give it."""
    properties = document["components"]["schemas"][name]["properties"]
    hints = typing.get_type_hints(MODELS[name])
    missing = hints.keys() - properties.keys()
    assert missing <= (ONLY_BY_NAME if name == "Run" else set())
    for key, schema in properties.items():
        assert key in hints, f"{MODELS[name].__name__} lacks {key}"
        hint = hints[key]
        if key in ONLY_BY_NAME | ADDED:
            (hint,) = (part for part in typing.get_args(hint) if part is not types.NoneType)
        assert shape_of(hint) == shape(schema, document), f"{MODELS[name].__name__}.{key}"
