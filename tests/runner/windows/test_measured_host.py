"""Hosts whose energy other people's exporters give, with and without an exporter of ours."""

import re
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from wattmark_core.catalogue import Domain, Method
from wattmark_core.clock import boot_id
from wattmark_core.errors import ExporterError
from wattmark_core.exporter_api import EnergySeries, HostReport, SensorReport, SensorState
from wattmark_core.results import Phase
from wattmark_core.sample import Sample, make_tags
from wattmark_core.testing import FakeExporter, MemoryStore
from wattmark_runner.windows.exporter_link import ExporterLink
from wattmark_runner.windows.measured_host import measured_host
from wattmark_runner.windows.stamping import WindowStamping
from wattmark_scoring.boundary import pin_sources

S = 1_000_000_000
NOBODY = "http://127.0.0.1:9"
"""Where no exporter listens (port 9: discard)."""


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    """An empty store."""
    with closing(MemoryStore()) as opened:
        yield opened


def ticks(
    store: MemoryStore, source: str, domain: Domain, device: str, *, period: float = 15.0,
    until: float = 3.0, host: str = "lab", count: int = 8,
) -> None:  # fmt: skip
    """A counter of 40 W; its last tick was ``until`` s ago."""
    tags = {"host": host, "domain": domain, "device": device, "source": source, "method": "counter"}
    now = time.time_ns()
    store.write(
        Sample("energy", make_tags(tags), {
            "joules": 40.0 * period * (count - n), "epoch": 1, "uncertainty_seconds": period / 2,
        }, now - round((until + n * period) * S))
        for n in range(count)
    )  # fmt: skip


def report(*energy: EnergySeries) -> HostReport:
    """Of an exporter on this machine that calls it ``lab``."""
    offset_ns = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    sensors = tuple(SensorReport(one.source, SensorState.OK, 0.1, energy=(one,)) for one in energy)
    return HostReport("lab", boot_id(), "instance", offset_ns, sensors)


ESTIMATE = EnergySeries(Domain.PACKAGE, "cpu", "estimate", Method.ESTIMATED, 0.1)
RAPL = EnergySeries(Domain.PACKAGE, "socket0", "rapl", Method.COUNTER, 0.001)


def test_a_target_counts_where_only_an_estimate_stands_against_it(store: MemoryStore) -> None:
    """node_exporter's package before the estimate, with the period that its samples show."""
    ticks(store, "node_exporter", Domain.PACKAGE, "socket0")
    with FakeExporter(report(ESTIMATE)) as exporter:
        (counted,) = pin_sources(measured_host(exporter.url, store).energy)
    assert (counted.source, counted.method) == ("node_exporter", Method.COUNTER)
    assert counted.update_period_seconds == pytest.approx(15.0)
    assert counted.interval_seconds == pytest.approx(15.0)
    assert counted.moving is True
    assert "every 15 s" in counted.note


def test_the_exporters_own_counter_counts_before_a_targets(store: MemoryStore) -> None:
    """RAPL before node_exporter, NVML before DCGM."""
    ticks(store, "node_exporter", Domain.PACKAGE, "socket0")
    ticks(store, "dcgm", Domain.GPU, "GPU-1")
    nvml = EnergySeries(Domain.GPU, "GPU-1", "nvml", Method.COUNTER, 0.1)
    with FakeExporter(report(RAPL, nvml)) as exporter:
        energy = measured_host(exporter.url, store).energy
    assert {series.source for series in energy} == {"rapl", "nvml", "dcgm", "node_exporter"}
    assert {series.source for series in pin_sources(energy)} == {"rapl", "nvml"}


def test_a_counter_of_our_own_that_stands_still_makes_way(store: MemoryStore) -> None:
    """RAPL at 0 in a virtual machine, and a target that measures it."""
    ticks(store, "node_exporter", Domain.PACKAGE, "socket0")
    with FakeExporter(report(replace(RAPL, moving=False), ESTIMATE)) as exporter:
        (counted,) = pin_sources(measured_host(exporter.url, store).energy)
    assert counted.source == "node_exporter"


def test_a_target_that_has_ended_does_not_count(store: MemoryStore) -> None:
    """Its last tick is four periods old: the estimate takes its place, and it is still told of."""
    ticks(store, "node_exporter", Domain.PACKAGE, "socket0", until=75.0)
    with FakeExporter(report(ESTIMATE)) as exporter:
        measured = measured_host(exporter.url, store)
    (gone,) = (series for series in measured.energy if series.source == "node_exporter")
    assert gone.moving is False
    assert "the last 75 s ago" in gone.note
    assert [series.source for series in pin_sources(measured.energy)] == ["estimate"]


@pytest.mark.parametrize("odd", [{"domain": "rack"}, {"method": "guess\u202e"}, {"domain": ""}])
def test_energy_of_a_kind_that_is_not_known_takes_nothing_else_away(
    store: MemoryStore, caplog: pytest.LogCaptureFixture, odd: dict[str, str]
) -> None:
    """An exporter of anybody's may give series by that source; they are named."""
    ticks(store, "node_exporter", Domain.PACKAGE, "socket0")
    tags = {"host": "lab", "domain": "package", "device": "x", "source": "node_exporter",
            "method": "counter"} | odd  # fmt: skip
    for n in range(5):
        store.write([Sample("energy", make_tags(tags), {"joules": 1.0 * n, "epoch": 1},
                            time.time_ns() - n * S)])  # fmt: skip
    with FakeExporter(report(ESTIMATE)) as exporter:
        host = measured_host(exporter.url, store)
    assert [one.device for one in host.energy if one.source == "node_exporter"] == ["socket0"]
    (message,) = [text for text in caplog.messages if "is left out" in text]
    assert message.startswith("energy of node_exporter is left out: domain '")
    assert message.isprintable()


def test_another_hosts_target_does_not_count(store: MemoryStore) -> None:
    """Nor one that was seen too seldom to know its period."""
    ticks(store, "node_exporter", Domain.PACKAGE, "socket0", host="other")
    ticks(store, "dcgm", Domain.GPU, "GPU-1", count=2)
    with FakeExporter(report(ESTIMATE)) as exporter:
        assert measured_host(exporter.url, store).energy == (ESTIMATE,)


def test_a_host_without_an_exporter_is_measured_by_its_targets(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is this machine by its own name, stamped by its own clock."""
    monkeypatch.setenv("WATTMARK_HOST", "bare")
    ticks(store, "dcgm", Domain.GPU, "GPU-1", host="bare", period=30.0)
    measured = measured_host(NOBODY, store)
    assert (measured.host, measured.boot_id, measured.instance) == ("bare", boot_id(), "")
    assert measured.offset_ns == pytest.approx(
        time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME), abs=S / 20
    )
    (counted,) = pin_sources(measured.energy)
    assert (counted.source, counted.device) == ("dcgm", "GPU-1")
    assert counted.update_period_seconds == pytest.approx(30.0)


def test_nothing_that_measures_is_an_error_with_the_exporters_address(store: MemoryStore) -> None:
    """The one line says where none answers."""
    with pytest.raises(ExporterError, match=f"no exporter answers at {re.escape(NOBODY)}"):
        measured_host(NOBODY, store)


def test_windows_without_an_exporter_are_stamped_by_this_machines_clock() -> None:
    """They are complete; those of a host that has an exporter are not when it does not answer."""
    offset_ns = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    with ExporterLink(NOBODY) as link:
        before_ns = time.time_ns()
        opening, closing = link.edge(), link.edge()
        bare = WindowStamping("bare", offset_ns, exporter=False)
        window = bare.window(Phase.INFERENCE, opening, closing)
        assert window.complete
        assert before_ns - S // 20 < window.start_ns < window.end_ns < time.time_ns() + S // 20
        with_exporter = WindowStamping("lab", offset_ns)
        assert not with_exporter.window(Phase.INFERENCE, opening, closing).complete


def test_an_exporter_that_answers_in_between_tears_the_window() -> None:
    """Its time base is another than this machine's own."""
    with FakeExporter(report()) as exporter, ExporterLink(exporter.url) as link:
        opening, closing = link.edge(), link.edge()
        bare = WindowStamping("lab", 0, exporter=False)
        assert not bare.window(Phase.INFERENCE, opening, closing).complete
        assert WindowStamping("lab", 0).window(Phase.INFERENCE, opening, closing).complete
