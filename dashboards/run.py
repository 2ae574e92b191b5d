"""One run: its power with the phases shaded, energy per window, checks, accuracy, score."""

from typing import Final

from dashboards.live_host import SERIES
from dashboards.panels import (
    RESULTS,
    TELEMETRY,
    WIDTH,
    Json,
    Panel,
    annotation,
    bars,
    column,
    dashboard,
    interval_variable,
    lines,
    query_variable,
    source_variable,
    table,
    target,
)  # fmt: skip
from dashboards.queries import gauge, power, results, tag_values
from wattmark_core.results import Phase

RUN: Final = "\"run_id\" = '${run_id}'"
COLORS: Final = {
    Phase.IDLE: "green", Phase.GUARD: "yellow", Phase.WARMUP: "orange", Phase.INFERENCE: "blue",
    Phase.TRAINING: "purple",
}  # fmt: skip
SCORE_COLUMNS: Final = (
    "formula", "boundary", "method", "verdict", "value", "low", "high", "population_low",
    "population_high", "accuracy", "joules_per_inference", "joules_per_inference_low",
    "joules_per_inference_high", "watts", "inferences_per_second", "invalid_checks",
    "warned_checks",
)  # fmt: skip
NO_RUN: Final = "choose a run above; none there: start one on the runner's page"


def make() -> Json:
    """The dashboard."""
    return dashboard(
        "wattmark-run", "Wattmark: run", "One run: power, phases, windows, checks, score.",
        [[_power()], [_scores()], [_windows()], [_energy(), _use()]],
        [
            source_variable(TELEMETRY, "Samples (1m for over 14 days)", "telemetry( 1m)?"),
            source_variable(RESULTS, "Results", "results"),
            query_variable("run_id", "Run", RESULTS, tag_values("window", "run_id")),
            query_variable("host", "Host", RESULTS, tag_values("window", "host", RUN), hide=True),
            interval_variable("100ms"),
        ],
        [_phase(phase, color) for phase, color in COLORS.items()],
        since="now-6h", refresh="",
    )  # fmt: skip


def _phase(phase: Phase, color: str) -> Json:
    where = f"\"phase\" = '{phase}'"
    query = results("window", ("end_ms", "phase", "run_id"), RUN, where)
    return annotation(f"{phase}", color, query)


def _power() -> Panel:
    return lines(
        "Power", "From the energy counters of the run's host; the phases of the run are shaded."
        " Estimated power says so in its name.", "watt", [target(power(), SERIES)], width=WIDTH,
        height=10,
        empty="no samples in this time: follow a link from a table of windows, which sets it",
    )  # fmt: skip


def _scores() -> Panel:
    query = results("score", SCORE_COLUMNS, RUN, timed=False)
    return table(
        "Scores, verdict and checks", "Each score with its boundary, method and interval. low to"
        " high is the interval of the measurement, population that of the network on other images"
        " too. An invalid score is not ranked; the last columns say why.", "none",
        [target(query, table=True)], source=RESULTS, height=9,
        overrides=[
            column("accuracy", unit="percentunit"), column("joules_per_inference", unit="joule"),
            column("joules_per_inference_low", unit="joule"), column("watts", unit="watt"),
            column("joules_per_inference_high", unit="joule"), _verdict(), _method(),
        ],
        empty=NO_RUN,
    )  # fmt: skip


def _windows() -> Panel:
    names = ("start_ms", "end_ms", "phase", "repeat", "joules", "joules_low", "joules_high",
             "boundary", "method", "inferences", "correct", "complete", "overlapping",
             "clock")  # fmt: skip
    return table(
        "Windows", "Every window of the run and what it cost. Incomplete: the joules are a lower"
        " bound.", "none", [target(results("window", names, RUN, timed=False), table=True)],
        source=RESULTS, height=9,
        overrides=[
            *(column(name, unit="joule") for name in ("joules", "joules_low", "joules_high")),
            *(column(name, unit="dateTimeAsIso") for name in ("start_ms", "end_ms")), _method(),
        ],
        empty=NO_RUN,
    )  # fmt: skip


def _energy() -> Panel:
    query = results("window", ("repeat", "joules"), RUN, "\"phase\" = 'inference'", timed=False)
    return bars("Energy per measured window", "How much the repeats differ: windows of one run"
                " should agree within its interval.", "joule", [target(query, table=True)],
                "repeat", source=RESULTS, empty=NO_RUN)  # fmt: skip


def _use() -> Panel:
    targets = [
        target(gauge("cpu", "utilization_ratio", ()), "CPU"),
        target(gauge("gpu", "utilization_ratio", ("gpu",)), "GPU $tag_gpu", ref="B"),
    ]
    return lines("Use", "Share of the CPUs' time, and share of time in which a kernel ran.",
                 "percentunit", targets)  # fmt: skip


def _verdict() -> Json:
    colors = {"valid": "green", "warned": "orange", "invalid": "red"}
    mapping = {name: {"color": color, "index": n} for n, (name, color) in enumerate(colors.items())}
    return column("verdict", mappings=[{"type": "value", "options": mapping}],
                  **{"custom.displayMode": "color-text"})  # fmt: skip


def _method() -> Json:
    mapping = {"estimated": {"text": "ESTIMATED", "color": "orange", "index": 0}}
    return column("method", mappings=[{"type": "value", "options": mapping}],
                  **{"custom.displayMode": "color-text"})  # fmt: skip
