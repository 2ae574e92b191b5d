"""A whole run on a machine where nothing measures but a Prometheus target."""

import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.runner.conftest import Start
from wattmark_core.catalogue import Method
from wattmark_core.results import ENERGY_SCORE, Boundary, Phase
from wattmark_runner.execution.run import execute
from wattmark_runner.records.model import RunRecord, RunRequest, RunState
from wattmark_runner.workloads import Workload
from wattmark_store import Store

WATTS = 42.0
NOBODY = "http://127.0.0.1:9"
INFER = """\
import json, os, time
def run(phase, seconds, **counts):
    time.sleep(float(os.environ['WATTMARK_GUARD_SECONDS']))
    print(json.dumps(dict(event='start', phase=phase)), flush=True)
    time.sleep(float(seconds))
    print(json.dumps(dict(event='end', **counts)), flush=True)
run('warmup', os.environ['WATTMARK_WARMUP_SECONDS'])
run('inference', os.environ['WATTMARK_SECONDS'], inferences=100, correct=90, test_images=100)
time.sleep(float(os.environ['WATTMARK_GUARD_SECONDS']))
"""


class NodeExporter(BaseHTTPRequestHandler):
    """node_exporter's collector rapl, on a package that draws ``WATTS``."""

    def do_GET(self) -> None:
        joules = WATTS * (time.monotonic() % 1e6)
        zone = 'index="0",path="/sys/class/powercap/intel-rapl:0"'
        body = (
            "# TYPE node_rapl_package_joules_total counter\n"
            f"node_rapl_package_joules_total{{{zone}}} {joules:.6f}\n"
        ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not logged."""


@pytest.fixture
def target() -> Iterator[str]:
    """HOST:PORT of a node_exporter."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), NodeExporter)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def scraped(
    target: str, start_process: Start, store: Store, store_url: str, tmp_path: Path
) -> Store:
    """The store, once the target's period shows in it."""
    config = tmp_path / "targets.yml"
    config.write_text(
        "global: {scrape_interval: 250ms, scrape_timeout: 200ms}\n"
        "scrape_configs:\n"
        "  - job_name: node\n"
        f"    static_configs: [{{targets: ['{target}'], labels: {{host: bare}}}}]\n",
        encoding="utf-8",
    )
    start_process("wattmark_collector", "--config", str(config), "--store", store_url)
    deadline = time.monotonic() + 60.0
    while not any(
        len(data.times_ns) >= 4 for data in store.series("energy", 0, 2**62, {"host": "bare"})
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return store


def test_it_is_scored_from_the_targets_counter(
    scraped: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """42 W are found, within the interval that a period of 0.25 s gives, by node_exporter."""
    monkeypatch.setenv("WATTMARK_HOST", "bare")
    workload = Workload("own", "sleeps", ("net",), command=(sys.executable, "-c", INFER))
    request = RunRequest(
        "own", "net", repeats=1, seconds=5.2, warmup_seconds=0.5, idle_before_seconds=1.5,
        idle_after_seconds=1.5,
    )  # fmt: skip
    record: RunRecord = execute(
        request, exporter_url=NOBODY, store=scraped, cache=tmp_path, log=tmp_path / "log",
        progress=lambda _: None, workload=workload,
    )  # fmt: skip
    assert (record.state, record.reason) == (RunState.DONE, "")
    assert (record.host, record.exporter_instance) == ("bare", "")
    (series,) = record.series
    assert (series.source, series.method) == ("node_exporter", Method.COUNTER)
    assert series.update_period_seconds == pytest.approx(0.25, rel=0.2)
    for window in record.windows:
        assert window.complete
        assert window.boundary is Boundary.CPU
        assert window.joules is not None
        assert window.joules == pytest.approx(WATTS * window.seconds, rel=0.05)
    (window,) = (window for window in record.windows if window.phase is Phase.INFERENCE)
    assert window.joules_low is not None
    assert window.joules_high is not None
    assert window.joules_low < WATTS * window.seconds < window.joules_high
    (score,) = (score for score in record.scores if score.formula == ENERGY_SCORE)
    assert score.joules_per_inference == pytest.approx(WATTS * window.seconds / 100, rel=0.05)
