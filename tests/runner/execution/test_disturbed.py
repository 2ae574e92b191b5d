"""A run that was disturbed is scored invalid, and says by whom or what."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runner.worker.test_stops import STOPS_ITSELF
from wattmark_core.catalogue import Domain, Method
from wattmark_core.clock import boot_id
from wattmark_core.exporter_api import EnergySeries, HostReport, Lease, SensorReport, SensorState
from wattmark_core.results import ENERGY_SCORE, Verdict
from wattmark_core.sample import Sample, make_tags
from wattmark_core.testing import FakeExporter
from wattmark_runner.execution.run import execute
from wattmark_runner.records.model import RunRequest, RunState
from wattmark_runner.workloads.config import Workload
from wattmark_scoring import words
from wattmark_store import Store

RAPL = EnergySeries(Domain.PACKAGE, "socket0", "rapl", Method.COUNTER, 0.001)
OFFSET_NS = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
OTHER = Lease("theirs", "wattmark in /srv/other, process 7", 0, 2**62)


@pytest.fixture
def sampled(store: Store) -> Iterator[str]:
    """An exporter whose package draws 50 W, and what a collector makes of it; another service has a
    lease there. Its URL."""
    report = HostReport(
        "h", boot_id(), "i", OFFSET_NS,
        (SensorReport("rapl", SensorState.OK, 0.1, energy=(RAPL,)),), leases=(OTHER,),
    )  # fmt: skip
    over = threading.Event()

    def collect() -> None:
        tags, start_ns = make_tags({"host": "h", **RAPL.tags}), time.time_ns()
        while not over.wait(0.05):
            now_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) + OFFSET_NS
            joules = 50.0 * (now_ns - start_ns) / 1e9
            fields = {"joules": joules, "epoch": 1, "uncertainty_seconds": 0.0005}
            store.write([Sample("energy", tags, fields, now_ns)])

    thread = threading.Thread(target=collect)
    thread.start()
    with FakeExporter(report) as exporter:
        yield exporter.url
    over.set()
    thread.join()


def test_a_stopped_program_beside_another_service(
    sampled: str, store: Store, tmp_path: Path
) -> None:
    """Both are named, whatever the energy looks like; and the lease of the run has ended."""
    workload = Workload("own", "", ("m",), command=("sh", "-c", STOPS_ITSELF.replace("0.3", "1.2")))
    request = RunRequest("own", "m", repeats=1, seconds=0.5, warmup_seconds=0.0,
                         idle_before_seconds=0.0, idle_after_seconds=0.0)  # fmt: skip
    record = execute(
        request, exporter_url=sampled, store=store, cache=tmp_path, log=tmp_path / "log",
        progress=lambda _: None, workload=workload,
    )  # fmt: skip
    assert (record.state, record.reason) == (RunState.DONE, "")
    (score,) = (s for s in record.scores if s.formula == ENERGY_SCORE)
    assert score.verdict is Verdict.INVALID
    failed = {c.name: words.finding(c) for c in score.checks if c.verdict is Verdict.INVALID}
    assert "process 7 measured at the same time" in failed["exclusive"]
    assert failed["stopped"].startswith("A signal (SIGSTOP) had stopped the program for 1.")
