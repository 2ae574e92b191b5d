"""One host: what it draws now and in what, whether that may be trusted, and what runs on it."""

from typing import Final

from dashboards.board import dashboard, link_to, measured
from dashboards.colors import GREY, PHASES
from dashboards.columns import between, column, hidden, to_run
from dashboards.panels import (
    RESULTS,
    TELEMETRY,
    WIDTH,
    Closed,
    Json,
    Panel,
    lines,
    ordered,
    shares,
    states,
    table,
    tables,
    target,
    words,
)  # fmt: skip
from dashboards.power import power_lines, power_stats
from dashboards.queries import (
    HOST,
    gauge,
    latest,
    rates,
    reads,
    results,
    runs,
    tag_values,
)  # fmt: skip
from dashboards.spans import SAMPLES, each
from dashboards.variables import query_variable, results_variable, telemetry_variable
from wattmark_core.catalogue import CATALOGUE, Kind

GPU: Final = "GPU $tag_gpu $tag_model"
BOARD: Final = "GPU $tag_gpu"
"""Where a line's name says more than that."""
NO_GPU: Final = "No GPU, or no samples of one: `wattmark sensors` on the host says why."
NO_RUN: Final = "No run in this time: start one on the runner's page, or post a window."
WORK: Final = "(\"phase\" = 'inference' OR \"phase\" = 'training')"
VIRTUAL_INTERFACES: Final = "lo|docker|veth|br-|virbr|cni|flannel|cali|tun|tap"
"""Bridges and pairs that containers and virtual machines make repeat the host's own traffic."""
OWN_INTERFACES: Final = f'"interface" !~ /^({VIRTUAL_INTERFACES})/'
STATES: Final = {"0": ("failed", "red"), "1": ("ok", "green"), "2": ("absent", GREY)}


def make() -> Json:
    """The dashboard."""
    windows = results("window", ("end_ms", "phase", "run_id"), HOST, WORK)
    return dashboard(
        "live", "Wattmark: live host", "Where one host's power goes, and whether to trust it.",
        [
            power_stats(HOST),
            [[phases(HOST, width=17), power_lines(HOST, width=17, height=10)], _sensors()],
            [_gpu_use(), _gpu_memory(), _cpu(), _memory()],
            [runs_table(HOST)],
            Closed("Heat and throttling", [[_gpu_heat(), _throttling()]]),
            Closed("CPU time by mode, samples taken", [[_cpu_modes(), _sensor_reads()]]),
            Closed("Network and disks", [[_network(), _disks()]]),
            Closed("GPU pipes (DCGM)", [[_pipes()]]),
        ],
        [
            telemetry_variable(), results_variable(),
            query_variable("host", "Host", TELEMETRY, tag_values("energy", "host")),
        ],
        [measured(windows)],
        links=[link_to("home", "Home"), link_to("fleet", "Fleet", "${host:queryparam}"),
               link_to("ranking", "Ranking")],
    )  # fmt: skip


def runs_table(where: str) -> Panel:
    """Every run of some hosts, newest first, with its time."""
    return table(
        "Runs", "Every run in the shown time, from its first idle window to its last; the link"
        " opens it at its own time.", tables([runs(where)]), source=RESULTS, height=7,
        transformations=[
            {"id": "sortBy", "options": {"fields": {}, "sort": [
                {"field": "start_ms", "desc": True}]}},
            ordered("run_id", "host", "start_ms", "end_ms"),
        ],
        overrides=[
            column("run_id", "run",
                   links=[to_run("Open the run", time=between("start_ms", "end_ms"))]),
            column("start_ms", "started", unit="dateTimeAsIso"),
            column("end_ms", "ended", unit="dateTimeAsIso"), *hidden("Time"),
        ],
        empty=NO_RUN,
    )  # fmt: skip


def _gpus(name: str) -> list[Json]:
    tags = ("device", "gpu", "model")
    return [target(q, GPU) for q in each(SAMPLES, lambda s: gauge("gpu", name, tags, s))]


def _meaning(measurement: str, name: str) -> str:
    return next(m.meaning for m in CATALOGUE if (m.measurement, m.field) == (measurement, name))


def _gpu_use() -> Panel:
    return shares("GPU use", _meaning("gpu", "utilization_ratio"), _gpus("utilization_ratio"),
                  width=6, least="1s", empty=NO_GPU)  # fmt: skip


def _gpu_memory() -> Panel:
    return lines("GPU memory", _meaning("gpu", "memory_used_bytes"), "bytes",
                 _gpus("memory_used_bytes"), width=6, least="1s", empty=NO_GPU)  # fmt: skip


def _gpu_heat() -> Panel:
    return lines("GPU temperature", _meaning("gpu", "temperature_celsius"), "celsius",
                 _gpus("temperature_celsius"), least="1s", empty=NO_GPU)  # fmt: skip


def _cpu() -> Panel:
    use = each(SAMPLES, lambda s: gauge("cpu", "utilization_ratio", (), s))
    return shares("CPU use", "Share of all CPUs' time spent on work.",
                  [target(query, "CPU") for query in use], width=6, least="1s")  # fmt: skip


def _memory() -> Panel:
    shown = {"used_bytes": "used", "total_bytes": "all there is"}
    targets = [
        target(query, word) for name, word in shown.items()
        for query in each(SAMPLES, lambda s, name=name: gauge("memory", name, (), s))  # type: ignore[misc]
    ]  # fmt: skip
    return lines("Memory", "Memory not available to new programs, and all there is.", "bytes",
                 targets, width=6, least="1s")  # fmt: skip


def _cpu_modes() -> Panel:
    modes = [m.field for m in CATALOGUE if m.measurement == "cpu" and m.kind is Kind.COUNTER]
    shown = {
        name.removesuffix("_seconds"): name for name in modes
        if name not in {"busy_seconds", "idle_seconds"}
    }  # fmt: skip
    targets = [
        target(query, "$col") for query in each(SAMPLES, lambda s: rates("cpu", shown, (), s))
    ]
    stacked = {"fillOpacity": 40, "stacking": {"mode": "normal", "group": "A"}}
    return lines("CPU time by mode", "CPUs busy in each mode: 2 means two whole CPUs. Steal is"
                 " time that the hypervisor took.", "none", targets, custom=stacked,
                 least="1s")  # fmt: skip


def _traffic(measurement: str, tag: str, *conditions: str) -> list[Json]:
    columns = {m.field.removesuffix("_bytes"): m.field
               for m in CATALOGUE if m.measurement == measurement}  # fmt: skip
    queries = each(SAMPLES, lambda s: rates(measurement, columns, (tag,), s, *conditions))
    return [target(query, f"$tag_{tag} $col") for query in queries]


def _network() -> Panel:
    return lines("Network", "Bytes per second by interface, without those of containers and"
                 " virtual machines.", "Bps", _traffic("network", "interface", OWN_INTERFACES),
                 least="1s", empty="No interface of the host reported in this time.")  # fmt: skip


def _disks() -> Panel:
    return lines("Disks", "Bytes per second by disk.", "Bps", _traffic("disk", "device"),
                 least="1s", empty="The host has no disk of its own that its kernel counts, as in"
                 " some containers and virtual machines.")  # fmt: skip


def _throttling() -> Panel:
    columns = {
        m.field.removeprefix("throttled_").removesuffix("_seconds").replace("_", " "): m.field
        for m in CATALOGUE if m.field.startswith("throttled_")
    }  # fmt: skip
    queries = each(SAMPLES, lambda s: rates("gpu", columns, ("device", "gpu", "model"), s))
    return shares("GPU throttling", "Share of the time in which the clock was held down, by reason."
                  " A run that was throttled is warned or invalid.",
                  [target(query, f"{BOARD}: $col") for query in queries], least="1s",
                  empty=NO_GPU)  # fmt: skip


def _pipes() -> Panel:
    shown = {"sm_active_ratio": "SMs", "dram_active_ratio": "memory",
             "tensor_active_ratio": "tensor cores"}  # fmt: skip
    targets = [
        target(query, f"{BOARD}: {word}") for name, word in shown.items()
        for query in each(SAMPLES, lambda s, name=name: gauge(  # type: ignore[misc]
            "gpu", name, ("device", "gpu", "model"), s))
    ]  # fmt: skip
    return shares("Use of the GPU's parts", "Share of the time in which each was active, as"
                  " NVIDIA's dcgm-exporter gives it.", targets, width=WIDTH, least="1s",
                  empty="No dcgm-exporter is a target of the collector, or the GPU has no profiling"
                  " counters: see docs/stack.md.")  # fmt: skip


def _sensors() -> Panel:
    return table(
        "Sensors", "ok: it answers. failed: it did, and does not now. absent: this host has none,"
        " or it cannot be read; `wattmark sensors` there says why and what to do.",
        tables([latest("sensor", {"state": "state"}, ("sensor",))]), width=7, height=13,
        overrides=[column("state", mappings=[words(STATES)], **{
            "custom.cellOptions": {"type": "color-text"}, "custom.align": "left",
        }), *hidden("Time")],
        empty="No sensor reported in the last five minutes: is the host's exporter running?",
    )  # fmt: skip


def _sensor_reads() -> Panel:
    queries = each(SAMPLES, lambda s: reads('"taken" / "due"', ("sensor",), s))
    return shares("Reads taken of those due", "In each interval; below 99 % the machine is too"
                  " busy, or a sensor too slow.",
                  [target(query, "$tag_sensor") for query in queries], least="1s")  # fmt: skip


def phases(*conditions: str, width: int = WIDTH) -> Panel:
    """What ran when, as a strip of colours above the power."""
    meanings = {str(phase): meaning for phase, meaning in PHASES.items()}
    nothing = {"none": ("", "transparent")}
    query = results("phase", ("phase",), *conditions)
    return states(
        "Phases", "What was done when; the cross-hair is the power's.", tables([query]),
        [words({**meanings, **nothing})], source=RESULTS, width=width, height=3, words="auto",
        empty=NO_RUN,
    )  # fmt: skip
