"""One run: its power with the phases shaded, energy per window, checks, accuracy, score."""

from typing import Final

from dashboards.board import annotation, dashboard
from dashboards.columns import column, link, method_column, span, verdict_column
from dashboards.live_host import SERIES, WORK
from dashboards.panels import RESULTS, WIDTH, Json, Panel, bars, lines, table, target
from dashboards.queries import gauge, power, results, runs, tag_values
from dashboards.variables import (
    interval_variable,
    query_variable,
    results_variable,
    samples_variable,
)  # fmt: skip
from wattmark_core.results import Phase

# raw: else releases of Grafana escape dots, which a name may hold, as in a regular expression.
RUN: Final = "\"run_id\" = '${run_id:raw}'"
COLORS: Final = {
    Phase.IDLE: "green", Phase.GUARD: "yellow", Phase.WARMUP: "orange", Phase.INFERENCE: "blue",
    Phase.TRAINING: "purple",
}  # fmt: skip
SCORE_COLUMNS: Final = (
    "formula", "boundary", "method", "verdict", "value", "low", "high", "population_low",
    "population_high", "accuracy", "joules_per_inference", "joules_per_inference_low",
    "joules_per_inference_high", "watts", "inferences_per_second",
)  # fmt: skip
CHECK_COLUMNS: Final = ("formula", "boundary", "verdict", "invalid_checks", "warned_checks")
TIMES: Final = ("start_ms", "end_ms")
NO_RUN: Final = "choose a run above; none there: start one on the runner's page"
NO_SAMPLES: Final = "no samples in this time: the link in the table above sets the run's own"
HIDDEN: Final = {"custom.hidden": True}


def make() -> Json:
    """The dashboard."""
    return dashboard(
        "wattmark-run", "Wattmark: run", "One run: power, phases, windows, checks, score.",
        [[_span()], [_power()], [_checks()], [_scores()], [_measured(), _energy()],
         [_windows(), _use()]],
        [
            samples_variable(),
            results_variable(),
            query_variable("run_id", "Run", RESULTS, tag_values("window", "run_id"),
                           newest_first=True),
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


def _times() -> list[Json]:
    return [*(column(name, unit="dateTimeAsIso") for name in TIMES), column("Time", **HIDDEN)]


def _span() -> Panel:
    zoom = link("Show this run's whole time", time=span(*TIMES))
    return table(
        "Run", "When it was, and on which host; its link sets the time of all panels below.",
        "none", [target(runs(RUN, timed=False), table=True)], source=RESULTS, height=4,
        overrides=[column("run_id", links=[zoom]), *_times()], empty=NO_RUN,
    )  # fmt: skip


def _power() -> Panel:
    return lines(
        "Power", "From the energy counters of the run's host; the phases of the run are shaded."
        " Estimated power says so in its name.", "watt", [target(power(), SERIES)], width=WIDTH,
        height=10, empty=NO_SAMPLES,
    )  # fmt: skip


def _checks() -> Panel:
    query = results("score", CHECK_COLUMNS, RUN, timed=False)
    return table(
        "Verdict and checks", "What made a score invalid, and so unranked, or warned; every"
        " measured value stands beside its limit.", "none", [target(query, table=True)],
        source=RESULTS, height=6, overrides=[verdict_column(), column("Time", **HIDDEN)],
        empty=NO_RUN,
    )  # fmt: skip


def _scores() -> Panel:
    query = results("score", SCORE_COLUMNS, RUN, timed=False)
    joules = [name for name in SCORE_COLUMNS if name.startswith("joules")]
    return table(
        "Scores", "Each score with its boundary, method and 95 % interval: low to high is that of"
        " the measurement, population that of the network on other images too.", "none",
        [target(query, table=True)], source=RESULTS, height=7,
        overrides=[
            column("accuracy", unit="percentunit"), column("watts", unit="watt"),
            *(column(name, unit="joule") for name in joules), column("Time", **HIDDEN),
            verdict_column(), method_column(),
        ],
        empty=NO_RUN,
    )  # fmt: skip


def _measured() -> Panel:
    names = ("repeat", "joules", "joules_low", "joules_high", "inferences", "correct", "boundary",
             "method", "complete")  # fmt: skip
    return table(
        "Measured windows", "What each repeat did and cost, with boundary and method. Incomplete:"
        " the joules are a lower bound.", "none",
        [target(results("window", names, RUN, WORK, timed=False), table=True)],
        source=RESULTS, width=12, height=9,
        overrides=[
            *(column(name, unit="joule") for name in ("joules", "joules_low", "joules_high")),
            column("Time", **HIDDEN), method_column(),
        ],
        empty=NO_RUN,
    )  # fmt: skip


def _energy() -> Panel:
    query = results("window", ("joules",), RUN, WORK, timed=False)
    return bars("Energy per measured window", "How much the repeats differ, by their start: windows"
                " of one run should agree within its interval.", "joule",
                [target(query, table=True)], "Time", source=RESULTS, height=9,
                empty=NO_RUN)  # fmt: skip


def _windows() -> Panel:
    names = (*TIMES, "phase", "repeat", "complete", "overlapping", "clock")
    zoom = link("Show this window", time=span(*TIMES), run="${run_id}")
    return table(
        "All windows", "Every phase of the run; the link of its name sets the time of the panels.",
        "none", [target(results("window", names, RUN, timed=False), table=True)],
        source=RESULTS, width=12, height=9,
        overrides=[column("phase", links=[zoom]), *_times()], empty=NO_RUN,
    )  # fmt: skip


def _use() -> Panel:
    targets = [
        target(gauge("cpu", "utilization_ratio", ()), "CPU"),
        target(gauge("gpu", "utilization_ratio", ("gpu",)), "GPU $tag_gpu", ref="B"),
    ]
    return lines("Use", "Share of the CPUs' time, and share of time in which a kernel ran.",
                 "percentunit", targets, height=9, empty=NO_SAMPLES)  # fmt: skip
