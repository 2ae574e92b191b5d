"""The state of the exporter's sensors, in words, those included that say nothing: over Prometheus
an absent sensor is one without samples."""

from typing import Final

from dashboards.prometheus_panels import (
    GREEN,
    GREY,
    RED,
    Panel,
    Query,
    mapping,
    override,
    states,
    table,
)
from dashboards.promql import SHOWN, name, select

ABSENT: Final = {
    "rapl": "absent: the CPU has no energy counters here (most virtual machines have none), or"
            " only root may read them",
    "nvml": "absent: no NVIDIA driver, or no GPU",
    "host": "absent: /proc/stat cannot be read, or the sensor was left out",
    "estimate": "not used: the CPU's energy is measured, or the estimate was switched off",
}  # fmt: skip
"""The sensors that every exporter has, and what it means when one has no sample. In the queries an
absent one is -1, -2 … in this order."""
MEASURES: Final = {
    "rapl": "rapl: CPU packages and memory", "nvml": "nvml: NVIDIA GPUs",
    "host": "host: CPU use, memory, disks, network",
    "estimate": "estimate: CPU energy from CPU time",
}  # fmt: skip
SILENT: Final = -9
WHY: Final = "`wattmark sensors` on the host, or its exporter's /sensors, says why and what to do."


def now() -> Panel:
    """What each sensor does at the end of the shown time."""
    due, taken = (
        f"increase({select(name('sensor', field), over=SHOWN)})" for field in ("due", "taken")
    )
    share = f"sum by (sensor) ({taken}) / sum by (sensor) ({due})"
    known = {sensor: (words, "text") for sensor, words in MEASURES.items()}
    return table(
        "Sensors", f"May the numbers be trusted? What each sensor does now. {WHY} A sensor of your"
        " own is listed while it has samples. Reads taken: of those that were due in the shown"
        " time; below 99 % the machine is too busy, or the sensor too slow.",
        [Query(f"max by (sensor) ({_state()})", now=True, table=True),
         Query(share, now=True, table=True)],
        {"sensor": "Sensor", "Value #A": "State", "Value #B": "Reads taken"},
        [
            override("^Sensor$", mappings=[mapping(known)], **{"custom.width": 300}),
            # Two names of one option: up to 9.4, and since.
            override("^State$", mappings=[mapping(_words())],
                     **{"custom.displayMode": "color-text",
                        "custom.cellOptions": {"type": "color-text"}}),
            override("^Reads taken$", unit="percentunit", decimals=1, **{"custom.width": 130}),
        ],
        width=24, height=6,
    )  # fmt: skip


def history() -> Panel:
    """What each sensor did in the shown time."""
    short = {value: (text.partition(":")[0], color) for value, (text, color) in _words().items()}
    return states(
        "Sensors over time", f"Grey: absent, or not used. Red: failed, or the whole exporter was"
        f" silent. {WHY}", [Query(f"max by (sensor) ({_state()})", "{{sensor}}")],
        [mapping(short)],
    )  # fmt: skip


def _state() -> str:
    """1 works, 0 failed, -1 … -4 absent, -9 the exporter does not answer."""
    up = name("sensor", "up")
    known = []
    for number, sensor in enumerate(ABSENT, start=1):
        matcher = f'sensor="{sensor}"'
        gone = f"absent({select(up, matcher)})"
        known.append(f"(-{number} * {gone} and on () {select(name('target', 'up'))} == 1)")
        known.append(f"{SILENT} * {gone}")
    return f"{select(up)} or {' or '.join(known)}"


def _words() -> dict[str, tuple[str, str]]:
    absent = {f"-{n}": (words, GREY) for n, words in enumerate(ABSENT.values(), start=1)}
    return {
        "1": ("works", GREEN), "0": ("failed: the exporter's log says why", RED), **absent,
        str(SILENT): ("silent: the exporter does not answer Prometheus", RED),
    }  # fmt: skip
