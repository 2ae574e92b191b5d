"""How much room a host's data takes in each database of InfluxDB, a day."""

import time
from contextlib import closing
from pathlib import Path
from typing import Final

from benchmarks import host_lines, influxd
from benchmarks.host_lines import DAY_NS, NS, send
from benchmarks.processes import NotRun
from benchmarks.report import Row, Section
from wattmark_store import open_store
from wattmark_store.databases import DATABASES, KEPT, POWER, RESULTS, TELEMETRY, TELEMETRY_1M

TITLE: Final = "What a host's data takes on the disk"
HOSTS: Final = 2
DAYS: Final = 7
RAW_HOURS: Final = 3
FLEET: Final = 100


def measure() -> Section:
    """Whole shards, compacted: a week of one-minute values and power, hours of samples."""
    try:
        with influxd.serving(compacted="5s") as server:
            days = _fill(server)
            server.rest()
            time.sleep(15.0)
            server.rest()
            held = {name: _bytes(server.folder / "data" / name) for name in days}
    except NotRun as reason:
        return Section(TITLE, [Row("bytes a day and host", "kB", None, note=str(reason))])
    daily = {name: held[name] / days[name] for name in days}
    rows = [
        Row(name, "kB a day and host", size / 1e3, note=f"kept {KEPT[name]}")
        for name, size in daily.items()
    ]
    total = sum(FLEET * size * int(KEPT[name].removesuffix("d")) for name, size in daily.items())
    rows.append(Row(f"all of {FLEET} hosts once the oldest is {KEPT[TELEMETRY_1M]} old", "GB",
                    total / 1e9))  # fmt: skip
    return Section(
        TITLE, rows,
        note="A host with one socket (package, dram, core) and one GPU: energy and power at 10 Hz,"
        " the rest at 1 Hz, values that never repeat: an upper bound. du of the data folder, once"
        " compacted.",
    )  # fmt: skip


def _fill(server: influxd.Server) -> dict[str, float]:
    """How many days of a host are in each database."""
    week_ns = DAYS * DAY_NS
    start_ns = time.time_ns() // week_ns * week_ns - 2 * week_ns
    hosts = [series for n in range(HOSTS) for series in host_lines.series(f"h{n:03}")]
    with closing(open_store(f"influxdb://{server.address}")) as store:
        end_ns = start_ns + week_ns
        send(store, TELEMETRY_1M, host_lines.minutes(hosts, start_ns, end_ns))
        for _ in store.back_fill(end_ns):  # type: ignore[attr-defined]
            pass
        raw_ns = end_ns + 4 * DAY_NS
        raw_end_ns = raw_ns + RAW_HOURS * 3600 * NS
        store.write(host_lines.samples(hosts, raw_ns, raw_end_ns))
        store.roll_up(raw_end_ns + 60 * NS)  # type: ignore[attr-defined]
        for name in (TELEMETRY_1M, *(resolution.database for resolution in POWER[1:])):
            influxd.query(server.address, f"DELETE WHERE time >= {end_ns}", name)
    raw = HOSTS * RAW_HOURS / 24
    return {
        name: raw if name in {TELEMETRY, POWER[0].database} else HOSTS * DAYS
        for name in DATABASES if name != RESULTS
    }  # fmt: skip


def _bytes(folder: Path) -> int:
    """Blocks on the disk, as du counts."""
    return sum(512 * path.stat().st_blocks for path in folder.rglob("*") if path.is_file())
