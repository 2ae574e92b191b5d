"""Walks tests/exporters/cases: folders named after real machines and faults.

A case is ``README`` (what it is and the formula of its joules), ``sys/`` and ``proc/`` (the tree as
the kernel shows it), ``steps.json`` (how the machine's counters move and what befalls it) and
``expected.json``. Sensors, meters, time base and sampler are the real ones, in virtual time.

steps.json: ``counters`` name → files that show it, watts (whole), unit_joules; ``cpus`` mode → how
many CPUs are in it; ``tdp_watts``; ``before`` one step ahead of the start; ``steps``, each with any
of ``watts``, ``reset``, ``deny``, ``remove``, ``allow`` (files by path), ``for_one_read`` (texts
that one read sees), ``step_clock``, ``suspend``, ``stall`` (nobody reads), ``stopped`` (there is no
exporter), then ``seconds`` to sample, then ``lost`` (series that must be failed by then).
"""

import json
import os
import random
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.exporters.stepping import settle, step
from wattmark_core.clock import SystemClock
from wattmark_core.exporter_api import HostReport, SensorState
from wattmark_core.line_protocol import decode_lines
from wattmark_core.sample import Sample
from wattmark_core.testing import FakeClock
from wattmark_core.time_base_clock import TimeBaseClock
from wattmark_exporters.readings import Sensor
from wattmark_exporters.ring import Ring
from wattmark_exporters.running_sensor import RunningSensor
from wattmark_exporters.sampler import Sampler
from wattmark_exporters.schedule import Schedule
from wattmark_exporters.sensors.estimate import Estimate
from wattmark_exporters.sensors.rapl.sensor import Rapl

CASES = Path(__file__).parents[1] / "cases"
STARTED_AS = os.geteuid()
USER = 65534 if STARTED_AS == 0 else STARTED_AS
"""File modes bind a user; root may read everything."""
CPU_MODES = (
    "user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guest_nice",
)  # fmt: skip
Json = dict[str, Any]


@contextmanager
def acting_as(user: int) -> Iterator[None]:
    """Touch files as this user: the sensors as an ordinary one, the machine as root."""
    before = os.geteuid()
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(before)


@dataclass(slots=True)
class Meter:
    """An energy counter of the machine, in nJ (watts · ns), and the files that show it."""

    files: list[Path]
    watts: int
    nanojoules: int
    range_microjoules: int
    unit_microjoules: int

    def text(self) -> str:
        microjoules = self.nanojoules // 1000 % self.range_microjoules
        return f"{microjoules - microjoules % self.unit_microjoules}\n"


class Machine(SystemClock):
    """A machine in virtual time: its counters move as its clock does, by the case's watts."""

    def __init__(self, root: Path, steps: Json) -> None:
        self.fake = FakeClock()
        self.hidden: set[Path] = set()
        self._root = root
        self._cpus: Mapping[str, float] = steps.get("cpus", {})
        self._stat = root / "proc/stat"
        self._jiffies = self._stat.read_text().split()[1:11] if self._cpus else []
        self._cpu_seconds = dict.fromkeys(self._cpus, 0.0)
        self.meters = {name: self._meter(m) for name, m in steps.get("counters", {}).items()}

    def boottime_ns(self) -> int:
        return self.fake.boottime_ns()

    def monotonic_ns(self) -> int:
        return self.fake.monotonic_ns()

    def realtime_ns(self) -> int:
        return self.fake.realtime_ns()

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        before_ns = self.fake.boottime_ns()
        self.fake.advance(seconds)
        elapsed_ns = self.fake.boottime_ns() - before_ns
        for meter in self.meters.values():
            meter.nanojoules += meter.watts * elapsed_ns
        for mode, cpus in self._cpus.items():
            self._cpu_seconds[mode] += cpus * elapsed_ns / 1e9
        self.show()

    def show(self) -> None:
        """Write the counters into the tree."""
        with acting_as(STARTED_AS):
            for meter in self.meters.values():
                for file in meter.files:
                    if file not in self.hidden:
                        file.write_text(meter.text())
            if self._cpus:
                self._show_cpus()

    def deny(self, path: Path) -> None:
        """Replace the file by one readable by nobody, as a new driver does."""
        self.remove(path)
        path.write_text("0\n")
        path.chmod(0)

    def remove(self, path: Path) -> None:
        self.hidden.add(path)
        path.unlink()

    def allow(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self.hidden.discard(path)
        self.show()

    def _meter(self, spec: Json) -> Meter:
        files = [self._root / path for path in spec["files"]]
        top = int((files[0].parent / "max_energy_range_uj").read_text())
        start_nanojoules = int(files[0].read_text()) * 1000
        unit = int(spec.get("unit_joules", 0) * 1e6) or 1
        return Meter(files, spec["watts"], start_nanojoules, top, unit)

    def _show_cpus(self) -> None:
        values = [
            int(start) + int(self._cpu_seconds.get(mode, 0.0) * 100 + 1e-6)
            for mode, start in zip(CPU_MODES, self._jiffies, strict=True)
        ]
        rest = self._stat.read_text().partition("\n")[2]
        self._stat.write_text(f"cpu  {' '.join(map(str, values))}\n{rest}")


class Exporter:
    """The real exporter's parts around one machine; may be stopped and started again."""

    def __init__(self, machine: Machine, root: Path, tdp_watts: float | None) -> None:
        self._machine = machine
        self._root = root
        self._tdp_watts = tdp_watts
        self.samples: list[Sample] = []
        self.dropped = 0
        self.start()

    def start(self) -> None:
        machine, root = self._machine, self._root
        sensors: list[Sensor] = [
            Rapl(root / "sys", root / "proc", machine),
            Estimate(root / "proc", self._tdp_watts, machine),
        ]
        jitter = random.Random(machine.boottime_ns())  # noqa: S311 - jitter, not secrets
        ring = Ring(keep_seconds=1e9, most_lines=10**9)
        running = [RunningSensor(s, "m", machine, Schedule(0.1, 0, jitter), ring) for s in sensors]
        time_base = TimeBaseClock(machine)
        self._sampler = Sampler(running, time_base, machine, ring, "m", jitter=jitter)
        with acting_as(USER):
            settle(self._sampler, machine.sleep)

    def run(self, seconds: float) -> None:
        """Sample for so long; the first and the last read are at the very ends."""
        end_ns = self._machine.boottime_ns() + round(seconds * 1e9)
        self.read()
        while True:
            with acting_as(USER):
                wait_seconds = step(self._sampler)
            left_seconds = (end_ns - self._machine.boottime_ns()) / 1e9
            self._machine.advance(min(wait_seconds, left_seconds))
            if wait_seconds >= left_seconds:
                break
        self.read()

    def read(self) -> None:
        with acting_as(USER):
            self._sampler.sample_now()

    def stop(self) -> None:
        with acting_as(USER):
            self.samples += decode_lines(self._sampler.samples("").text())
        self.dropped += sum(
            int(latest.fields.get("dropped", 0))
            for latest in self._sampler.latest()
            if latest.measurement == "sensor"
        )
        self._sampler.stop()

    def report(self) -> HostReport:
        return self._sampler.report("m", "", "")


def befall(step: Json, machine: Machine, root: Path) -> None:
    """Let happen to the machine what one step of a case says."""
    for name, watts in step.get("watts", {}).items():
        machine.meters[name].watts = watts
    for name, joules in step.get("reset", {}).items():
        machine.meters[name].nanojoules = joules * 10**9
    for action in ("deny", "remove", "allow"):
        for path in step.get(action, []):
            getattr(machine, action)(root / path)
    machine.fake.step(step.get("step_clock", 0))
    machine.fake.suspend(step.get("suspend", 0))
    machine.show()


def play(step: Json, machine: Machine, exporter: Exporter, root: Path) -> None:
    """Let one step of a case happen, and sample."""
    befall(step, machine, root)
    if texts := step.get("for_one_read"):
        machine.advance(0.05)
        for path, text in texts.items():
            (root / path).write_text(text)
        exporter.read()
    if "stall" in step:
        machine.advance(step["stall"])
    if "stopped" in step:
        exporter.stop()
        machine.advance(step["stopped"])
        exporter.start()
    if "seconds" in step:
        exporter.run(step["seconds"])
    if "lost" in step:
        series = exporter.report().energy
        failed = [f"{s.domain} {s.device}" for s in series if s.state is SensorState.FAILED]
        assert failed == step["lost"]


def epochs_of(samples: list[Sample]) -> dict[str, dict[int, float]]:
    """Per series and epoch the last joules, after a check that they never fell."""
    series: dict[str, dict[int, float]] = {}
    for sample in samples:
        if sample.measurement != "energy":
            continue
        epochs = series.setdefault(f"{sample.tag['domain']} {sample.tag['device']}", {})
        epoch, joules = int(sample.fields["epoch"]), sample.fields["joules"]
        assert joules >= epochs.get(epoch, 0.0)
        assert epoch >= max(epochs, default=epoch), "an epoch that had ended came back"
        epochs[epoch] = joules
    return series


def check_series(name: str, expected: Json, got: dict[int, float], report: HostReport) -> None:
    """Compare one series with what the case expects of it."""
    tolerance_joules = expected.get("within_joules", 0.001)
    assert list(got.values()) == pytest.approx(expected["epochs"], abs=tolerance_joules)
    series = next(s for s in report.energy if f"{s.domain} {s.device}" == name)
    assert series.method == expected.get("method", "counter")
    assert expected.get("note", "") in series.note
    assert series.label == expected.get("label", series.label)
    period_seconds = expected.get("update_period_seconds", series.update_period_seconds)
    assert series.update_period_seconds == pytest.approx(period_seconds)


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda path: path.name)
def test_a_machine_yields_the_joules_of_its_formula(case: Path) -> None:
    """Every case ends with the joules that its formula gives, and with no series besides."""
    steps: Json = json.loads((case / "steps.json").read_text())
    expected: Json = json.loads((case / "expected.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copytree(case, root, symlinks=True, dirs_exist_ok=True)
        root.chmod(0o755)
        machine = Machine(root, steps)
        befall(steps.get("before", {}), machine, root)
        exporter = Exporter(machine, root, steps.get("tdp_watts"))
        for step in steps["steps"]:
            play(step, machine, exporter, root)
        report = exporter.report()
        exporter.stop()
    reports = {sensor.name: sensor for sensor in report.sensors}
    for name, series in expected["sensors"].items():
        assert reports[name].state == series["state"]
        assert series.get("reason", "") in reports[name].reason
        assert series.get("remedy", "") in reports[name].remedy
    got = epochs_of(exporter.samples)
    assert set(got) == set(expected["series"])
    for name, series in expected["series"].items():
        check_series(name, series, got[name], report)
    assert exporter.dropped == expected["dropped"]


def test_every_case_says_what_it_is() -> None:
    """Each folder has a README of one line that ends in its formula or says what is absent."""
    for case in CASES.iterdir():
        readme = (case / "README").read_text().strip()
        assert readme
        assert "\n" not in readme
