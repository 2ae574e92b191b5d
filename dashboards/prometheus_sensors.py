"""The state of the exporter's sensors over Prometheus, in words, the absent ones included."""

from typing import Final

from dashboards.columns import column, hidden
from dashboards.live_host import STATES
from dashboards.panels import Panel, ordered, states, table, words
from dashboards.promql import SHOWN, name, query, rows, select

ABSENT: Final = {
    "rapl": "absent: the CPU has no energy counters here (most virtual machines have none), or"
            " only root may read them",
    "nvml": "absent: no NVIDIA driver, or no GPU",
    "host": "absent: /proc/stat cannot be read",
    "estimate": "not used: the CPU's energy is measured, or /proc/stat cannot be read",
}  # fmt: skip
"""What it means when one of the exporter's own sensors is absent. In the queries such a one is 11,
12 … in this order, any other 2."""
MEASURES: Final = {
    "rapl": "rapl: CPU packages and memory", "nvml": "nvml: NVIDIA GPUs",
    "host": "host: CPU use, memory, disks, network",
    "estimate": "estimate: CPU energy from CPU time",
}  # fmt: skip
WHY: Final = "`wattmark sensors` on the host, or its exporter's /sensors, says why and what to do."
SILENT: Final = (
    "The exporter is silent: is it running, and may Prometheus reach it? See Status, Targets there."
)


def now() -> Panel:
    """What each sensor does at the end of the shown time."""
    due, taken = (
        f"increase({select(name('sensor', field), over=SHOWN)})" for field in ("due", "taken")
    )
    return table(
        "Sensors", f"May the numbers be trusted? What each sensor does now; {WHY} Reads: taken of"
        " those that were due in the shown time; below 99 % the machine is too busy, or the"
        " sensor too slow.",
        [rows(f"max by (sensor) ({_state()})"),
         rows(f"sum by (sensor) ({taken}) / sum by (sensor) ({due})")],
        transformations=[{"id": "merge", "options": {}},
                         ordered("sensor", "Value #A", "Value #B")],
        overrides=[
            column("sensor", mappings=[words({s: (w, "text") for s, w in MEASURES.items()})],
                   **{"custom.width": 300}),
            # Two names of one option: up to 9.4, and since.
            column("Value #A", "state", mappings=[words(_meanings())],
                   **{"custom.displayMode": "color-text",
                      "custom.cellOptions": {"type": "color-text"}}),
            column("Value #B", "reads", unit="percentunit", decimals=1, **{"custom.width": 100}),
            *hidden("Time"),
        ],
        server="prometheus", height=6, empty=SILENT,
    )  # fmt: skip


def history() -> Panel:
    """What each sensor did in the shown time."""
    short = {code: (text.partition(":")[0], color) for code, (text, color) in _meanings().items()}
    return states(
        "Sensors over time", f"Grey: absent, or not used. Red: failed. Nothing: the exporter was"
        f" silent. {WHY}", [query(f"max by (sensor) ({_state()})", "{{sensor}}")], [words(short)],
        words="auto", server="prometheus", empty=SILENT,
    )  # fmt: skip


def _state() -> str:
    """The exporter's code of each sensor's state, that of an absent one by ``ABSENT``."""
    state = name("sensor", "state")
    known = []
    for code, sensor in enumerate(ABSENT, start=11):
        matcher = f'sensor="{sensor}"'
        known.append(f"({select(state, matcher)} == 2) + {code - 2}")
    return " or ".join([*known, select(state)])


def _meanings() -> dict[str, tuple[str, str]]:
    _, grey = STATES["2"]
    absent = {str(code): (text, grey) for code, text in enumerate(ABSENT.values(), start=11)}
    return {**STATES, **absent}
