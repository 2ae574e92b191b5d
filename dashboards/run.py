"""One run: what it cost, and whether that is sure; its power, checks, repeats and forerunners."""

from typing import Final

from dashboards.board import dashboard, link_to, measured
from dashboards.live_host import WORK
from dashboards.panels import RESULTS, Closed, Json
from dashboards.queries import results, tag_values
from dashboards.run_panels import (
    BOUNDARY,
    RUN,
    cost,
    findings,
    phases,
    power,
    use,
    what_ran,
)  # fmt: skip
from dashboards.run_tables import checks, earlier, repeats, scores, windows
from dashboards.variables import query_variable, results_variable, telemetry_variable

COUNTS: Final = "cpu: CPU package and memory. gpu: the GPU in use. host: both."


def make() -> Json:
    """The dashboard."""
    regions = results("window", ("end_ms", "phase", "run_id"), RUN, WORK)
    return dashboard(
        "run", "Wattmark: run", "What a run cost, and whether that is sure.",
        [
            cost(),
            [what_ran()],
            [findings()],
            [phases()],
            [power()],
            [checks(), repeats()],
            [earlier(), scores()],
            Closed("Windows", [[windows()]]),
            Closed("Use of the CPU and the GPUs", [[use()]]),
        ],
        _variables(), [measured(regions)],
        links=[link_to("home", "Home"), link_to("live", "Live host", "${host:queryparam}"),
               link_to("ranking", "Ranking", "${workload:queryparam}&${boundary:queryparam}"),
               link_to("fleet", "Fleet")],
        since="now-30m", refresh="",
    )  # fmt: skip


def _variables() -> list[Json]:
    """Of names in order "host" comes last: the widest boundary that a run has opens."""
    counts = query_variable("boundary", "Counts", RESULTS, tag_values("score", "boundary", RUN),
                            newest_first=True)  # fmt: skip
    of_run = {
        name: query_variable(
            name, name, RESULTS, tag_values("score", name, f"{RUN} AND {BOUNDARY}"), hide=True)
        for name in ("variant", "place", "workload")
    }  # fmt: skip
    return [
        telemetry_variable(), results_variable(),
        query_variable("run_id", "Run", RESULTS, tag_values("window", "run_id"), newest_first=True),
        counts | {"description": COUNTS},
        query_variable("host", "Host", RESULTS, tag_values("window", "host", RUN), hide=True),
        *of_run.values(),
    ]  # fmt: skip
