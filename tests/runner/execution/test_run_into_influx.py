"""A real run as the stack makes it: exporter and collector apart, InfluxDB between them and us."""

import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

pytest.importorskip("influxdb_client", reason="needs the extra influxdb")

from wattmark_core.results import Phase
from wattmark_runner.execution.run import execute
from wattmark_runner.records.model import RunRequest, RunState
from wattmark_runner.scoring.overhead import NOT_SEEN, RATIO
from wattmark_runner.workloads.reading import load_config
from wattmark_store import open_store
from wattmark_store.influx_views import RESULT_VIEWS

LOAD = """\
import json, os, time
report = lambda **event: print(json.dumps(event), flush=True)
for repeat in range(int(os.environ["WATTMARK_REPEATS"])):
    report(event="start")
    end, done = time.monotonic() + float(os.environ["WATTMARK_SECONDS"]), 0
    while time.monotonic() < end:
        done += len([sum(range(1000)) for _ in range(100)])
    report(event="end", inferences=done, correct=done // 2)
"""


@pytest.mark.alone  # an invalid score has no line of equal scores
def test_a_run_shows_itself_and_what_measuring_it_cost(
    influx: Any, exporter_url: str, start_process: Callable[..., Popen[str]], tmp_path: Path
) -> None:
    """Grafana's user finds every kind of point; the share of exporter, collector and runner is
    known though nobody looked at their processes, and though the collector calls this machine
    otherwise than the exporter does."""
    targets = tmp_path / "targets.yml"
    targets.write_text(
        "scrape_configs:\n- job_name: wattmark\n  metrics_path: /samples\n"
        f"  static_configs: [{{targets: ['{exporter_url.removeprefix('http://')}']}}]\n"
    )
    collector = start_process(
        "wattmark_collector", "--config", str(targets), "--store", influx.url("collector"),
        "--store-password-file", str(influx.password_file("collector")),
        "--spool", str(tmp_path / "spool"), host="container",
    )  # fmt: skip
    assert collector.stdout is not None
    assert collector.stdout.readline().startswith("READY")
    (tmp_path / "load.py").write_text(LOAD)
    config = tmp_path / "workloads.toml"
    config.write_text(
        f"[workloads.sums]\ncommand = ['{sys.executable}', '{tmp_path / 'load.py'}']\n"
        "models = ['thousand']\n"
    )
    store = open_store(influx.url("runner"), influx.password_file("runner"))
    try:
        record = execute(
            RunRequest("sums", "thousand", repeats=3, seconds=1.0, idle_before_seconds=3.0,
                       idle_after_seconds=3.0),
            exporter_url=exporter_url, store=store, cache=tmp_path, log=tmp_path / "log",
            progress=lambda _: None, workload=load_config(config).find("sums"),
        )  # fmt: skip
    finally:
        store.close()
    assert record.state is RunState.DONE, record.reason
    assert 0.0 < record.constants[RATIO] < 0.5
    assert NOT_SEEN not in record.notices
    for part in ("exporter", "collector", "runner"):
        assert record.constants[f"overhead.{part}_cpu_seconds"] > 0.0
    shown = {
        name: influx.query("results", f'SELECT * FROM "{name}"', user="grafana")["series"][0]
        for name in ("score", *RESULT_VIEWS)
    }
    columns = shown["score"]["columns"]
    assert all(
        row[columns.index("energy_text")].startswith("≈ ") for row in shown["score"]["values"]
    )
    inference = [window for window in record.windows if window.phase is Phase.INFERENCE]
    assert len(shown["repeat"]["values"]) == len(inference)
    drawn = {row[shown["window_power"]["columns"].index("window_id")]
             for row in shown["window_power"]["values"]}  # fmt: skip
    assert drawn == {window.window_id for window in record.windows}
