"""Sums over counters: nothing twice, nothing missing taken for zero."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from wattmark_core.catalogue import Domain, Method
from wattmark_core.exporter_api import EnergySeries, SensorState
from wattmark_core.results import Boundary
from wattmark_scoring.boundary import boundary_energy, of_boundary, pin_sources
from wattmark_scoring.energy import SeriesEnergy

MakeSeries = Callable[..., EnergySeries]


def test_one_source_counts_for_a_device(make_series: MakeSeries) -> None:
    """nvml before dcgm, rapl before node_exporter: the others are shown only."""
    offered = [
        make_series(Domain.GPU, "GPU-1", "dcgm"),
        make_series(Domain.GPU, "GPU-1", "nvml"),
        make_series(source="node_exporter"),
        make_series(source="rapl"),
    ]
    assert {series.source for series in pin_sources(offered)} == {"nvml", "rapl"}


def test_an_estimate_never_stands_beside_a_measured_package(make_series: MakeSeries) -> None:
    """The estimate's device has another name than a socket; it is still the same energy."""
    offered = [make_series(), make_series(device="cpu", source="estimate",
                                          method=Method.ESTIMATED)]  # fmt: skip
    assert [series.source for series in pin_sources(offered)] == ["rapl"]


def test_a_failed_source_is_not_pinned(make_series: MakeSeries) -> None:
    """The next source takes over at the start of a run, never inside one."""
    failed = replace(make_series(Domain.GPU, "GPU-1", "nvml"), state=SensorState.FAILED)
    other = make_series(Domain.GPU, "GPU-1", "dcgm")
    assert pin_sources([failed, other]) == (other,)


def test_core_uncore_and_psys_are_in_no_boundary(make_series: MakeSeries) -> None:
    """core and uncore lie inside package, psys around it: adding them would count twice."""
    domains = [Domain.PACKAGE, Domain.DRAM, Domain.CORE, Domain.UNCORE, Domain.PSYS, Domain.GPU]
    pinned = [make_series(domain, "d") for domain in domains]
    found = {
        boundary: {s.domain for s in of_boundary(pinned, boundary, ["d"])} for boundary in Boundary
    }
    assert found[Boundary.CPU] == {Domain.PACKAGE, Domain.DRAM}
    assert found[Boundary.GPU] == {Domain.GPU}
    assert found[Boundary.HOST] == {Domain.PACKAGE, Domain.DRAM, Domain.GPU}


def test_the_gpu_boundary_counts_the_runs_gpu_alone(make_series: MakeSeries) -> None:
    """Another GPU of the host is in ``host`` and not in ``gpu``."""
    pinned = [make_series(Domain.GPU, "GPU-1"), make_series(Domain.GPU, "GPU-2")]
    assert [s.device for s in of_boundary(pinned, Boundary.GPU, ["GPU-2"])] == ["GPU-2"]
    assert len(of_boundary(pinned, Boundary.HOST, ["GPU-2"])) == 2


def test_two_sockets_and_their_dram_add_up(make_series: MakeSeries) -> None:
    """Sockets with equal domain names are different devices."""
    parts = [
        SeriesEnergy(make_series(domain, device), 10.0, True)
        for domain in (Domain.PACKAGE, Domain.DRAM)
        for device in ("socket0", "socket1")
    ]
    assert boundary_energy(Boundary.CPU, parts).joules == pytest.approx(40.0)


def test_a_missing_part_makes_the_sum_unknown(make_series: MakeSeries) -> None:
    """Missing is missing, never zero."""
    parts = [
        SeriesEnergy(make_series(), 10.0, True),
        SeriesEnergy(make_series(Domain.DRAM), None, False, "no sample in or around the window"),
    ]
    total = boundary_energy(Boundary.CPU, parts)
    assert total.joules is None
    assert "memory socket0: no sample" in total.reason


def test_a_sum_takes_the_method_of_its_weakest_part(make_series: MakeSeries) -> None:
    """A measured GPU beside an estimated CPU is estimated, and only that part is doubled."""
    parts = [
        SeriesEnergy(make_series(Domain.GPU, "GPU-1", "nvml"), 100.0, True),
        SeriesEnergy(make_series(device="cpu", method=Method.ESTIMATED), 10.0, True),
    ]
    total = boundary_energy(Boundary.HOST, parts)
    assert total.method is Method.ESTIMATED
    assert (total.low, total.high) == pytest.approx((105.0, 120.0))


def test_no_counter_is_no_energy() -> None:
    """A host without a GPU has no energy in the boundary gpu."""
    total = boundary_energy(Boundary.GPU, [])
    assert total.joules is None
    assert total.method is None
