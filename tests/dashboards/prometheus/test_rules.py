"""The recording rules by ``promtool``: series of whole machines, and what is recorded of them."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.generate import RULES
from dashboards.promql import COUNTED_POWER, HOST_POWER, PART_POWER, POWER, find, name

JOULES, EPOCH = name("energy", "joules"), name("energy", "epoch")
SCRAPE_SECONDS = 15
pytestmark = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="no promtool: apt install prometheus"
)


@dataclass
class Machine:
    """Series scraped every 15 s for five minutes, and what must come of them."""

    folder: Path
    series: list[dict[str, str]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def counter(self, domain: str, device: str, source: str, watts: float, **how: str) -> None:
        """An energy counter of steady power. ``method``; ``joules`` and ``epoch``: other values,
        in promtool's notation."""
        tags = {"domain": domain, "device": device, "source": source,
                "method": how.get("method", "counter")}  # fmt: skip
        joules = how.get("joules", f"0+{watts * SCRAPE_SECONDS:g}x20")
        self.add(JOULES, joules, **tags)
        self.add(EPOCH, how.get("epoch", "7x20"), **tags)

    def add(self, metric: str, values: str, **tags: str) -> None:
        """Any series."""
        self.series.append({"series": f"{metric}{_labels(tags)}", "values": values})

    def expect(self, expression: str, minutes: float, *found: tuple[dict[str, str], float]) -> None:
        """These series, and no others, at that time."""
        self.asked.append({
            "expr": f"round({expression}, 0.001)", "eval_time": f"{round(60 * minutes)}s",
            "exp_samples": [{"labels": _labels(tags), "value": value} for tags, value in found],
        })  # fmt: skip

    def total(self, minutes: float, watts: float | None, method: str = "counter") -> None:
        """The host's power at that time, or none."""
        found = [] if watts is None else [({"method": method}, watts)]
        self.expect(HOST_POWER, minutes, *found)

    def count(self, series: str, minutes: float, number: int) -> None:
        """``number`` series at that time."""
        self.asked.append({
            "expr": f"count({series})", "eval_time": f"{round(60 * minutes)}s",
            "exp_samples": [{"labels": "{}", "value": number}],
        })  # fmt: skip

    def check(self) -> None:
        """Ask promtool."""
        tests = [{"interval": f"{SCRAPE_SECONDS}s", "input_series": self.series,
                  "promql_expr_test": self.asked}]  # fmt: skip
        file = self.folder / "test.yml"
        file.write_text(yaml.safe_dump({
            "rule_files": [str(RULES)], "evaluation_interval": "5s", "tests": tests,
        }))  # fmt: skip
        done = subprocess.run(
            ["promtool", "test", "rules", file], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def _labels(tags: dict[str, str]) -> str:
    of_scrape = {"job": "wattmark", "instance": "a:9109"}
    return "{" + ", ".join(f'{k}="{v}"' for k, v in (of_scrape | tags).items()) + "}"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """One that is asked when the test has said all."""
    made = Machine(tmp_path)
    yield made
    made.check()


def test_the_rules_are_sound() -> None:
    """``promtool check rules`` passes the file that is committed."""
    done = subprocess.run(
        ["promtool", "check", "rules", RULES], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_what_lies_in_another_is_not_added(machine: Machine) -> None:
    """The total is packages, memory and GPUs; core, uncore and psys are recorded beside it."""
    machine.counter("package", "socket0", "rapl", 90)
    machine.counter("dram", "socket0", "rapl", 10)
    machine.counter("gpu", "GPU-1", "nvml", 250)
    for domain in ("core", "uncore", "psys"):
        machine.counter(domain, "socket0", "rapl", 70)
    machine.total(3, 350)
    machine.count(POWER, 3, 6)


def test_a_part_has_a_name(machine: Machine) -> None:
    """GPUs by number and model, or by their UUID while that is not known; an estimate says so."""
    tags = {"domain": "gpu", "source": "nvml", "method": "counter"}
    for device in ("GPU-1", "GPU-2"):
        machine.counter("gpu", device, "nvml", 200)
    for metric in ("temperature_celsius", "utilization_ratio"):
        machine.add(name("gpu", metric), "1x20", device="GPU-1", gpu="0", model="NVIDIA A100")
    machine.counter("package", "cpu", "estimate", 30, method="estimated")
    machine.counter("dram", "socket0", "rapl", 5)
    rapl = {"device": "socket0", "domain": "dram", "method": "counter", "source": "rapl"}
    guess = {"device": "cpu", "domain": "package", "method": "estimated", "source": "estimate"}
    machine.expect(
        PART_POWER, 3,
        ({**tags, "device": "GPU-1", "part": "GPU 0 NVIDIA A100"}, 200),
        ({**tags, "device": "GPU-2", "part": "GPU GPU-2"}, 200),
        ({**guess, "part": "CPU package ≈ ESTIMATED"}, 30),
        ({**rapl, "part": "memory socket0"}, 5),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("methods", "weakest"),
    [
        (["counter", "counter"], "counter"), (["counter", "integrated"], "integrated"),
        (["integrated", "estimated"], "estimated"), (["counter", "estimated"], "estimated"),
    ],
)  # fmt: skip
def test_a_total_has_the_method_of_its_weakest_part(
    machine: Machine, methods: list[str], weakest: str
) -> None:
    """Whatever the others are."""
    machine.counter("gpu", "GPU-1", "nvml", 200, method=methods[0])
    machine.counter("package", "socket0", "rapl", 50, method=methods[1])
    machine.total(3, 250, weakest)


def test_one_source_per_device(machine: Machine) -> None:
    """The first in the catalogue's order; of two that it does not name, one; another device of the
    same domain is added."""
    machine.counter("gpu", "GPU-1", "mymeter", 260)
    machine.counter("gpu", "GPU-1", "nvml", 250)
    machine.counter("gpu", "GPU-2", "mymeter", 100)
    machine.counter("gpu", "GPU-2", "other", 90)
    machine.total(3, 350)
    machine.expect(f'{COUNTED_POWER}{{device="GPU-1"}}', 3, (
        {"domain": "gpu", "device": "GPU-1", "source": "nvml", "method": "counter"}, 250,
    ))  # fmt: skip


def test_an_estimate_gives_way_to_whatever_is_measured(machine: Machine) -> None:
    """Of its domain, whatever the device is called."""
    machine.counter("package", "cpu", "estimate", 30, method="estimated")
    machine.counter("package", "board", "mymeter", 60)
    machine.total(3, 60)


def test_a_new_epoch_is_no_power(machine: Machine) -> None:
    """From the counter's restart at 0 until a minute lies within the new epoch; then it is right
    again. Also where the new value is above the old one, so that no fall is seen."""
    for device, joules in (("GPU-1", "0+1500x8 150+1500x11"), ("GPU-2", "0+1500x8 90000+1500x11")):
        machine.counter("gpu", device, "nvml", 100, joules=joules, epoch="7x8 8x11")
    machine.total(2, 200)
    machine.total(2.3, None)
    machine.total(3, None)
    machine.total(3.5, 200)


def test_a_total_is_all_or_nothing(machine: Machine) -> None:
    """While one part began again the others have power and the host has none."""
    machine.counter("gpu", "GPU-1", "nvml", 100, joules="0+1500x8 0+1500x11", epoch="7x8 8x11")
    machine.counter("package", "socket0", "rapl", 50)
    machine.total(2, 150)
    machine.total(2.5, None)
    machine.count(COUNTED_POWER, 2.5, 1)
    machine.total(3.5, 150)


def test_power_is_right_beside_a_gap(machine: Machine) -> None:
    """Where scrapes are missing, at a series' begin and before its end; after it there is none."""
    machine.counter(
        "package", "socket0", "rapl", 80, joules="0 1200 _ _ _ 6000+1200x6 stale",
        epoch="7 7 _ _ _ 7x6 stale",
    )  # fmt: skip
    for minutes in (0.25, 0.5, 1.5, 2, 2.75):
        machine.total(minutes, 80)
    machine.total(3, None)


def test_without_an_epoch_there_is_no_power(machine: Machine) -> None:
    """A counter whose epoch is not given may have begun again at any time."""
    machine.add(JOULES, "0+1500x20", domain="gpu", device="G", source="nvml", method="counter")
    machine.total(3, None)


def test_a_hosts_own_labels_stay(machine: Machine) -> None:
    """What a scrape's configuration adds is on the total too."""
    tags = {"domain": "gpu", "device": "G", "source": "nvml", "method": "counter", "room": "b12"}
    machine.add(JOULES, "0+1500x20", **tags)
    machine.add(EPOCH, "7x20", **tags)
    machine.add(
        name("gpu", "utilization_ratio"), "1x20", device="G", gpu="0", model="M", room="b12"
    )
    machine.expect(HOST_POWER, 3, ({"method": "counter", "room": "b12"}, 100))
    machine.expect(PART_POWER, 3, ({**tags, "part": "GPU 0 M"}, 100))


def test_rules_ask_for_counters_only() -> None:
    """Energy is a counter and its epoch a gauge, or the rules would mean something else."""
    assert find("energy", "joules").kind == "counter"
    assert find("energy", "epoch").kind == "gauge"
