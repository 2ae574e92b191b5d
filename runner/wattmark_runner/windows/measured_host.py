"""The host that is measured: what its exporter reports, and the counters that only other people's
exporters give.

The collector normalises the energy of dcgm-exporter and node_exporter; what such a counter is worth
shows in the samples that have arrived: how often it ticks, and whether it still does.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from wattmark_core.catalogue import Domain, Method
from wattmark_core.clock import SystemClock, boot_id
from wattmark_core.errors import ExporterError, StoreError
from wattmark_core.exporter_api import (
    EnergySeries,
    ExporterAddress,
    HostReport,
    SensorReport,
    SensorState,
)
from wattmark_core.host_name import own_host
from wattmark_core.plausible import most_watts
from wattmark_core.printable import quoted
from wattmark_core.time_base_clock import TimeBaseClock
from wattmark_core.units import seconds_to_ns
from wattmark_runner.windows.exporter_link import read_host
from wattmark_store import Selection, SeriesData, Store

log = logging.getLogger(__name__)

FOREIGN_SOURCES: Final = ("dcgm", "node_exporter")
"""The ``source`` of what the collector makes of other people's exporters."""
RECENT_SECONDS: Final = 300.0
LEAST_TICKS: Final = 3
"""Of which at least two intervals show how often the counter ticks."""
STILL_PERIODS: Final = 4.0
"""A counter that has not ticked for so many of its periods, and 30 s, has ended or stands still."""
STILL_SECONDS: Final = 30.0


def measured_host(exporter: str | ExporterAddress, store: Store) -> HostReport:
    """The report of this machine's exporter, with the counters that Prometheus targets give of it.

    Where no exporter answers but such counters do, they are all that there is: the report has no
    ``instance``, and windows are stamped by this machine's own clock. Raises ``ExporterError`` if
    neither answers.
    """
    clock = SystemClock()
    try:
        report, failure = read_host(exporter), None
    except ExporterError as error:
        offset_ns = TimeBaseClock(clock).offset_ns
        report, failure = HostReport(own_host(), boot_id(), "", offset_ns, ()), error
    now_ns = clock.boottime_ns() + report.offset_ns
    foreign = _foreign_sensors(store, report.host, now_ns)
    if failure is not None and not any(sensor.energy for sensor in foreign):
        raise failure
    if failure is not None:
        log.warning("%s; what is measured is what Prometheus targets give", failure)
    return replace(report, sensors=(*report.sensors, *foreign))


def _foreign_sensors(store: Store, host: str, now_ns: int) -> tuple[SensorReport, ...]:
    """One for each source of which samples have arrived lately."""
    first_ns = now_ns - seconds_to_ns(RECENT_SECONDS)
    try:
        answers = store.select([
            Selection("energy", first_ns, now_ns, {"host": host, "source": source})
            for source in FOREIGN_SOURCES
        ])  # fmt: skip
    except StoreError as error:
        log.warning("counters of Prometheus targets are not known now: %s", error)
        return ()
    return tuple(
        sensor
        for source, answer in zip(FOREIGN_SOURCES, answers, strict=True)
        for sensor in _sensor(source, answer, now_ns)
    )


def _sensor(source: str, answer: list[SeriesData], now_ns: int) -> Iterator[SensorReport]:
    by_counter: dict[tuple[str, str, str], list[SeriesData]] = defaultdict(list)
    for data in answer:
        tag = data.tag
        key = tag.get("domain", ""), tag.get("device", ""), tag.get("method", "")
        by_counter[key].append(data)
    energy = tuple(
        series
        for key, parts in sorted(by_counter.items())
        for series in _series(source, key, parts, now_ns)
    )
    if energy:
        interval = min(series.interval_seconds for series in energy)
        moving = any(series.moving for series in energy)
        yield SensorReport(source, SensorState.OK, interval, moving=moving, energy=energy)


def _series(
    source: str, key: tuple[str, str, str], parts: list[SeriesData], now_ns: int
) -> Iterator[EnergySeries]:
    """The counter, if it is of a kind that counts here and has ticked often enough to be known."""
    name, device, how = key
    if name not in {*Domain} or how not in {*Method}:  # of a newer exporter's, or made up
        log.warning("energy of %s is left out: domain %s, method %s", source, quoted(name),
                    quoted(how))  # fmt: skip
        return
    times = np.unique(np.concatenate([np.asarray(data.times_ns) for data in parts]))
    if len(times) < LEAST_TICKS:
        return
    domain = Domain(name)
    period = float(np.median(np.diff(times))) / 1e9
    age = (now_ns - int(times[-1])) / 1e9
    moving = age <= max(STILL_SECONDS, STILL_PERIODS * period)
    since = "" if moving else f", the last {age:.0f} s ago"
    yield EnergySeries(
        domain, device, source, Method(how), update_period_seconds=period,
        limit_watts=most_watts(domain), interval_seconds=period, moving=moving,
        note=f"ticks every {period:.3g} s in a Prometheus target's answers{since}",
    )  # fmt: skip
