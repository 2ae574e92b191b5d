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

from tests.influxdb.servers import Influxdb27
from tests.influxdb.standin import BUCKET, COMMITS

RECORDED = json.loads((Path(__file__).parent / "recorded.json").read_text(encoding="utf-8"))
LATE_SECONDS = 40 * 86_400


@pytest.fixture(scope="module", params=sorted(COMMITS))
def replayed(request: pytest.FixtureRequest, influxd: Any) -> Iterator[dict[int, Any]]:
    """All recorded calls, in their order on empty buckets: what was wanted and what came, by
    number."""
    influxd.make_databases()
    for name in influxd.databases:
        if name not in {"telemetry", "results"}:
            influxd.drop(name)
    influxd.query("", "ALTER RETENTION POLICY autogen ON telemetry DURATION 14d")
    now = int(time.time()) - 60
    server = Influxdb27(influxd, request.param)
    yield {
        each["n"]: (each["what"], wanted(each["answer"], now, request.param),
                    came(server, each["call"], now))
        for each in RECORDED
    }  # fmt: skip
    server.close()
    influxd.make_databases()


def wanted(answer: dict[str, Any], now: int, version: str) -> tuple[int, str, str]:
    """Status, type and body of a recorded answer, in this server's version and time."""
    late = datetime.fromtimestamp(now - LATE_SECONDS, UTC)
    body = filled(answer["body"], now)
    for name, text in {
        "version": version, "commit": COMMITS[version], "bucket": BUCKET,
        "late time": f"{late:%Y-%m-%dT%H:%M:%SZ}",
    }.items():  # fmt: skip
        body = body.replace(f"{{{name}}}", text)
    return answer["status"], answer.get("type", ""), body


def filled(text: str, now: int) -> str:
    """A recorded text with the times of now."""
    text = text.replace("{late}", str(now - LATE_SECONDS))
    return re.sub(r"\{now\+(\d\d)\}", lambda found: str(now + int(found[1])), text)


def came(server: Influxdb27, call: dict[str, Any], now: int) -> tuple[int, str, str]:
    """Status, type and body of the answer to a recorded call."""
    headers, body = {}, filled(call.get("body", ""), now).encode("latin-1")
    user = call.get("user", "")
    if user == "nobody":
        headers["Authorization"] = basic("nobody", "guess")
    elif user:
        right = server.password_file(user).read_text()
        headers["Authorization"] = basic(user, call.get("password", right))
    if "q" in call:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = urlencode({"q": filled(call["q"], now)}).encode()
    if "accept" in call:
        headers["Accept"] = call["accept"]
    path = call["path"]
    if "p=grafana-secret" in path:
        path = path.replace("grafana-secret", server.password_file("grafana").read_text())
    connection = HTTPConnection(server.address.removeprefix("http://"), timeout=30.0)
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
    """Status, content type and body, byte for byte; the time of now has as many digits."""
    what, expected, found = replayed[number]
    bound = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z")
    assert (*found[:2], bound.sub("{bound}", found[2])) == expected, what
