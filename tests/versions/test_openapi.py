"""The REST API of an earlier version is a part of today's: there are additions only."""

import copy
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest

GONE: Final[frozenset[str]] = frozenset()
"""What was deprecated for two versions and is no more, as the test below names it."""
TEXTS: Final = {
    "description", "summary", "title", "tags", "operationId", "example", "examples", "default",
}  # fmt: skip
"""What programs do not depend on."""


@pytest.fixture(scope="module")
def today(service: Any) -> Any:
    """Its description today."""
    return httpx.get(f"{service.url}/openapi.json").raise_for_status().json()


def missing(
    old: Any, new: Any, documents: tuple[Any, Any], where: str, *, sent: bool = False
) -> Iterator[str]:
    """What the old part of a description has and the new one lacks, or asks for besides.

    ``sent``: it is about what a client sends, of which nothing more may be required.
    """
    old, new = _resolved(old, documents[0]), _resolved(new, documents[1])
    if isinstance(old, dict) and isinstance(new, dict):
        for name, value in old.items():
            place = f"{where}/{name}".replace("//", "/")
            if name in TEXTS and isinstance(value, str | list):
                continue
            if name == "required" and isinstance(value, list):
                least, most = (new.get(name, []), value) if sent else (value, new.get(name, []))
                yield from (f"{place}/{value}" for value in least if value not in most)
            elif name not in new:
                yield place
            else:
                now_sent = sent or name in {"requestBody", "parameters"}
                yield from missing(value, new[name], documents, place, sent=now_sent)
        if sent and "required" in new and "required" not in old and "properties" in old:
            yield from (f"{where}/required/{name}" for name in new["required"])
    elif isinstance(old, list) and isinstance(new, list):
        for value in old:
            name = value.get("name", value.get("type", "")) if isinstance(value, dict) else value
            tries = [[*missing(value, each, documents, f"{where}/{name}", sent=sent)]
                     for each in new]  # fmt: skip
            yield from min(tries, key=len, default=[f"{where}/{name}"])
    elif old != new:
        yield where


def _resolved(part: Any, document: Any) -> Any:
    """What a reference stands for; names of schemas are not a part of the API."""
    while isinstance(part, dict) and "$ref" in part:
        found = document
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


def test_nothing_of_the_rest_api_is_gone(left_openapi: Any, today: Any) -> None:
    """Each path, parameter, answer and value of an enumeration; nothing more must be sent."""
    paths = left_openapi["paths"]
    assert len(paths) > 10
    gone = set(missing(paths, today["paths"], (left_openapi, today), ""))
    assert gone == GONE


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda paths: paths.pop("/api/v1/ranking"), "/api/v1/ranking"),
        (lambda paths: _run_create(paths)["required"].append("owner"), "required/owner"),
        (lambda paths: _run_create(paths)["properties"].pop("seconds"), "properties/seconds"),
        (lambda paths: paths["/api/v1/runs"]["get"]["parameters"].pop(), "parameters/"),
    ],
)  # fmt: skip
def test_what_goes_or_is_asked_for_besides_is_found(
    left_openapi: Any, change: Any, found: str
) -> None:
    """The comparison is not blind."""
    new = copy.deepcopy(left_openapi)
    new["paths"]["/api/v1/runs"]["post"]["requestBody"] = _inline(new)
    change(new["paths"])
    gone = [*missing(left_openapi["paths"], new["paths"], (left_openapi, new), "")]
    assert gone
    assert all(found in place for place in gone)


def _inline(document: Any) -> Any:
    body = document["paths"]["/api/v1/runs"]["post"]["requestBody"]
    content = body["content"]["application/json"]
    content["schema"] = _resolved(content["schema"], document)
    return body


def _run_create(paths: Any) -> Any:
    content = paths["/api/v1/runs"]["post"]["requestBody"]["content"]
    return content["application/json"]["schema"]
