"""``make stack-update``, on the stack that the other tests use, and what keeps its parts apart."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

POWER = ("power_10s", "power_1m", "power_10m", "power_1h")
PAIRS = {"collector-exporter", "runner-exporter", "collector-influxdb", "runner-influxdb"}


def test_parts_reach_only_whom_they_need(stack: Any) -> None:
    """Two share a network that leads nowhere else; the exporter is on no other."""
    networks = {
        name: _docker("network", "inspect", name)
        for service in ("influxdb", "exporter", "collector", "runner")
        for name in stack.inspect(service)["NetworkSettings"]["Networks"]
    }
    project = stack.environment["COMPOSE_PROJECT_NAME"]
    inner = {name.removeprefix(f"{project}_") for name, known in networks.items()
             if known["Internal"]}  # fmt: skip
    assert inner - {"grafana-influxdb"} == PAIRS
    for pair in PAIRS:
        members = networks[f"{project}_{pair}"]["Containers"].values()
        assert {member["Name"].split("_")[-2] for member in members} == set(pair.split("-"))
    exporter = stack.inspect("exporter")["NetworkSettings"]["Networks"]
    assert all(networks[name]["Internal"] for name in exporter)


def test_services_are_limited(stack: Any) -> None:
    """InfluxDB to one CPU, the runner to none of them; both in processes and memory."""
    limits = {name: stack.inspect(name)["HostConfig"] for name in ("influxdb", "runner")}
    assert [limits[name]["NanoCpus"] for name in limits] == [1_000_000_000, 0]
    assert [limits[name]["PidsLimit"] for name in limits] == [1024, 4096]
    assert all(limits[name]["Memory"] > 0 for name in limits)


def test_an_older_stack_is_brought_up_to_date(stack: Any, tmp_path: Path) -> None:
    """One without ready power gets databases, rights and the power of its past; printed before."""
    for name in POWER:
        stack.query("admin", "", f"DROP DATABASE {name}")
    shown = stack.tool("update", "--show")
    assert "database power_1h: new, kept 730d" in shown
    assert "user collector: reads telemetry, telemetry_1m, power_10s" in shown
    assert "influxdb: " not in shown
    databases = {row[0] for row in stack.query("admin", "", "SHOW DATABASES")[0]["values"]}
    assert not databases & set(POWER)
    output = stack.tool("update", str(tmp_path / "copy"))
    assert "updated and tested" in output
    assert (tmp_path / "copy" / "influxdb.tar").stat().st_size > 0
    minutes = stack.query("grafana", "power_1m", 'SELECT watts FROM "power" GROUP BY "domain"')
    assert "total" in {series["tags"]["domain"] for series in minutes}
    assert all(row[1] > 0 for series in minutes for row in series["values"])


def test_an_update_that_fails_leaves_all_as_it_was(stack: Any, broken: str, tmp_path: Path) -> None:
    """An InfluxDB that eats its data and ends: image and data of before come back."""
    before, image = _windows(stack), stack.inspect("influxdb")["Image"]
    assert before
    lock = Path(stack.environment["WATTMARK_IMAGES_LOCK"])
    locked = lock.read_text()
    newer = replace(
        stack, environment={**stack.environment, "WATTMARK_TEST_INFLUXDB": broken}
    )  # fmt: skip
    output = newer.tool("update", str(tmp_path / "copy"), status=1)
    assert f"({broken}), was {image.removeprefix('sha256:')[:12]}" in output
    assert re.search("stack: it failed: influxdb is (ending again and again|unhealthy)", output)
    assert output.splitlines()[-1].startswith("stack: not updated, all is as before")
    assert stack.inspect("influxdb")["Image"] == image
    assert lock.read_text() == locked
    assert _windows(stack) == before
    with stack.runner() as api:
        assert api.get("/runs").json()["runs"]


@pytest.fixture
def broken(stack: Any) -> Iterator[str]:
    """Tag of an image that deletes InfluxDB's data and ends."""
    tag = f"wattmark-test/broken:{stack.environment['COMPOSE_PROJECT_NAME']}"
    base = stack.inspect("influxdb")["Image"]
    text = f"FROM {base}\nENTRYPOINT []\nCMD rm -rf /var/lib/influxdb/*; exit 1\n"
    subprocess.run(
        ["docker", "build", "-q", "-t", tag, "-"], input=text, text=True, check=True,
        capture_output=True, env=stack.environment,
    )  # fmt: skip
    yield tag
    subprocess.run(["docker", "rmi", tag], check=False, capture_output=True)


def _windows(stack: Any) -> list[Any]:
    series = stack.query("grafana", "results", 'SELECT run_id, end_ns FROM "window"')
    return [row for table in series for row in table["values"]]


def _docker(*arguments: str) -> Any:
    done = subprocess.run(["docker", *arguments], check=True, text=True, capture_output=True)
    return json.loads(done.stdout)[0]
