"""Scores by model and host, as in the paper's Tables II and III; estimated apart from measured."""

from collections.abc import Sequence
from typing import Any, Final

from dashboards.panels import (
    RESULTS,
    Json,
    Panel,
    bars,
    column,
    dashboard,
    query_variable,
    source_variable,
    table,
    target,
    text,
)  # fmt: skip
from dashboards.queries import last_scores, tag_values

CHOSEN: Final = (
    '"workload" =~ /^${workload:regex}$/', "\"boundary\" = '${boundary}'",
    "\"formula\" = '${formula}'",
)  # fmt: skip
ANY_FORMULA: Final = CHOSEN[:2]
HOSTS: Final = '"host" =~ /^${host:regex}$/'
ONE_HOST: Final = "\"host\" = '${host}'"
BASELINE: Final = "\"host\" = '${baseline}'"
MEASURED: Final = "\"method\" <> 'estimated' AND \"verdict\" <> 'invalid'"
ESTIMATED: Final = "\"method\" = 'estimated' AND \"verdict\" <> 'invalid'"
INVALID: Final = "\"verdict\" = 'invalid'"
COLUMNS: Final = (
    "value", "low", "high", "accuracy", "joules_per_inference", "joules_per_inference_low",
    "joules_per_inference_high", "method", "verdict",
)  # fmt: skip
BY: Final = ("host", "model", "boundary", "run_id")
RUN_LINK: Final = {
    "title": "Open the run",
    "url": "/d/wattmark-run/run?var-run_id=${__data.fields.run_id}",
}
NONE_MEASURED: Final = "no measured score in this time; estimated ones stand below"
MERGE: Final[Json] = {"id": "merge", "options": {}}
NOTE: Final = (
    "Scores of **${formula}** within the boundary **${boundary}**; workload **${workload}**."
    " Measured and estimated energy are never ranked together: the upper tables hold what was"
    " measured, the lower what was estimated from CPU time, which is good for comparing models on"
    " one host only."
)


def make() -> Json:
    """The dashboard."""
    return dashboard(
        "wattmark-ranking", "Wattmark: ranking", "Scores by model and host, measured apart from"
        " estimated.",
        [
            [text("What is compared", "Boundary, formula and workload of all tables below.", NOTE,
                  source=RESULTS)],
            [_ranked("Measured", MEASURED, NONE_MEASURED)],
            [_matrix("Energy per inference by model and host", "joules_per_inference", "joule",
                     MEASURED), _matrix("Score by model and host", "score", "none", MEASURED)],
            [_bars("Score of each model", "score", "none"),
             _bars("Energy per inference of each model", "joules_per_inference", "joule")],
            [_ranks("Every score of a model, measured", MEASURED)],
            [_ratios()],
            [_ranked("Estimated: relative only", ESTIMATED, "no estimated score in this time")],
            [_ranked("Invalid, not ranked", INVALID, "no invalid score in this time",
                     ("invalid_checks",))],
        ],
        [
            source_variable(RESULTS, "Results", "results"),
            query_variable("workload", "Workload", RESULTS, tag_values("score", "workload"),
                           multi=True, everything=True),
            query_variable("boundary", "Boundary", RESULTS, tag_values("score", "boundary")),
            query_variable("formula", "Score", RESULTS, tag_values("score", "formula")),
            query_variable("host", "Hosts", RESULTS, tag_values("score", "host"), multi=True,
                           everything=True),
            query_variable("baseline", "Ratios to", RESULTS, tag_values("score", "host")),
        ],
        since="now-2y", refresh="",
    )  # fmt: skip


def _ranked(title: str, where: str, empty: str, more: Sequence[str] = ()) -> Panel:
    query = last_scores((*COLUMNS, *more), *CHOSEN, HOSTS, where, by=BY)
    return table(
        f"{title}: scores", "Best first, each with its interval, boundary and method. Warned"
        " scores are ranked and marked.", "none", [target(query, table=True)], source=RESULTS,
        height=9, transformations=[MERGE, _sorted("score"), _without_time()],
        overrides=[column("accuracy", unit="percentunit"), column("run_id", links=[RUN_LINK]),
                   *(column(f"joules_per_inference{end}", unit="joule")
                     for end in ("", "_low", "_high"))],
        empty=empty,
    )  # fmt: skip


def _matrix(title: str, value: str, unit: str, where: str) -> Panel:
    """A row for each model, a column for each host: the paper's Table III."""
    query = last_scores(COLUMNS, *CHOSEN, HOSTS, where, by=("host", "model"))
    matrix = {"columnField": "host", "rowField": "model", "valueField": value}
    return table(
        title, "The newest score of each model on each host; measured only. Boundary and score as"
        " chosen above.", unit, [target(query, table=True)], source=RESULTS, width=12, height=9,
        transformations=[MERGE, {"id": "groupingToMatrix", "options": matrix}],
        empty=NONE_MEASURED,
    )  # fmt: skip


def _ranks(title: str, where: str) -> Panel:
    """A row for each model, a column for each formula: the paper's Table II."""
    query = last_scores(COLUMNS, *ANY_FORMULA, BASELINE, where, by=("formula", "model"))
    matrix = {"columnField": "formula", "rowField": "model", "valueField": "score"}
    return table(
        title, "The newest value of each score, on the host named under 'Ratios to'. Click a"
        " column's head to rank by it.", "none", [target(query, table=True)], source=RESULTS,
        height=9, transformations=[MERGE, {"id": "groupingToMatrix", "options": matrix}],
        empty=NONE_MEASURED,
    )  # fmt: skip


def _bars(title: str, value: str, unit: str) -> Panel:
    query = last_scores(COLUMNS, *CHOSEN, HOSTS, MEASURED, by=("host", "model"))
    matrix = {"columnField": "host", "rowField": "model", "valueField": value}
    return bars(
        title, "Measured only; a bar for each host.", unit, [target(query, table=True)],
        "model\\host", source=RESULTS, height=9,
        transformations=[MERGE, {"id": "groupingToMatrix", "options": matrix}],
        empty=NONE_MEASURED,
    )  # fmt: skip


def _ratios() -> Panel:
    """Of one host to the baseline; a panel for each host."""
    own = last_scores(("value", "joules_per_inference"), *CHOSEN, ONE_HOST, MEASURED, by=("model",))
    base = last_scores(
        ("value", "joules_per_inference"), *CHOSEN, BASELINE, MEASURED, by=("model",)
    )
    base = base.replace('AS "score"', 'AS "baseline_score"').replace(
        ', "joules_per_inference"', ', "joules_per_inference" AS "baseline_joules"'
    )
    joined = {"id": "joinByField", "options": {"byField": "model", "mode": "outer"}}
    return table(
        "${host} ÷ ${baseline}", "Energy per inference and score of each model, divided by the"
        " chosen host's, as in the paper's Table III. Measured only.", "none",
        [target(own, table=True), target(base, table=True, ref="B")], source=RESULTS, width=12,
        height=8, repeat="host",
        transformations=[
            joined, _quotient("joules_per_inference", "baseline_joules", "energy ratio"),
            _quotient("score", "baseline_score", "score ratio"),
        ],
        overrides=[column("joules_per_inference", unit="joule"),
                   column("baseline_joules", unit="joule")],
        empty=NONE_MEASURED,
    )  # fmt: skip


def _quotient(left: str, right: str, name: str) -> Json:
    binary: dict[str, Any] = {"left": left, "operator": "/", "right": right, "reducer": "sum"}
    return {"id": "calculateField", "options": {"mode": "binary", "alias": name, "binary": binary}}


def _sorted(name: str) -> Json:
    return {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": name, "desc": True}]}}


def _without_time() -> Json:
    return {"id": "organize", "options": {"excludeByName": {"Time": True, "time": True},
                                          "indexByName": {}, "renameByName": {}}}  # fmt: skip
