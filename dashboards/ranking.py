"""Scores by model and host, as in the paper's Tables I to III; estimated apart from measured."""

from typing import Any, Final

from dashboards.board import dashboard
from dashboards.columns import column, link, method_column, verdict_column
from dashboards.live_host import runs_table
from dashboards.panels import RESULTS, WIDTH, Json, Panel, bars, table, target, text
from dashboards.queries import PLACE, last_scores, results, tag_values
from dashboards.variables import query_variable, results_variable
from wattmark_scoring.scores import ACCURACY_PER_PARAMETER, ENERGY_SCORE, NETSCORE

# One workload at a time: accuracy and energy of different ones are not comparable.
SAME: Final = ("\"workload\" = '${workload:raw}'", "\"boundary\" = '${boundary:raw}'")
CHOSEN: Final = (*SAME, "\"formula\" = '${formula:raw}'")
OF_ENERGY: Final = (*SAME, f"\"formula\" = '{ENERGY_SCORE}'")
ONE_PLACE: Final = "\"place\" = '${place:raw}'"
REFERENCE: Final = "\"place\" = '${reference:raw}'"
FIT: Final = "\"verdict\" <> 'invalid'"
# Scores that rest on no energy have no method, and InfluxQL finds nothing unlike what is not there.
SIZES: Final = " OR ".join(f"\"formula\" = '{name}'" for name in (ACCURACY_PER_PARAMETER, NETSCORE))
MEASURED: Final = f"(\"method\" <> 'estimated' OR {SIZES}) AND {FIT}"
ESTIMATED: Final = f"\"method\" = 'estimated' AND {FIT}"
INVALID: Final = "\"verdict\" = 'invalid'"
GROUPS: Final = ("place", "variant")
COLUMNS: Final = (
    "low", "high", "accuracy", "joules_per_inference", "joules_per_inference_low",
    "joules_per_inference_high", "method", "verdict", "boundary", "run_id",
)  # fmt: skip
TABLE_I: Final = (
    "test_images", "inferences_per_second", "watts", "cpu_utilization_ratio", "memory_used_bytes",
    "method", "verdict", "run_id",
)  # fmt: skip
ONE_PASS: Final = {
    "inference time": '"test_images" / "inferences_per_second"',
    "total energy": '"joules_per_inference" * "test_images"',
}
INVALID_COLUMNS: Final = (
    "place", "variant", "workload", "boundary", "formula", "verdict", "invalid_checks", "run_id",
)  # fmt: skip
# A score keeps its run's start only: an hour before and after it is shown.
RUN_LINK: Final = link(
    "Open the run", time="time=${__data.fields.Time.numeric}&time.window=7200000"
)
NONE_MEASURED: Final = "no measured score in this time: choose another workload or boundary"
NOTE: Final = (
    "Scores of **${formula}** within the boundary **${boundary}**; workload **${workload}**."
    " Measured and estimated energy are never ranked together: the upper tables hold what was"
    " measured, the lower what was estimated from CPU time, which is good for comparing models on"
    " one host only. Scores of different boundaries are not comparable."
)


def make() -> Json:
    """The dashboard."""
    return dashboard(
        "wattmark-ranking", "Wattmark: ranking", "Scores by model and host, measured apart from"
        " estimated.",
        [
            [text("What is compared", "Boundary, score and workload of all tables below.", NOTE)],
            [_ranked("Measured: scores", MEASURED, NONE_MEASURED)],
            [_table_one()],
            [_table_one_gpus(), _formulas()],
            [_matrix("Energy per inference by model and host", "joules_per_inference", "joule"),
             _matrix("Score by model and host", "score", "none")],
            [_bars("Score of each model", "score", "none"),
             _bars("Energy per inference of each model", "joules_per_inference", "joule")],
            [_ratios()],
            [_ranked("Estimated: scores on ${reference}, relative only",
                     f"{ESTIMATED} AND {REFERENCE}", "no estimated score in this time")],
            [_invalid()],
            [runs_table(SAME[0])],
        ],
        [
            results_variable(),
            query_variable("workload", "Workload", RESULTS, tag_values("score", "workload")),
            query_variable("boundary", "Boundary", RESULTS, tag_values("score", "boundary")),
            query_variable("formula", "Score", RESULTS, tag_values("score", "formula")),
            query_variable("place", "Hosts, GPUs", RESULTS, tag_values("score", "place"),
                           multi=True, everything=True),
            query_variable("reference", "Ratios to", RESULTS, tag_values("score", "place")),
        ],
        since="now-2y", refresh="",
    )  # fmt: skip


def score_columns() -> list[Json]:
    """Units, colors and links of a table of scores."""
    ends = ("", "_low", "_high")
    return [
        column("accuracy", unit="percentunit"), column("run_id", links=[RUN_LINK]),
        *(column(f"joules_per_inference{end}", unit="joule") for end in ends),
        column("watts", unit="watt"), column("Time", unit="dateTimeAsIso"),
        column("inference time", unit="s"), column("total energy", unit="joule"),
        *(column(name, unit="percentunit")
          for name in ("cpu_utilization_ratio", "gpu_utilization_ratio")),
        *(column(name, unit="bytes") for name in ("memory_used_bytes", "gpu_memory_used_bytes")),
        verdict_column(), method_column(),
    ]  # fmt: skip


def _ranked(title: str, where: str, empty: str) -> Panel:
    query = last_scores(COLUMNS, *CHOSEN, PLACE, where, by=GROUPS)
    return table(
        title, "The newest of each model on each host, with the same settings, best first, with"
        " interval, boundary and method. Warned scores are ranked and marked.", "none",
        [target(query, table=True)],
        source=RESULTS, height=9, transformations=[_sorted("score")], overrides=score_columns(),
        empty=empty,
    )  # fmt: skip


def _invalid() -> Panel:
    query = results("score", INVALID_COLUMNS, *CHOSEN, PLACE, INVALID)
    return table(
        "Invalid: scores, not ranked", "With the checks that failed, value beside limit.", "none",
        [target(query, table=True)], source=RESULTS, height=7, overrides=score_columns(),
        empty="no invalid score in this time",
    )  # fmt: skip


def _table_one() -> Panel:
    query = last_scores(
        TABLE_I, *OF_ENERGY, PLACE, FIT, by=GROUPS, of="joules_per_inference", computed=ONE_PASS
    )
    return table(
        "Time, power, energy and use of the machine", "As the paper's Table I: one pass over the"
        " test set; use and memory of the whole machine. Estimated energy is called so; runs"
        " without accuracy are here, too.", "none", [target(query, table=True)], source=RESULTS,
        height=9, transformations=[_sorted("variant", down=False)],
        overrides=[*score_columns(), column("Time", **{"custom.hidden": True})],
        empty="no run in this time: choose another workload or boundary",
    )  # fmt: skip


def _table_one_gpus() -> Panel:
    """Apart, because 9.4 leaves out rows with an empty cell."""
    names = ("gpu_memory_used_bytes", "run_id")
    query = last_scores(names, *OF_ENERGY, PLACE, by=GROUPS, of="gpu_utilization_ratio")
    return table(
        "Use of the GPUs", "As the paper's Table I: means over the measured windows.", "none",
        [target(query, table=True)], source=RESULTS, height=9, width=12,
        transformations=[_sorted("variant", down=False)],
        overrides=[*score_columns(), column("Time", **{"custom.hidden": True})],
        empty="no run on a GPU in this time",
    )  # fmt: skip


def _formulas() -> Panel:
    """A row for each model, a column for each formula."""
    query = last_scores((), *SAME, REFERENCE, MEASURED, by=("formula", "variant"))
    return table(
        "Every score of a model on ${reference}", "As the paper's Table II: the newest value of"
        " each formula. Click a column's head to rank by it. Measured only.", "none",
        [target(query, table=True)], source=RESULTS, width=12, height=9,
        transformations=_to_matrix("formula", "score"), empty=NONE_MEASURED,
    )  # fmt: skip


def _matrix(title: str, value: str, unit: str) -> Panel:
    """A row for each model and settings, a column for each host or GPU: the paper's Table III."""
    return table(
        title, "As the paper's Table III: the newest of each model on each host, within the"
        " boundary chosen above. Measured only.", unit, [_by_host()],
        source=RESULTS, width=12, height=9, transformations=_to_matrix("place", value),
        empty=NONE_MEASURED,
    )  # fmt: skip


def _bars(title: str, value: str, unit: str) -> Panel:
    return bars(
        title, "Measured only, within the boundary chosen above; a bar for each host.", unit,
        [_by_host()], "variant\\place", source=RESULTS, height=9,
        transformations=_to_matrix("place", value), empty=NONE_MEASURED,
    )  # fmt: skip


def _by_host() -> Json:
    query = last_scores(("joules_per_inference",), *CHOSEN, PLACE, MEASURED, by=GROUPS)
    return target(query, table=True)


def _ratios() -> Panel:
    """Of one host to the reference; a panel for each host."""
    names = ("joules_per_inference",)
    own = last_scores(names, *CHOSEN, ONE_PLACE, MEASURED, by=("variant",))
    reference = last_scores(
        names, *CHOSEN, REFERENCE, MEASURED, by=("variant",), rename="reference_{}"
    )
    joined = {"id": "joinByField", "options": {"byField": "variant", "mode": "outer"}}
    return table(
        "${place} ÷ ${reference}", "Energy per inference and score of each model, divided by the"
        " chosen host's, as in the paper's Table III. Measured only.", "none",
        [target(own, table=True), target(reference, table=True, ref="B")], source=RESULTS,
        width=WIDTH, height=8, repeat="place",
        transformations=[
            joined,
            _quotient("joules_per_inference", "reference_joules_per_inference", "energy ratio"),
            _quotient("score", "reference_score", "score ratio"),
            _without("Time", "Time 1", "Time 2"),
        ],
        overrides=[column("joules_per_inference", unit="joule"),
                   column("reference_joules_per_inference", unit="joule")],
        empty=NONE_MEASURED,
    )  # fmt: skip


def _quotient(left: str, right: str, name: str) -> Json:
    binary: dict[str, Any] = {"left": left, "operator": "/", "right": right, "reducer": "sum"}
    return {"id": "calculateField", "options": {"mode": "binary", "alias": name, "binary": binary}}


def _sorted(name: str, *, down: bool = True) -> Json:
    return {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": name, "desc": down}]}}


def _to_matrix(columns: str, value: str) -> list[Json]:
    """A row for each model. The value is computed anew first: the name that the data source gives
    its column would else head every column of the matrix."""
    binary = {"left": value, "operator": "*", "right": "1", "reducer": "sum"}
    anew = {"mode": "binary", "alias": "cell", "binary": binary}
    matrix = {"columnField": columns, "rowField": "variant", "valueField": "cell",
              "emptyValue": "null"}  # fmt: skip
    return [
        {"id": "calculateField", "options": anew},
        {"id": "groupingToMatrix", "options": matrix},
    ]


def _without(*names: str) -> Json:
    return {"id": "organize", "options": {"excludeByName": dict.fromkeys(names, True),
                                          "indexByName": {}, "renameByName": {}}}  # fmt: skip
