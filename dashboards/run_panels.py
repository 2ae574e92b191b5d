"""Panels of one run. What is stored with its results is shown at any time; lines over time have the
time that is chosen, to which a link leads."""

from dataclasses import replace
from typing import Any, Final

from dashboards import live_host
from dashboards.colors import DOMAINS, ESTIMATED, VERDICTS
from dashboards.columns import (
    between,
    column,
    hidden,
    method_column,
    narrow,
    to_run,
)  # fmt: skip
from dashboards.panels import (
    DASH,
    RESULTS,
    Json,
    Panel,
    exclude,
    joined,
    lines,
    ordered,
    shares,
    stat,
    table,
    tables,
    target,
    words,
)  # fmt: skip
from dashboards.queries import gauge, results, runs
from dashboards.score_queries import OF_ENERGY, curves
from dashboards.spans import SAMPLES, each
from wattmark_core import labels
from wattmark_core.labels import WHOLE_CPU

RUN: Final = '"run_id" = ${run_id:singlequote}'
BOUNDARY: Final = '"boundary" = ${boundary:singlequote}'
HEADLINE: Final = (RUN, BOUNDARY, OF_ENERGY)
OTHER_TIME: Final = (
    "The run is not in the shown time: its name in What ran, above, shows its own time."
)
NO_RUN: Final = "No run is chosen, or there is none yet: start one on the runner's page."
NO_SCORE: Final = (
    "The run has no score yet: it waits, runs, or failed. The runner's page says which, and why."
)
STORED: Final = (
    " A run that was scored before these words were stored gets them when it is scored again."
)
BOUNDARIES: Final = {str(name): (counts, "text") for name, counts in labels.BOUNDARIES.items()}
WRAPPED: Final = {"custom.cellOptions": {"type": "auto", "wrapText": True}, "custom.inspect": True}
"""A sentence: releases that do not wrap it show the whole on a click."""
BLANK: Final = {"type": "special", "options": {"match": "empty", "result": {"text": DASH}}}


def cost() -> list[Panel]:
    """The first row: energy, accuracy, score, power, verdict."""
    return [
        _text("Energy per inference", "energy_text", 6, "Mean of the measured windows with its 95 %"
              " interval, within what is chosen in Counts."),
        _text("Accuracy", "accuracy_text", 5, "Of the test images, with the 95 % interval for other"
              " images of the same kind."),
        _text("Score, accuracy² / energy", "score_text", 5, "Square of the accuracy per"
              " energy of an inference, with its 95 % interval."),
        stat("Mean power", "Of what is counted, over the measured windows.", "watt",
             tables([results("score", ("watts",), *HEADLINE, timed=False)]), source=RESULTS,
             field="watts", height=3, empty=NO_SCORE),
        stat("Verdict", "Warned: ranked, with doubts. Invalid: not ranked. Checks say why.", "none",
             tables([results("score", ("verdict",), *HEADLINE, timed=False)]), source=RESULTS,
             field="verdict", height=3, empty=NO_SCORE,
             defaults={"mappings": [words({str(v): text for v, text in VERDICTS.items()})]}),
    ]  # fmt: skip


def _text(title: str, name: str, width: int, description: str) -> Panel:
    """A text that is stored with the score, large."""
    query = results("score", (name,), *HEADLINE, timed=False)
    return stat(title, description + STORED, "none", tables([query]), source=RESULTS, field=name,
                width=width, height=3, empty=NO_SCORE)  # fmt: skip


def what_ran() -> Panel:
    """Network, data, settings, host, time; one line."""
    names = ("run_id", "model", "workload", "settings", "gpu", "boundary", "method")
    zoom = to_run("Show this run's own time", time=between("start_ms", "end_ms"))
    took = {"left": "end_ms", "operator": "-", "right": "start_ms", "reducer": "sum"}
    return table(
        "What ran", "The link of its name sets the time of Phases and Power to the run's own.",
        tables([results("score", names, *HEADLINE, timed=False), runs(RUN, timed=False)]),
        source=RESULTS, height=4,
        transformations=[
            *joined("run_id"),
            {"id": "calculateField", "options": {
                "mode": "binary", "alias": "took", "binary": took}},
            ordered("model", "workload", "settings", "host", "gpu", "boundary", "method",
                    "start_ms", "took", "run_id"),
        ],
        overrides=[
            column("model", "network"), column("workload", **narrow(110)),
            column("settings", mappings=[BLANK], **narrow(140)), column("host", **narrow(140)),
            column("gpu", "GPU", mappings=[BLANK], **narrow(140)),
            column("boundary", "counts", mappings=[words(BOUNDARIES)], **narrow(155)),
            method_column(), column("start_ms", "started", unit="dateTimeAsIso", **narrow(165)),
            column("took", unit="ms", **narrow(90)),
            column("run_id", "run", links=[zoom], **narrow(270)), *hidden("end_ms"),
        ],
        empty=NO_RUN,
    )  # fmt: skip


def findings() -> Panel:
    """What made it doubtful, and the run before it; one line."""
    query = results("score", ("findings", "previous_text"), *HEADLINE, timed=False)
    return table(
        "Is it sure?", "What did not pass, worst first; and the energy per inference against that"
        " of the run before with the same network, settings, place and counting." + STORED,
        tables([query]), source=RESULTS, height=4, transformations=[exclude("Time")],
        overrides=[
            column("findings", "what was found", **WRAPPED),
            column("previous_text", "energy against the run before", **narrow(420)),
        ],
        empty=NO_SCORE,
    )  # fmt: skip


def phases() -> Panel:
    """What was done when."""
    return replace(live_host.phases(RUN), empty=OTHER_TIME)


def power() -> Panel:
    """From the curves that are kept with the results."""
    return lines(
        "Power", "Of each counter of the run, as it is kept with the results when the samples are"
        " gone: the mean since the point before, so that the area is the energy. Core and uncore"
        " lie inside the package and are left out.", "watt",
        [target(curves(RUN), "$tag_domain $tag_device $tag_method")], source=RESULTS, width=24,
        height=8, custom={"lineInterpolation": "stepBefore"},
        transformations=_named_domains(), overrides=_colored_domains(), empty=OTHER_TIME,
    )  # fmt: skip


def _named_domains() -> list[Json]:
    """A series' name from its tags; of a GPU's UUID the first eight digits, and of the one CPU of a
    machine no second word."""
    made = []
    for domain, (name, _) in DOMAINS.items():
        device = r"(?:GPU-)?(\S{1,8})\S*" if domain == "gpu" else r"(\S+)"
        for methods, suffix in (("(?:counter|integrated)", ""), ("estimated", f" {ESTIMATED}")):
            named = {"regex": f"/^{domain} {device} {methods}$/",
                     "renamePattern": f"{name} $1{suffix}"}  # fmt: skip
            whole = {"regex": f"/^{name} {WHOLE_CPU}{suffix}$/",
                     "renamePattern": f"{name}{suffix}"}  # fmt: skip
            made += [{"id": "renameByRegex", "options": each} for each in (named, whole)]
    return made


def _colored_domains() -> list[Json]:
    dashed = {"custom.lineStyle": {"fill": "dash", "dash": [8, 6]}}
    return [
        *(_series(f"/^{name}/", color={"mode": "fixed", "fixedColor": color})
          for name, color in DOMAINS.values()),
        _series(f"/{ESTIMATED}$/", **dashed),
    ]  # fmt: skip


def _series(regex: str, **properties: Any) -> Json:
    return {
        "matcher": {"id": "byRegexp", "options": regex},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }


def use() -> Panel:
    """From the samples, which are kept for 14 days, then their one-minute means."""
    cpu = each(SAMPLES, lambda span: gauge("cpu", "utilization_ratio", (), span))
    gpu = each(SAMPLES, lambda span: gauge("gpu", "utilization_ratio", ("gpu", "model"), span))
    return shares(
        "Use", "Share of all CPUs' time spent on work, and of the time in which a kernel ran on"
        " each GPU, of the whole host.",
        [*(target(query, "CPU") for query in cpu),
         *(target(query, "GPU $tag_gpu $tag_model") for query in gpu)],
        width=24, least="1s", empty=OTHER_TIME,
    )  # fmt: skip
