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
from wattmark_core.exporter_api import ExporterClient
from wattmark_store import open_store

Before = Callable[[str], str]


@pytest.fixture
def exporters(exporter: Callable[..., str], newer: Before) -> tuple[str, str]:
    """One of today, and the same as a later version."""
    url = exporter()
    return url, newer(url)


def test_what_an_exporter_adds_is_left_out_and_the_rest_is_kept(exporters: Any) -> None:
    """Unknown keys; a series of an unknown domain, method or state; a sensor of unknown state."""
    reports = []
    for url in exporters:
        client = ExporterClient(url)
        reports.append(client.sensors())
        client.close()
    today, later = reports
    assert later.energy == today.energy != ()
    assert [sensor.name for sensor in later.sensors] == [sensor.name for sensor in today.sensors]
    assert (later.host, later.boot_id, later.instance) == (
        today.host, today.boot_id, today.instance,
    )  # fmt: skip


def test_the_collector_takes_all_samples_of_a_later_exporter(
    exporters: Any, tmp_path: Path
) -> None:
    """And says nothing of the target: nothing is wrong with it."""
    url = exporters[1]
    client = ExporterClient(url)
    client.sample_now()
    client.close()
    (tmp_path / "targets.yml").write_text(
        "scrape_configs:\n- job_name: t\n  metrics_path: /samples\n"
        f"  static_configs: [{{targets: ['{url.removeprefix('http://')}']}}]\n"
    )
    store_url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    done = subprocess.run(
        [sys.executable, "-m", "wattmark_collector", "--config", str(tmp_path / "targets.yml"),
         "--store", store_url, "--once"], capture_output=True, text=True, timeout=60.0,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    store = open_store(store_url)
    assert store.series("energy", 0, 2**62, {"host": "lab1"})
    store.close()


def test_the_command_line_shows_the_sensors_of_a_later_exporter(
    exporters: Any, tmp_path: Path
) -> None:
    """As those of one of today."""
    shown = []
    for url in exporters:
        command = [sys.executable, "-m", "wattmark_cli", "sensors", "--json", "--exporter", url,
                   "--store", f"sqlite:///{tmp_path / 'store.sqlite'}"]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=60.0)
        assert done.returncode == 0, done.stderr
        sensors = json.loads(done.stdout)["sensors"]
        shown.append([(each["sensor"], each["readable"], each["chosen"]) for each in sensors])
    assert shown[0] == shown[1]


def test_the_runner_measures_by_a_later_exporter(exporters: Any, tmp_path: Path) -> None:
    """A window is opened and closed; its run is not refused for what it does not know."""
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
    assert [(each["domain"], each["source"], each["chosen"]) for each in sensors["energy"]] == [
        ("package", "estimate", True)
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
        windows = {each.window_id: each for each in later.windows(run_id=run_id)}
        assert windows == {each.window_id: each for each in today.windows(run_id=run_id)}
        assert [w["name"] for w in later.workloads()] == [w["name"] for w in today.workloads()]
        record = later.run(run_id).record
        assert record is not None
        assert record["run_id"] == run_id
