"""In real time through exporter, collector and store: a smoke test of each kind of counter.

The truth of a window is the load's formula over the window's own stamps. Limits are wide enough
for a busy machine and far below any mistake of method.
"""

import os
import runpy
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.long import keep_figures, length
from wattmark_core.catalogue import Method
from wattmark_core.exporter_api import ExporterClient
from wattmark_core.results import Phase, Window
from wattmark_runner.scoring.reading import read_window
from wattmark_runner.windows.recorder import Recorder
from wattmark_scoring.energy import SeriesEnergy
from wattmark_scoring.measured import energies
from wattmark_store import Store, open_store

pytestmark = [pytest.mark.alone, pytest.mark.long]

HERE = Path(__file__).parent
SECONDS = 4.0
WINDOWS = length(1, 10)
LIMIT_RATIO = 0.015
WAIT_SECONDS = 30.0


@contextmanager
def program(*command: str, env: dict[str, str] | None = None) -> Iterator[str]:
    """A child that says READY; yields the rest of that line; ended with SIGTERM."""
    child = subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **(env or {})},
    )
    assert child.stdout is not None
    try:
        line = child.stdout.readline()
        assert line.startswith("READY"), f"{command} said {line!r}"
        yield line.removeprefix("READY").strip()
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(20)
        child.stdout.close()


@contextmanager
def rooms(
    folder: Path, *options: str, env: dict[str, str] | None = None
) -> Iterator[tuple[str, Store]]:
    """Exporter, collector and store as users run them; yields the exporter's URL and the store."""
    url = f"sqlite:///{folder}/store.sqlite"
    exporter = ("-m", "wattmark_exporters", "--listen", "127.0.0.1:0", "--without", "host")
    with program(*exporter, *options, env=env) as address:
        target = address.removeprefix("http://")
        config = folder / "targets.yml"
        config.write_text(
            "scrape_configs:\n  - job_name: wattmark\n    metrics_path: /samples\n"
            f"    static_configs:\n      - targets: ['{target}']\n"
        )
        with (
            program("-m", "wattmark_collector", "--config", str(config), "--store", url),
            closing(open_store(url)) as store,
        ):
            yield address, store


def some_windows(address: str, store: Store) -> list[Window]:
    """Windows of some seconds, opened and closed as any program may."""
    time.sleep(1.5)  # a ticking counter is known from its first tick on
    with Recorder(address, store) as recorder:
        for _ in range(WINDOWS):
            with recorder.window(model="load", phase=Phase.TRAINING):
                time.sleep(SECONDS)
            time.sleep(1.0)
    assert len(recorder.windows) == WINDOWS
    return recorder.windows


def measured(address: str, store: Store, window: Window) -> SeriesEnergy:
    """What the one energy series of the exporter says of the window, once its samples are in."""
    with closing(ExporterClient(address)) as client:
        (series,) = client.sensors().energy
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        (counter,) = energies(read_window(store, window, [series]))
        if counter.energy.complete or time.monotonic() > deadline:
            return counter.energy
        time.sleep(0.2)


def compare(source: str, address: str, store: Store, joules: Callable[[float], float]) -> None:
    """Windows on the source's counter hold what the formula ``joules`` of the load says, which
    takes CLOCK_BOOTTIME in s, within ``LIMIT_RATIO``."""
    windows = some_windows(address, store)
    with closing(ExporterClient(address)) as client:
        offset_ns = client.sensors().offset_ns
    errors = []
    for window in windows:
        energy = measured(address, store, window)
        assert (energy.series.source, energy.series.method) == (source, Method.COUNTER)
        assert energy.complete
        assert energy.joules is not None
        start, end = ((edge - offset_ns) / 1e9 for edge in (window.start_ns, window.end_ns))
        errors.append(abs(energy.joules / (joules(end) - joules(start)) - 1.0))
    keep_figures(
        f"windows-in-real-time-{source}",
        f"Windows of {SECONDS:g} s in real time beside the load's formula: {source}",
        ["windows", "median error", "largest error", "limit"],
        [[str(len(errors)), f"{statistics.median(errors):.3%}", f"{max(errors):.3%}",
          f"{LIMIT_RATIO:.1%}"]],
    )  # fmt: skip
    assert max(errors) <= LIMIT_RATIO


def test_a_powercap_tree_that_follows_a_known_power(tmp_path: Path) -> None:
    """A window on RAPL counts what the load's formula says, within 1.5 %."""
    load = runpy.run_path(str(HERE / "powercap_load.py"))
    counter = load["make_tree"](tmp_path / "sys")
    seconds = str(60.0 + WINDOWS * (SECONDS + 1.0))
    writer = subprocess.Popen([sys.executable, HERE / "powercap_load.py", counter, seconds])
    try:
        with rooms(tmp_path, "--sysfs", str(tmp_path / "sys")) as (address, store):
            compare("rapl", address, store, load["joules"])
    finally:
        writer.kill()
        writer.wait()


def test_a_gpu_that_follows_a_known_power(tmp_path: Path, nvml_stub: Any) -> None:
    """A window on a board's energy counter counts what the load's formula says, within 1.5 %."""
    (tmp_path / "sys").mkdir()
    options = ("--sysfs", str(tmp_path / "sys"), "--no-estimate")
    with rooms(tmp_path, *options, env=nvml_stub.env) as (address, store):
        compare("nvml", address, store, nvml_stub.joules)
