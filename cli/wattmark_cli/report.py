"""``wattmark report``: one HTML file that opens offline and loads nothing from elsewhere."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from wattmark_cli.data import opened_store, saved_records
from wattmark_cli.options import Subparsers, add_command
from wattmark_cli.output import say, writing
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.figures import MISSING, PLAIN, SECONDS, accuracy, exact, figure, moment
from wattmark_core.labels import MEASURED_PHASES, counter
from wattmark_core.printable import printable
from wattmark_core.results import (
    ACCURACY_PER_PARAMETER,
    ENERGY_SCORE,
    NETSCORE,
    Boundary,
    Check,
    Score,
)
from wattmark_runner.records.model import RunRecord
from wattmark_runner.scoring.reading import read_curves
from wattmark_runner.views.advice import HOW_TO_MEASURE
from wattmark_runner.views.charts import extent, power_chart, score_chart, style_sheet
from wattmark_runner.views.power import CURVE_POINTS, own_windows, power_curve
from wattmark_runner.views.run_words import (
    Facts,
    WindowTexts,
    run_facts,
    source_text,
    window_texts,
)
from wattmark_scoring.ranking import RankedGroup, rank
from wattmark_scoring.score_words import (
    UNITS,
    CheckTexts,
    ScoreTexts,
    check_texts,
    score_texts,
)
from wattmark_scoring.words import worst_first
from wattmark_store import Store

ABOUT_HOST: Final = (
    ("CPU", "cpu_model"), ("CPUs", "cpus_visible"), ("kernel", "kernel"), ("machine", "machine"),
)  # fmt: skip
"""Label of each fact of a host in the head, and its name in a run's environment."""
BOUNDARY_EXPLAINED: Final = {
    Boundary.GPU: "gpu: the GPU's board alone",
    Boundary.CPU: "cpu: the CPU's package, and memory where it has a counter; nothing else",
    Boundary.HOST: "host: GPU, CPU package, and memory where it has a counter; nothing else",
}


def add_parser(subparsers: Subparsers) -> None:
    """The command's options."""
    parser = add_command(
        subparsers, "report", "wattmark report -o report.html", run,
    )  # fmt: skip
    add = parser.add_argument
    add("--run", dest="run_ids", action="append", default=[], metavar="RUN",
        help="only this run; may be repeated (default: all)")  # fmt: skip
    add("-o", "--output", type=Path, default=Path("report.html"), metavar="FILE",
        help="where to write (default: %(default)s)")  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Write the report of saved runs and print its path."""
    with opened_store(arguments.data) as store:
        records = saved_records(arguments.data, arguments.run_ids)
        write_report(arguments.output, records, store, title=f"Runs in {arguments.data}")
    if arguments.json:
        document = {"report": str(arguments.output), "runs": [r.run_id for r in records]}
        sys.stdout.write(json.dumps(document) + "\n")
    else:
        say(f"report   {arguments.output}")
    return 0


@dataclass(frozen=True, slots=True)
class _Row:
    """A score in words; ``rank`` None: it is not ranked."""

    rank: int | None
    score: Score
    texts: ScoreTexts


@dataclass(frozen=True, slots=True)
class _Group:
    """A ranked table and its chart."""

    title: str
    unranked: bool
    rows: tuple[_Row, ...]
    chart: Markup


@dataclass(frozen=True, slots=True)
class _Run:
    """A run as the report shows it. ``zero``: when the chart begins; empty without samples."""

    record: RunRecord
    boundary: str
    series: tuple[str, ...]
    chart: Markup
    zero: str
    windows: tuple[WindowTexts, ...]
    checks: tuple[tuple[Check, CheckTexts], ...]
    facts: Facts
    environment: Facts


def write_report(path: Path, records: Sequence[RunRecord], store: Store, *, title: str) -> None:
    """The report of ``records``; where samples are gone from ``store``, it says so.

    Raises ``ConfigurationError`` if the file cannot be written, ``StoreError``.
    """
    groups = rank(_scores(records, ENERGY_SCORE))
    page = _environment().get_template("report.html.j2").render(
        title=title,
        style_sheet=Markup(style_sheet()),  # noqa: S704 - made of constants
        made=moment(time.time_ns()),
        version=version("wattmark"),
        hosts=_hosts(records),
        estimated=any(group.estimated for group in groups),
        how_to_measure=HOW_TO_MEASURE,
        groups=[_group(group) for group in groups],
        sizes=_sizes(records),
        runs=[_run(record, store) for record in records],
    )  # fmt: skip
    with writing(path) as stream:
        stream.write(page)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("wattmark_cli", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters.update(moment=moment)
    environment.globals.update(MISSING=MISSING)
    return environment


def _shown(value: Any) -> Any:
    """What a page cannot hold (NUL, escape sequences, controls of direction) stands escaped."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _hosts(records: Sequence[RunRecord]) -> dict[str, Facts]:
    """Per host what the runs were measured on and with; several answers where it changed."""
    answers: dict[str, dict[str, dict[str, None]]] = {}
    for record in records:
        facts = answers.setdefault(record.host, {})
        for label, name in ABOUT_HOST:
            if name in record.environment:
                facts.setdefault(label, {})[record.environment[name]] = None
        for series in record.series:
            facts.setdefault("energy", {})[_source(series)] = None
        facts.setdefault("boundary", {})[BOUNDARY_EXPLAINED[record.request.main_boundary]] = None
    return {
        host: tuple((label, "; ".join(values)) for label, values in facts.items())
        for host, facts in sorted(answers.items())
    }


def _scores(records: Sequence[RunRecord], formula: str) -> list[Score]:
    return [score for r in records for score in r.scores if score.formula == formula]


def _group(group: RankedGroup) -> _Group:
    ranked = [_Row(n, score, score_texts(score)) for n, score in enumerate(group.ranked, start=1)]
    unranked = [_Row(None, score, score_texts(score)) for score in group.unranked]
    chart = score_chart(group.ranked, f"scores with 95 % intervals: {group.title}")
    return _Group(group.title, bool(unranked), (*ranked, *unranked), _drawn(chart))


def _drawn(chart: str) -> Markup:
    """A picture, whose texts are escaped where it is drawn."""
    return Markup(chart)  # noqa: S704


def _sizes(records: Sequence[RunRecord]) -> list[dict[str, str]]:
    """The paper's two scores that need no energy, a row per run."""
    rows = []
    for record in records:
        values = {score.formula: score.value for score in record.scores}
        rows.append(
            {
                "name": f"{record.request.model} {record.settings}".rstrip(),
                "parameters": figure(record.parameters, unit=PLAIN),
                "macs": figure(record.macs, unit=PLAIN),
                "accuracy": accuracy(record.accuracy, record.test_images),
                "per_parameter": figure(
                    values.get(ACCURACY_PER_PARAMETER), unit=UNITS[ACCURACY_PER_PARAMETER]
                ),
                "netscore": figure(values.get(NETSCORE), unit=PLAIN),
            }
        )
    return rows


def _run(record: RunRecord, store: Store) -> _Run:
    windows = own_windows(record)
    curves = [
        power_curve(series, data)
        for series, data in read_curves(record, windows, store, CURVE_POINTS)
    ]
    drawn = any(point is not None for curve in curves for point in curve.points)
    return _Run(
        record, record.request.main_boundary,
        tuple(f"{_source(s)}; T {exact(s.update_period_seconds, SECONDS)}, sees"
              f" {s.coverage_ratio:.0%} of the time" for s in record.series),
        _drawn(power_chart(curves, windows)), moment(extent(curves, windows)[0]) if drawn else "",
        tuple(window_texts(w) for w in windows if w.phase in MEASURED_PHASES),
        tuple((check, check_texts(check)) for check in worst_first(record.checks)),
        run_facts(record), tuple(record.environment.items()),
    )  # fmt: skip


def _source(series: EnergySeries) -> str:
    return f"{counter(series.domain, series.device)}: {source_text(series)}"
