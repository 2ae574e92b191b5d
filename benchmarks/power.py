"""What it costs to store power ready: the collector's roll-up, and back-fill."""

import resource
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any, Final

from benchmarks import host_lines, influxd
from benchmarks.host_lines import DAY_NS, NS, send
from benchmarks.processes import NotRun, usage
from benchmarks.report import Row, Section
from wattmark_store import open_store
from wattmark_store.databases import TELEMETRY_1M
from wattmark_store.influx_power import PowerRollUp
from wattmark_store.influx_power_points import PowerPoints

TITLE: Final = "What storing power ready costs"
FLEET: Final = 200


def measure(hosts: int, minutes: int, days: int) -> Section:
    """``minutes`` of ``hosts`` at 10 Hz made in one go, and ``days`` of them filled in."""
    try:
        with influxd.serving() as server, closing(
            open_store(f"influxdb://{server.address}")
        ) as store:  # fmt: skip
            rows = [
                *_roll_up(server, store, hosts, minutes),
                *_back_fill(server, store, hosts, days),
            ]
    except NotRun as reason:
        rows = [Row("roll-up of power", "CPU-s", None, note=str(reason))]
    return Section(TITLE, rows, note="4 energy counters a host: package, dram, core and one GPU.")


def _roll_up(server: influxd.Server, store: Any, hosts: int, minutes: int) -> list[Row]:
    held = [series for n in range(hosts) for series in host_lines.series(f"h{n:03}", ("energy",))]
    end_ns = time.time_ns() // (60 * NS) * 60 * NS
    count = store.write(host_lines.samples(held, end_ns - minutes * 60 * NS, end_ns))
    server.rest()
    power = PowerRollUp(PowerPoints(store.ask, store._send, host_lines.LINES))
    own, theirs, _ = _taken(server, lambda: list(power.rolling_up(end_ns + 20 * NS)))
    own, theirs = own / count * 1e6, theirs / count * 1e6
    a_minute = (own + theirs) * FLEET * len(held) / hosts * 600 / 1e6
    return [
        Row("roll-up, the collector", "CPU-s per million samples", own),
        Row("roll-up, InfluxDB", "CPU-s per million samples", theirs),
        Row(f"roll-up of {FLEET} hosts, both", "CPU-s/min", a_minute),
        Row("memory of the process that did it", "MiB",
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, note="the most so far"),
    ]  # fmt: skip


def _back_fill(server: influxd.Server, store: Any, hosts: int, days: int) -> list[Row]:
    held = [series for n in range(hosts) for series in host_lines.series(f"h{n:03}", ("energy",))]
    end_ns = time.time_ns() // DAY_NS * DAY_NS - DAY_NS
    send(store, TELEMETRY_1M, host_lines.minutes(held, end_ns - days * DAY_NS, end_ns))
    server.rest()
    own, theirs, seconds = _taken(server, lambda: list(store.back_fill(end_ns)))
    return [
        Row("back-fill", "host-days/s", hosts * days / seconds),
        Row("back-fill of 100 hosts, 30 days", "min", 3000 * seconds / (hosts * days) / 60),
        Row("back-fill, the collector", "CPU-s per host-day", own / (hosts * days)),
        Row("back-fill, InfluxDB", "CPU-s per host-day", theirs / (hosts * days)),
    ]


def _taken(server: influxd.Server, work: Callable[[], object]) -> tuple[float, float, float]:
    """CPU seconds of this process and of the server, and seconds."""
    pid = server.process.pid
    own, theirs, began = time.process_time(), usage(pid).cpu_seconds, time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    return time.process_time() - own, usage(pid).cpu_seconds - theirs, seconds
