"""What measuring itself costs: which processes are ours, and what is said of what they took."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from wattmark_runner.overhead import CPUS, RATIO, SECONDS, Overhead, added, own_processes

BUSY = "import time\nwhile True: time.process_time()"


@pytest.fixture
def busy() -> Iterator[subprocess.Popen[bytes]]:
    """A process that takes a core."""
    with subprocess.Popen([sys.executable, "-c", BUSY]) as process:
        yield process
        process.kill()


def test_each_part_has_its_cpu_time(busy: subprocess.Popen[bytes]) -> None:
    """And the share is theirs of all cores."""
    overhead = Overhead({os.getpid(): "runner", busy.pid: "exporter"})
    time.sleep(0.5)
    constants = overhead.constants()
    assert constants[SECONDS] == pytest.approx(0.5, abs=0.4)
    spent = constants["overhead.exporter_cpu_seconds"]
    assert 0.05 < spent <= constants[SECONDS] * 1.05
    both = spent + constants["overhead.runner_cpu_seconds"]
    assert constants[RATIO] == pytest.approx(both / (os.cpu_count() or 1) / constants[SECONDS])


def test_a_share_that_would_be_too_small_is_none(busy: subprocess.Popen[bytes]) -> None:
    """Without the exporter's process, or when one of ours has ended meanwhile."""
    assert RATIO not in Overhead({os.getpid(): "runner"}).constants()
    overhead = Overhead({os.getpid(): "exporter", busy.pid: "collector"})
    busy.kill()
    busy.wait()
    constants = overhead.constants()
    assert RATIO not in constants
    assert "overhead.collector_cpu_seconds" not in constants
    assert "overhead.exporter_cpu_seconds" in constants


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("-c", BUSY, "wattmark-exporter"), False),
        (("-m", "wattmark_exporters", "--listen", "127.0.0.1:0"), True),
    ],
)
def test_only_what_a_command_line_runs_counts(words: tuple[str, ...], found: bool) -> None:
    """A name among a program's arguments does not make it Wattmark's."""
    with subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL) as process:
        try:
            assert (own_processes().get(process.pid) == "exporter") is found
        finally:
            process.kill()


def test_windows_of_a_run_add_up() -> None:
    """Seconds and CPU seconds do, the share is of all; where one has none there is none."""
    one = {"guard_seconds": 1.0, SECONDS: 10.0, CPUS: 2.0, "overhead.runner_cpu_seconds": 0.1,
           RATIO: 0.005}  # fmt: skip
    two = {SECONDS: 30.0, CPUS: 2.0, "overhead.runner_cpu_seconds": 0.5, RATIO: 0.5 / 60}
    both = added(one, two)
    assert both == pytest.approx({
        "guard_seconds": 1.0, SECONDS: 40.0, CPUS: 2.0, "overhead.runner_cpu_seconds": 0.6,
        RATIO: 0.6 / 80,
    })  # fmt: skip
    assert RATIO not in added(both, {name: two[name] for name in two if name != RATIO})
    assert added({"guard_seconds": 1.0}, two) == {"guard_seconds": 1.0, **two}
