"""Tables of one run: checks, repeats, forerunners, scores, windows."""

from typing import Final

from dashboards.colors import PHASES
from dashboards.columns import (
    LINKED,
    OPEN_RUN,
    between,
    column,
    hidden,
    narrow,
    to_run,
    verdict_column,
)
from dashboards.panels import RESULTS, Panel, exclude, ordered, sorted_by, table, tables, words
from dashboards.queries import results
from dashboards.run_panels import (
    BOUNDARIES,
    BOUNDARY,
    NO_RUN,
    NO_SCORE,
    RUN,
    STORED,
    WRAPPED,
)  # fmt: skip
from dashboards.score_queries import OF_ENERGY
from wattmark_core.labels import FORMULAS

SAME: Final = tuple(
    f'"{name}" = ${{{name}:singlequote}}' for name in ("variant", "place", "workload")
)
RED_IF_SAID: Final = {
    "type": "regex", "options": {"pattern": "/(.+)/", "result": {"text": "$1", "color": "red"}},
}  # fmt: skip


def checks() -> Panel:
    """In words, what did not pass first."""
    names = ("verdict", "check", "found", "allowed", "meaning", "rank")
    return table(
        "Checks", "What was found, what is allowed, and what it means; what did not pass first.",
        tables([results("check", names, RUN, BOUNDARY, timed=False)]), source=RESULTS, width=14,
        height=10,
        transformations=[sorted_by("rank", down=False), exclude("Time"), ordered(*names)],
        overrides=[
            verdict_column(**narrow(90)), column("check", **narrow(170)),
            column("found", **narrow(120)), column("allowed", **narrow(135)),
            column("meaning", "what it means", **WRAPPED), *hidden("rank"),
        ],
        empty=NO_SCORE,
    )  # fmt: skip


def repeats() -> Panel:
    """Of the measured windows, the outliers in red."""
    names = ("repeat", "energy_text", "deviation_ratio", "outlier", "watts", "seconds",
             "start_ms", "end_ms")  # fmt: skip
    zoom = to_run("Show this repeat", time=between("start_ms", "end_ms"), run="${run_id}")
    return table(
        "Repeats", "Energy per inference of each measured window with its 95 % interval. Repeats of"
        " an undisturbed run agree; one that is over 5 % off their median is an outlier.",
        tables([results("repeat", names, RUN, BOUNDARY, timed=False)]), source=RESULTS, width=10,
        height=10, transformations=[exclude("Time"), ordered(*names)],
        overrides=[
            column("repeat", "#", links=[zoom], **narrow(30)),
            column("energy_text", "energy per inference", **narrow(155)),
            column("deviation_ratio", "off median", unit="percentunit", decimals=1, **narrow(85)),
            column("outlier", mappings=[RED_IF_SAID], color={"mode": "fixed",
                   "fixedColor": "text"}, **{"custom.cellOptions": {"type": "color-text"}}),
            column("watts", "power", unit="watt", **narrow(70)),
            column("seconds", "took", unit="s", **narrow(60)),
            *hidden("start_ms", "end_ms"),
        ],
        empty=NO_SCORE,
    )  # fmt: skip


def earlier() -> Panel:
    """Of the same network, settings, place and boundary, newest first."""
    names = ("energy_text", "accuracy_text", "previous_text", "verdict", *LINKED)
    query = results("score", names, *SAME, BOUNDARY, OF_ENERGY, timed=False, newest=50)
    return table(
        "Runs of the same network", "With the same settings on the same host or GPU, newest first,"
        " each against the run before it. The link opens a run at its time." + STORED,
        tables([query]), source=RESULTS, width=12, height=8,
        transformations=[ordered("Time", *names)],
        overrides=[
            column("Time", "started", unit="dateTimeAsIso", links=[OPEN_RUN],
                   **narrow(160)),
            column("energy_text", "energy per inference", **narrow(165)),
            column("accuracy_text", "accuracy", **narrow(115)),
            column("previous_text", "energy against the run before"),
            verdict_column(**narrow(100)), *hidden(*LINKED),
        ],
        empty=NO_SCORE,
    )  # fmt: skip


def scores() -> Panel:
    """Every formula within every boundary."""
    names = ("boundary", "formula", "score_text", "energy_text", "verdict")
    return table(
        "Every score of the run", "By what is counted and by formula: accuracy² / energy,"
        " accuracy / parameters in % per million, NetScore in dB." + STORED,
        tables([results("score", names, RUN, timed=False)]), source=RESULTS, width=12, height=8,
        transformations=[sorted_by("boundary"), exclude("Time"), ordered(*names)],
        overrides=[
            column("boundary", "counts", mappings=[words(BOUNDARIES)], **narrow(130)),
            column("formula", "score",
                   mappings=[words({name: (text, "text") for name, text in FORMULAS.items()})]),
            column("score_text", "value"),
            column("energy_text", "energy per inference"), verdict_column(**narrow(90)),
        ],
        empty=NO_SCORE,
    )  # fmt: skip


def windows() -> Panel:
    """Each phase."""
    names = ("phase", "start_ms", "end_ms", "joules", "inferences", "correct", "complete",
             "overlapping", "clock")  # fmt: skip
    zoom = to_run("Show this window", time=between("start_ms", "end_ms"), run="${run_id}")
    known = {"true": ("whole", "text"), "false": ("a part: a lower bound", "orange")}
    alone = {"true": ("yes: not ranked", "red"), "false": ("no", "text")}
    return table(
        "Windows", "Every phase of the run; the link sets the time of the panels above.",
        tables([results("window", names, RUN, timed=False)]), source=RESULTS, height=9,
        transformations=[exclude("Time"), ordered(*names)],
        overrides=[
            column("phase", links=[zoom], mappings=[words({str(p): s for p, s in PHASES.items()})]),
            column("start_ms", "started", unit="dateTimeAsIso"),
            column("end_ms", "ended", unit="dateTimeAsIso"),
            column("joules", "energy", unit="joule"), column("inferences", unit="locale"),
            column("correct", unit="locale"),
            column("complete", "energy is", mappings=[words(known)]),
            column("overlapping", "shares its time", mappings=[words(alone)]),
            column("clock", "times by"),
        ],
        empty=NO_RUN,
    )  # fmt: skip
