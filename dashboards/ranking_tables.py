"""Tables of scores: ranked, networks by hosts, and those of the paper."""

from typing import Final

from dashboards.columns import (
    LINKED,
    OPEN_RUN,
    column,
    hidden,
    method_column,
    narrow,
    verdict_column,
)
from dashboards.panels import (
    RESULTS,
    WIDTH,
    Json,
    Panel,
    exclude,
    ordered,
    sorted_by,
    table,
    tables,
)  # fmt: skip
from dashboards.queries import PLACE, last_scores, results
from dashboards.score_queries import OF_ENERGY, RANKABLE, best_scores
from wattmark_core.labels import FORMULAS
from wattmark_core.results import ACCURACY_PER_PARAMETER, NETSCORE

# One workload at a time: accuracy and energy of different ones are not comparable.
SAME: Final = (
    '"workload" = ${workload:singlequote}', '"boundary" = ${boundary:singlequote}',
)  # fmt: skip
CHOSEN: Final = (*SAME, '"formula" = ${formula:singlequote}')
REFERENCE: Final = '"place" = ${reference:singlequote}'
OTHERS: Final = '"place" <> ${reference:singlequote}'
# Scores that rest on no energy have no method, and InfluxQL finds nothing unlike what is not there.
SIZES: Final = " OR ".join(f"\"formula\" = '{name}'" for name in (ACCURACY_PER_PARAMETER, NETSCORE))
MEASURED: Final = f"(\"method\" <> 'estimated' OR {SIZES}) AND {RANKABLE}"
ESTIMATED: Final = f"\"method\" = 'estimated' AND {RANKABLE}"
INVALID: Final = "\"verdict\" = 'invalid'"
ENERGY: Final = "joules_per_inference"
TEXTS: Final = ("energy_text", "accuracy_text", "score_text", "verdict", *LINKED)
TABLE_I: Final = (
    "watts", "cpu_utilization_ratio", "memory_used_bytes", "gpu_utilization_ratio",
    "gpu_memory_used_bytes", "method", *LINKED, "test_images", "inferences_per_second",
)  # fmt: skip
ONE_PASS: Final = {
    "one pass": '"test_images" / "inferences_per_second"',
    "energy of a pass": '"joules_per_inference" * "test_images"',
}
NONE_MEASURED: Final = (
    "No measured score in this time: choose another workload, Counts or host; what was estimated"
    " from CPU time is in the row Estimated below."
)
NO_RUN: Final = "No run in this time: choose another workload or Counts."
NO_OTHER: Final = (
    "No other host or GPU has a score of a network of this one: choose another in Compared to."
)
TIMES: Final = "prefix:×"


def ranked() -> Panel:
    """Best first, with its rank and its ratio to the first."""
    chosen = (*CHOSEN, PLACE, MEASURED)
    shown = ("#", "variant", "place", *TEXTS[:3], "times 1st", "verdict")
    return table(
        "Ranked", "The newest score of each network with its settings on each host or GPU, best"
        " first, with 95 % intervals; networks whose intervals overlap may still be told apart: the"
        " runner's page says so. Warned scores are ranked and marked. The link opens the run. A run"
        " that was scored before these words were stored gets them when it is scored again.",
        tables([last_scores(TEXTS, *chosen, by=("workload", "place", "variant")),
                best_scores(*chosen)]),
        source=RESULTS, width=15, height=14,
        transformations=[
            _without_time("B"), *_beside("workload", "score", "best"), sorted_by("score"),
            {"id": "calculateField", "options": {"mode": "index", "alias": "row",
                                                 "index": {"asPercentile": False}}},
            _binary("row", "+", "1", "#"), _binary("score", "/", "best", "times 1st"),
            exclude("row", "best", "workload", "score"), ordered(*shown),
        ],
        overrides=[
            column("#", decimals=0, **narrow(35)),
            *_score_columns(), column("times 1st", "of the 1st", unit=TIMES, **narrow(75)),
        ],
        empty=NONE_MEASURED,
    )  # fmt: skip


def estimated(*, empty: str) -> Panel:
    """Host by host, best first; no rank over hosts."""
    query = last_scores(TEXTS, *CHOSEN, PLACE, ESTIMATED, by=("place", "variant"))
    return table(
        "Estimated scores", "From CPU time, within a factor of two either way that is the same for"
        " all networks of a host: they can be compared with one another, and with nothing else.",
        tables([query]), source=RESULTS, width=15, height=14,
        transformations=[
            sorted_by("score"), sorted_by("place", down=False), exclude("score"),
            ordered("place", "variant", *TEXTS[:3], "verdict"),
        ],
        overrides=_score_columns(), empty=empty,
    )  # fmt: skip


def _score_columns() -> list[Json]:
    """What two tables show of a score."""
    return [
        column("variant", "network", links=[OPEN_RUN], **narrow(130)),
        column("place", "host", **{"custom.filterable": True}),
        column("energy_text", "energy per inference", **narrow(160)),
        column("accuracy_text", "accuracy", **narrow(110)),
        column("score_text", "score", **narrow(150)),
        verdict_column(**narrow(90)), *hidden("Time", *LINKED),
    ]  # fmt: skip


def every_run() -> Panel:
    """Newest first."""
    names = ("variant", "place", "energy_text", "verdict", *LINKED)
    return table(
        "Runs", "Every run of what is chosen above, newest first; the link opens it at its time.",
        tables([results("score", names, *SAME, OF_ENERGY, PLACE)]), source=RESULTS, height=8,
        transformations=[sorted_by("Time"), ordered(*names[:4], "Time")],
        overrides=[
            *_score_columns()[:3], verdict_column(**narrow(90)),
            column("Time", "started", unit="dateTimeAsIso", **narrow(170)), *hidden(*LINKED),
        ],
        empty=NO_RUN,
    )  # fmt: skip


def energies() -> Panel:
    """Networks by hosts, J: of any formula."""
    return _matrix(
        "Energy per inference by network and host", ENERGY, "joule",
        last_scores((), *SAME, OF_ENERGY, PLACE, MEASURED, by=("place", "variant"), of=ENERGY),
        NONE_MEASURED,
    )  # fmt: skip


def scores() -> Panel:
    """Networks by hosts."""
    return _matrix(
        "Score by network and host", "score", "short",
        last_scores((), *CHOSEN, PLACE, MEASURED, by=("place", "variant")), NONE_MEASURED,
    )  # fmt: skip


def every_formula() -> Panel:
    """A row for each network, a column for each formula: the paper's Table II."""
    query = last_scores((), *SAME, REFERENCE, MEASURED, by=("formula", "variant"))
    return table(
        "Every score on ${reference}", "As the paper's Table II: the newest value of each formula;"
        " accuracy² / energy per mWh, accuracy / parameters in % per million, NetScore in dB. Click"
        " a column's head to rank by it. Measured only.", tables([query]), source=RESULTS, height=9,
        unit="short", transformations=_to_matrix("formula", "score"), empty=NONE_MEASURED,
        overrides=[column("variant\\formula", "network"),
                   *(column(formula, words) for formula, words in FORMULAS.items())],
    )  # fmt: skip


def energy_ratios() -> Panel:
    """Other hosts' to the reference's."""
    return _ratios("Energy per inference", ENERGY, (*SAME, OF_ENERGY))


def score_ratios() -> Panel:
    """Other hosts' to the reference's."""
    return _ratios("Score", "value", CHOSEN)


def _ratios(title: str, name: str, chosen: tuple[str, ...]) -> Panel:
    """The reference is divided by, not shown; a host without a common network has no column."""
    shown = "score" if name == "value" else name
    own = last_scores((), *chosen, PLACE, OTHERS, MEASURED, by=("variant", "place"), of=name)
    reference = last_scores((), *chosen, REFERENCE, MEASURED, by=("variant",), of=name,
                            rename="reference_{}")  # fmt: skip
    return table(
        f"{title}, times that of ${{reference}}", "Of each network on each other host or GPU, as"
        " the paper's Table III; a dash where one of both has none. Measured only.",
        tables([own, reference]), source=RESULTS, width=12, height=9, unit=TIMES,
        transformations=[
            _without_time("B"), *_beside("variant", shown, f"reference_{shown}"),
            *_to_matrix("place", shown, "/", f"reference_{shown}"),
        ],
        overrides=[column("variant\\place", "network"), column("variant", "network"),
                   column("place", "host"), *hidden("Time", shown, f"reference_{shown}")],
        empty=NO_OTHER,
    )  # fmt: skip


def _matrix(title: str, value: str, unit: str, query: str, empty: str) -> Panel:
    """A row for each network and settings, a column for each host or GPU. The query has a value in
    each of its rows, so that what is missing is a dash."""
    return table(
        title, "The newest of each network on each host or GPU, of what is chosen in Counts."
        " Measured only.", tables([query]), source=RESULTS, width=12, height=9, unit=unit,
        transformations=_to_matrix("place", value), empty=empty,
        overrides=[column("variant\\place", "network")],
    )  # fmt: skip


def _to_matrix(columns: str, value: str, operator: str = "*", by: str = "1") -> list[Json]:
    """The value is computed again: the name that the data source gave its column would else head
    every column of the matrix. A null would be computed as 0: no row may have one."""
    matrix = {"columnField": columns, "rowField": "variant", "valueField": "cell",
              "emptyValue": "null"}  # fmt: skip
    return [
        _binary(value, operator, by, "cell"), {"id": "groupingToMatrix", "options": matrix},
        sorted_by(f"variant\\{columns}", down=False),
    ]  # fmt: skip


def _beside(key: str, *needed: str) -> list[Json]:
    """Put the second query's one row for each ``key`` beside all of the first's that agree in it,
    and leave out what has no partner."""
    filters = [{"fieldName": name, "config": {"id": "isNotNull", "options": {}}} for name in needed]
    return [
        {"id": "joinByField", "options": {"byField": key, "mode": "outerTabular"}},
        {"id": "filterByValue", "options": {"type": "include", "match": "all", "filters": filters}},
    ]


def _without_time(query: str) -> Json:
    """Leave the time out of one query's rows: of two, links would take either."""
    return exclude("Time") | {"filter": {"id": "byRefId", "options": query}}


def _binary(left: str, operator: str, right: str, alias: str) -> Json:
    binary = {"left": left, "operator": operator, "right": right, "reducer": "sum"}
    return {"id": "calculateField", "options": {"mode": "binary", "alias": alias, "binary": binary}}


def invalid() -> Panel:
    """With what is wrong."""
    names = ("variant", "place", "findings", *LINKED)
    return table(
        "Invalid scores", "Not ranked; what was found is why.",
        tables([results("score", names, *CHOSEN, PLACE, INVALID)]), source=RESULTS, height=7,
        transformations=[sorted_by("Time"), ordered(*names[:3], "Time")],
        overrides=[
            column("variant", "network", links=[OPEN_RUN],
                   **narrow(300)),
            column("place", "host", **narrow(250)), column("findings", "why"),
            column("Time", "started", unit="dateTimeAsIso", **narrow(170)), *hidden(*LINKED),
        ],
        empty="No invalid score in this time: nothing is left out.",
    )  # fmt: skip


def table_one() -> Panel:
    """One pass over the test set."""
    query = last_scores(TABLE_I, *SAME, OF_ENERGY, PLACE, RANKABLE, by=("place", "variant"),
                        of=ENERGY, computed=ONE_PASS)  # fmt: skip
    return table(
        "Time, power, energy and use of the machine", "As the paper's Table I: one pass over the"
        " test set; use and memory of the whole machine and of the GPU in use. Estimated energy is"
        " called so; runs without an accuracy are here, too.", tables([query]), source=RESULTS,
        width=WIDTH, height=9,
        transformations=[
            sorted_by("variant", down=False),
            ordered("variant", "place", *ONE_PASS, "watts", *TABLE_I[1:6]),
        ],
        overrides=[
            column("variant", "network", links=[OPEN_RUN],
                   **narrow(250)),
            column("place", "host"), column("one pass", unit="s", **narrow(110)),
            column("energy of a pass", unit="joule", **narrow(140)),
            column("watts", "power", unit="watt", **narrow(110)),
            *(column(f"{kind}utilization_ratio", f"{title} use", unit="percentunit", **narrow(110))
              for kind, title in (("cpu_", "CPU"), ("gpu_", "GPU"))),
            column("memory_used_bytes", "memory", unit="bytes", **narrow(110)),
            column("gpu_memory_used_bytes", "GPU memory", unit="bytes", **narrow(120)),
            method_column(),
            *hidden("Time", *LINKED, "test_images", "inferences_per_second", ENERGY),
        ],
        empty=NO_RUN,
    )  # fmt: skip
