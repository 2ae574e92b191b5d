"""The stand-in answers as InfluxDB 2.7.12 and 2.9.1 did; the real 1.6 behind it is not changed."""

import base64
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.influxdb.remote import Remote2
from tests.influxdb.servers import REAL, Influxdb27, Server
from tests.influxdb.standin import COMMITS

RECORDED = json.loads((Path(__file__).parent / "recorded.json").read_text(encoding="utf-8"))
LATE_SECONDS = 40 * 86_400
KEPT = {"telemetry": 14 * 86_400, "results": 0}
OF_THE_BUILD = {3, 77}
"""Its commit, and a page that it has or has not."""


@pytest.fixture(scope="module", params=["real"] if REAL else sorted(COMMITS))
def replayed(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[dict[int, Any]]:
    """All recorded calls, in their order on empty buckets: what was wanted and what came, by
    number."""
    influxd: Server = request.getfixturevalue("influxd")
    if not REAL:
        yield from on_standin(influxd, request.param)
    elif isinstance(influxd, Remote2):
        yield from on_real(influxd, tmp_path_factory.mktemp("recorded"))
    else:
        pytest.skip("the calls were recorded from InfluxDB 2")


def on_standin(influxd: Server, version: str) -> Iterator[dict[int, Any]]:
    """The answers of the stand-in."""
    influxd.make_databases()
    for name in influxd.databases:
        if name not in KEPT:
            influxd.drop(name)
    influxd.query("", "ALTER RETENTION POLICY autogen ON telemetry DURATION 14d")
    server = Influxdb27(influxd, version)
    yield replay(server, COMMITS[version])
    server.close()
    influxd.make_databases()


def on_real(other: Remote2, folder: Path) -> Iterator[dict[int, Any]]:
    """The answers of a real server, in another organization."""
    server = Remote2(other.real_address, other.version, folder, KEPT)
    try:
        server.make()
        yield replay(server, "")
    finally:
        server.remove()


def replay(server: Server, commit: str) -> dict[int, Any]:
    """All calls, of which those about the build itself are known only of the stand-in's."""
    now = int(time.time()) - 60
    return {
        recorded["n"]: (
            recorded["what"],
            expected_answer(recorded["answer"], now, server.version, commit),
            came(server, recorded["call"], now),
        )
        for recorded in RECORDED if commit or recorded["n"] not in OF_THE_BUILD
    }  # fmt: skip


def expected_answer(
    answer: dict[str, Any], now: int, version: str, commit: str
) -> tuple[int, str, str]:
    """Status, type and body of a recorded answer, in this server's version and time."""
    late = datetime.fromtimestamp(now - LATE_SECONDS, UTC)
    body = filled(answer["body"], now)
    for name, text in {
        "version": version, "commit": commit, "late time": f"{late:%Y-%m-%dT%H:%M:%SZ}",
    }.items():  # fmt: skip
        body = body.replace(f"{{{name}}}", text)
    return answer["status"], answer.get("type", ""), body


def filled(text: str, now: int) -> str:
    """A recorded text with the times of now."""
    text = text.replace("{late}", str(now - LATE_SECONDS))
    return re.sub(r"\{now\+(\d\d)\}", lambda found: str(now + int(found[1])), text)


def came(server: Server, call: dict[str, Any], now: int) -> tuple[int, str, str]:
    """Status, type and body of the answer to a recorded call."""
    headers, body = {}, filled(call.get("body", ""), now).encode("latin-1")
    user = call.get("user", "")
    if user == "nobody":
        headers["Authorization"] = basic("nobody", "guess")
    elif user:
        right = server.password_file(user).read_text()
        headers["Authorization"] = basic(server.name(user), call.get("password", right))
    if "q" in call:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = urlencode({"q": filled(call["q"], now)}).encode()
    if "accept" in call:
        headers["Accept"] = call["accept"]
    path = call["path"]
    if "p=grafana-secret" in path:
        path = path.replace("grafana-secret", server.password_file("grafana").read_text())
        path = path.replace("u=grafana", f"u={server.name('grafana')}")
    connection = HTTPConnection(server.real_address.removeprefix("http://"), timeout=30.0)
    connection.request(call["method"], path, body or None, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    assert answer.headers["X-Influxdb-Build"] == "OSS"
    assert answer.headers["X-Influxdb-Version"]
    return answer.status, answer.headers.get("Content-Type", ""), text


def basic(user: str, password: str) -> str:
    """The header's value."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize("number", [each["n"] for each in RECORDED],
                         ids=[f"{each['n']} {each['what']}" for each in RECORDED])  # fmt: skip
def test_each_recorded_call_is_answered_alike(replayed: dict[int, Any], number: int) -> None:
    """Status, content type and body, byte for byte but for a bucket's id and the time of now."""
    if number not in replayed:
        pytest.skip("of the build")
    what, expected, found = replayed[number]
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", "{bound}", found[2])
    text = re.sub(r"for database: [0-9a-f]{16} ", "for database: {bucket} ", text)
    assert (*found[:2], text) == expected, what
