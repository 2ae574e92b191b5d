"""The dashboard over Prometheus, every query asked of a real one, and its numbers."""

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from dashboards import prometheus_host
from dashboards.prometheus_sensors import ABSENT
from dashboards.promql import HOST_POWER, PART_POWER, POWER, name
from tests.dashboards.panels import every_panel

MACHINE = runpy.run_path(str(Path(__file__).with_name("known_load.py")))
GPU_WATTS = 180.0, 360.0
"""Mean of the stub's boards: 60 and 300 W in turns, the second twice as much."""
WATTS = MACHINE["PACKAGE_WATTS"] + MACHINE["MEMORY_WATTS"] + sum(GPU_WATTS)
ESTIMATED_WATTS = 0.2 * 15.0 + 0.8 * 15.0 * MACHINE["BUSY_CPUS"] / MACHINE["CPUS"]
pytestmark = [pytest.mark.slow, pytest.mark.alone]


BOARD = prometheus_host.make()
TARGETS = [
    pytest.param(target, id=f"{panel['title']} {target['refId']}")
    for panel in every_panel(BOARD) for target in panel["targets"]
]  # fmt: skip


def panel(title: str) -> list[str]:
    """The queries of a panel."""
    (found,) = (panel for panel in every_panel(BOARD) if panel["title"] == title)
    return [target["expr"] for target in found["targets"]]


@pytest.mark.parametrize("target", TARGETS)
def test_every_query_has_data(prometheus: Any, target: Any) -> None:
    """As the panel asks it; what is for estimates only, of the exporter that estimates."""
    guessed = "ESTIMATED" in target["legendFormat"]
    instance = prometheus.estimated if guessed else prometheus.measured
    expression, at = prometheus.fill(target["expr"], instance), prometheus.steady
    if target["instant"]:
        assert prometheus.now(expression, at)
    else:
        assert prometheus.over_time(expression, at - 5, at)


def test_the_exporters_can_be_chosen(prometheus: Any) -> None:
    """The variable lists every exporter that Prometheus scrapes."""
    query = BOARD["templating"]["list"][1]["query"]["query"]
    match = re.fullmatch(r"label_values\((\w+), (\w+)\)", query)
    assert match is not None
    values = prometheus.ask(f"label/{match[2]}/values", **{"match[]": match[1]})
    assert sorted(values) == sorted([prometheus.measured, prometheus.estimated])


def test_power_is_that_of_the_load(prometheus: Any) -> None:
    """Each part and the total, mean over six seconds, within 5 % of the formula: core is a part of
    the package and not added."""
    at = prometheus.steady
    queries = [prometheus.fill(query, prometheus.measured) for query in panel("Mean power")]
    assert prometheus.now(queries[0], at) == {"": pytest.approx(WATTS, rel=0.05)}
    assert not prometheus.now(queries[1], at)
    parts = prometheus.now(
        f'sum by (part) (avg_over_time({PART_POWER}{{instance="{prometheus.measured}"}}[6s]))', at
    )
    assert parts == {
        "part=CPU package socket0": pytest.approx(MACHINE["PACKAGE_WATTS"], rel=0.05),
        "part=memory socket0": pytest.approx(MACHINE["MEMORY_WATTS"], rel=0.05),
        "part=GPU 0 NVIDIA Stub": pytest.approx(GPU_WATTS[0], rel=0.05),
        "part=GPU 1 NVIDIA Stub": pytest.approx(GPU_WATTS[1], rel=0.05),
    }
    (core,) = prometheus.now(f'avg_over_time({POWER}{{domain="core"}}[6s])', at).values()
    assert core == pytest.approx(MACHINE["CORE_WATTS"], rel=0.05)


def test_an_estimate_is_called_one(prometheus: Any) -> None:
    """Where CPU time is all there is, the total and its part say ESTIMATED."""
    queries = [prometheus.fill(query, prometheus.estimated) for query in panel("Mean power")]
    assert not prometheus.now(queries[0], prometheus.steady)
    (watts,) = prometheus.now(queries[1], prometheus.steady).values()
    assert watts == pytest.approx(ESTIMATED_WATTS, rel=0.15)
    (part,) = prometheus.now(
        prometheus.fill(panel("Energy by part")[0], prometheus.estimated), prometheus.steady
    )
    assert "part=CPU package ≈ ESTIMATED" in part


def test_energy_is_power_times_time(prometheus: Any) -> None:
    """Joules and watt-hours of five seconds, within 7 %: a scrape is a tenth of them."""
    joules, _, hours, _ = (prometheus.fill(query, prometheus.measured, 5)
                           for query in panel("Energy in the shown time"))  # fmt: skip
    (found,) = prometheus.now(joules, prometheus.steady).values()
    assert found == pytest.approx(5 * WATTS, rel=0.07)
    (found_hours,) = prometheus.now(hours, prometheus.steady).values()
    assert found_hours == pytest.approx(found / 3600)


def test_a_restart_makes_no_jump(prometheus: Any) -> None:
    """Before it and after it power is the load's, between there is none; and the energy is at most
    the load's, less what nobody counted."""
    start, seconds = prometheus.killed - 4, round(prometheus.end - prometheus.killed + 4)
    query = f'{HOST_POWER}{{instance="{prometheus.measured}"}}'
    (watts,) = prometheus.over_time(query, start, prometheus.end).values()
    assert min(watts) > 0.85 * WATTS
    assert max(watts) < 1.15 * WATTS
    assert not prometheus.over_time(query, prometheus.killed + 1, prometheus.again - 1)
    joules = prometheus.fill(panel("Energy in the shown time")[0], prometheus.measured, seconds)
    (found,) = prometheus.now(joules, prometheus.end).values()
    uncounted = prometheus.back - prometheus.killed + 1
    assert 0.95 * WATTS * (seconds - uncounted) < found < 1.03 * WATTS * seconds


def test_absent_sensors_are_named(prometheus: Any) -> None:
    """Works, or absent, each with its own words; nothing where the exporter does not answer."""
    state, reads = panel("Sensors")
    measured, estimated = (prometheus.fill(state, time)
                           for time in (prometheus.measured, prometheus.estimated))  # fmt: skip
    order = list(ABSENT)
    assert prometheus.now(measured, prometheus.steady) == {
        "sensor=rapl": 1, "sensor=nvml": 1, "sensor=host": 1, "sensor=hwmon": 2,
        "sensor=estimate": 11 + order.index("estimate"),
    }  # fmt: skip
    assert prometheus.now(estimated, prometheus.steady) == {
        "sensor=rapl": 11 + order.index("rapl"), "sensor=host": 1, "sensor=estimate": 1,
        "sensor=hwmon": 2,
    }  # fmt: skip
    assert not prometheus.now(measured, prometheus.silent)
    shares = prometheus.now(prometheus.fill(reads, prometheus.measured), prometheus.steady)
    assert shares["sensor=rapl"] == pytest.approx(1.0, abs=0.2)


def test_use_is_that_of_the_machine(prometheus: Any) -> None:
    """Shares are of all: a quarter of the CPUs and of the memory, three quarters of the GPUs."""
    gpu, cpu, memory = (
        next(iter(prometheus.now(prometheus.fill(query, prometheus.measured), prometheus.steady)
                  .values())) for query in panel("In use")
    )  # fmt: skip
    assert gpu == pytest.approx(0.75)
    assert cpu == pytest.approx(MACHINE["BUSY_CPUS"] / MACHINE["CPUS"], rel=0.2)
    assert memory == pytest.approx(0.25)


def test_interfaces_of_containers_are_left_out(prometheus: Any) -> None:
    """Of lo, docker0, a bridge and eth0, which are all exported, eth0."""
    at = prometheus.steady
    received = name("network", "received_bytes")
    exported = prometheus.now(f'{received}{{instance="{prometheus.measured}"}}', at)
    assert len(exported) == 4
    for query in panel("Network"):
        assert set(prometheus.now(prometheus.fill(query, prometheus.measured), at)) == {
            "interface=eth0"
        }
