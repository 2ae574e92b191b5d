"""The catalogue holds together."""

import re

import pytest

from wattmark_core.catalogue import (
    BY_NAME,
    CATALOGUE,
    ENERGY_TAGS,
    MEASUREMENTS,
    Kind,
    Method,
    source_rank,
    weakest,
)

UNITS = {"joules", "watts", "bytes", "seconds", "ratio", "hertz", "celsius", "count", "state",
         "milliseconds"}  # fmt: skip


def test_every_metric_stands_once() -> None:
    """Names, and fields within a measurement, are unique."""
    assert len(BY_NAME) == len(CATALOGUE)
    places = [(metric.measurement, metric.field) for metric in CATALOGUE]
    assert len(set(places)) == len(places)


def test_metrics_of_one_measurement_share_their_tags() -> None:
    """Or they could not be fields of one sample; no name is both tag and field."""
    for metrics in MEASUREMENTS.values():
        assert len({metric.tags for metric in metrics}) == 1
    tags = {tag for metric in CATALOGUE for tag in metric.tags} | {"host", "time"}
    assert not tags & {metric.field for metric in CATALOGUE}


def test_only_base_units() -> None:
    """And the unit shows in the name, as Prometheus asks."""
    for metric in CATALOGUE:
        assert metric.unit in UNITS
        if metric.unit not in {"count", "state", "milliseconds"}:
            assert re.search(rf"_{metric.unit}(_total)?$", metric.name), metric.name


def test_counters_end_in_total() -> None:
    """And gauges do not."""
    for metric in CATALOGUE:
        assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER), metric.name


def test_every_metric_says_what_it_means() -> None:
    """In a sentence."""
    assert all(metric.meaning.endswith(".") for metric in CATALOGUE)


def test_a_sum_takes_the_method_of_its_weakest_part() -> None:
    """Measured energy plus an estimate is an estimate."""
    assert weakest([Method.COUNTER, Method.ESTIMATED, Method.INTEGRATED]) is Method.ESTIMATED
    assert weakest([Method.COUNTER]) is Method.COUNTER
    with pytest.raises(ValueError, match="empty"):
        weakest([])


def test_a_meter_of_ones_own_comes_before_the_estimate() -> None:
    """And after the sources that are known."""
    order = sorted(["estimate", "my-meter", "node_exporter", "hwmon", "nvml", "dcgm", "rapl"],
                   key=source_rank)  # fmt: skip
    assert order == ["nvml", "dcgm", "rapl", "hwmon", "node_exporter", "my-meter", "estimate"]


def test_power_carries_the_tags_of_energy() -> None:
    """So that the two can be laid side by side."""
    assert BY_NAME["wattmark_power_watts"].tags == ENERGY_TAGS
