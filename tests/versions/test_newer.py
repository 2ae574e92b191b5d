"""Today's readers of exporters and runners of a later version, which answer with more."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.versions.leave_behind import Runner
from wattmark_client import Client
from wattmark_core.catalogue import Domain, Method
from wattmark_core.exporter_api import ExporterClient, HostReport, SensorState
from wattmark_scoring.boundary import pin_sources
from wattmark_store import open_store

Before = Callable[[str], str]


@pytest.fixture
def exporters(exporter: Callable[..., str], newer: Before) -> tuple[str, str]:
    """One of today, and the same as a later version."""
    url = exporter()
    return url, newer(url)


def test_what_an_exporter_adds_is_set_aside_and_the_rest_is_kept(exporters: Any) -> None:
    """Unknown keys; a series of an unknown domain, method or state; a sensor of unknown state.
    None of these counts: what is chosen is what is chosen without them."""
    today, later = (report_of(url) for url in exporters)
    assert pin_sources(later.energy) == pin_sources(today.energy) != ()
    assert {series.domain for series in later.energy} <= set(Domain)
    assert {series.method for series in later.energy} <= set(Method)
    known = [sensor for sensor in later.sensors if sensor.name != "late"]
    assert [sensor.name for sensor in known] == [sensor.name for sensor in today.sensors]
    assert all(sensor.state != SensorState.OK for sensor in later.sensors if sensor not in known)
    assert (later.host, later.boot_id, later.instance) == (
        today.host, today.boot_id, today.instance,
    )  # fmt: skip


def report_of(url: str) -> HostReport:
    """What today's client reads there."""
    client = ExporterClient(url)
    try:
        return client.sensors()
    finally:
        client.close()


def test_the_collector_takes_all_samples_of_a_later_exporter(
    exporters: Any, tmp_path: Path
) -> None:
    """The target is up, and its energy arrives."""
    today, later = exporters
    client = ExporterClient(later)
    client.sample_now()
    client.close()
    (tmp_path / "targets.yml").write_text(
        "scrape_configs:\n- job_name: t\n  metrics_path: /samples\n"
        f"  static_configs: [{{targets: ['{later.removeprefix('http://')}']}}]\n"
    )
    store_url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    done = subprocess.run(
        [sys.executable, "-m", "wattmark_collector", "--config", str(tmp_path / "targets.yml"),
         "--store", store_url, "--once"], capture_output=True, text=True, timeout=60.0,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    store = open_store(store_url)
    found = {frozenset(data.tags) for data in store.series("energy", 0, 2**62, {})}
    store.close()
    assert found == {
        frozenset({"host": "lab1", **series.tags}.items()) for series in report_of(today).energy
    }


def test_the_command_line_shows_the_sensors_of_a_later_exporter(
    exporters: Any, tmp_path: Path
) -> None:
    """Those that it knows as ever; one of unknown state is not said to be readable."""
    shown = []
    for url in exporters:
        command = [sys.executable, "-m", "wattmark_cli", "sensors", "--json", "--exporter", url,
                   "--store", f"sqlite:///{tmp_path / 'store.sqlite'}"]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=60.0)
        assert done.returncode == 0, done.stderr
        sensors = {sensor["sensor"]: sensor for sensor in json.loads(done.stdout)["sensors"]}
        assert not sensors.pop("late", {}).get("readable")
        shown.append(
            [(name, sensor["readable"], sensor["chosen"]) for name, sensor in sensors.items()]
        )
    assert shown[0] == shown[1]


def test_the_runner_measures_by_a_later_exporter(exporters: Any, tmp_path: Path) -> None:
    """It chooses the counter that it would choose of one of today, and a window is measured."""
    process = subprocess.Popen(
        [sys.executable, "-m", "wattmark_runner", "--listen", "127.0.0.1:0", "--exporter",
         exporters[1], "--store", f"sqlite:///{tmp_path / 's.sqlite'}", "--data", str(tmp_path)],
        stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        runner = Runner(process.stdout.readline().removeprefix("READY").strip())
        try:
            sensors = runner.ask("/sensors")
            window = runner.ask("/windows", {"workload": "w", "model": "m"})
            closed = runner.ask(f"/windows/{window['window_id']}", {"inferences": 1}, "PATCH")
        finally:
            process.terminate()
    chosen = [counter for counter in sensors["energy"] if counter["chosen"]]
    assert [(counter["domain"], counter["device"], counter["source"]) for counter in chosen] == [
        ("package", "cpu", "estimate")
    ]
    assert closed["state"] == "closed"


def test_the_client_reads_what_a_later_runner_answers(service: Any, newer: Before) -> None:
    """Keys that it does not know are left out, values of states and sources are given as they
    are; a run in a state that it does not know has not ended."""
    with Client(service.url) as today, Client(newer(service.url)) as later:
        with today.window(model="versions", workload="w") as window:
            window.record(inferences=10, correct=9)
        run_id = str(window.run_id)
        today.wait(run_id, timeout_seconds=60)
        *runs, unknown = later.runs(model="versions")
        assert runs == list(today.runs(model="versions")) != []
        assert (unknown.state, unknown.source, unknown.ended) == ("paused", "fleet", False)
        assert later.score(run_id) == today.score(run_id) != []
        assert list(later.scores(run_id=run_id)) == list(today.scores(run_id=run_id))
        assert later.ranking(model="versions") == today.ranking(model="versions")
        windows = {window.window_id: window for window in later.windows(run_id=run_id)}
        assert windows == {window.window_id: window for window in today.windows(run_id=run_id)}
        assert [w["name"] for w in later.workloads()] == [w["name"] for w in today.workloads()]
        record = later.run(run_id).record
        assert record is not None
        assert record["run_id"] == run_id
