"""``wattmark report``: one HTML file that opens offline, with nothing in it that is not said."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from wattmark_cli import tables
from wattmark_cli.charts import extent, power_chart, score_chart
from wattmark_cli.data import opened_store, saved_records
from wattmark_cli.display import MISSING, between, percent, plain, si
from wattmark_cli.options import Subparsers, add_command
from wattmark_cli.output import writing
from wattmark_core.catalogue import Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Boundary, Phase, Score, Window
from wattmark_core.units import joules_to_mwh
from wattmark_runner.records.model import RunRecord, main_boundary
from wattmark_runner.scoring.reading import read_curves
from wattmark_runner.views.advice import HOW_TO_MEASURE
from wattmark_runner.views.power import CURVE_POINTS, own_windows, power_curve
from wattmark_scoring.ranking import RankedGroup, rank
from wattmark_scoring.scores import ACCURACY_PER_PARAMETER, ENERGY_SCORE, NETSCORE
from wattmark_store import Store

MEASURED: Final = (Phase.INFERENCE, Phase.TRAINING)
ABOUT_HOST: Final = (
    ("CPU", "cpu_model"), ("CPUs", "cpus_visible"), ("kernel", "kernel"), ("machine", "machine"),
)  # fmt: skip
"""What the head says of a host, and the name of each in a run's environment."""
BOUNDARY_SAID: Final = {
    Boundary.GPU: "gpu: the GPU's board alone",
    Boundary.CPU: "cpu: the CPU's package, and memory where it has a counter; nothing else",
    Boundary.HOST: "host: GPU, CPU package, and memory where it has a counter; nothing else",
}
_SUPERSCRIPT: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def add_parser(subparsers: Subparsers) -> None:
    """The command's options."""
    parser = add_command(
        subparsers, "report", "Write one HTML file about runs; it opens without network.",
        "wattmark report -o report.html", run,
    )  # fmt: skip
    add = parser.add_argument
    add("--run", dest="run_ids", action="append", default=[], metavar="RUN",
        help="only this run; may be repeated (default: all)")  # fmt: skip
    add("-o", "--output", type=Path, default=Path("report.html"), metavar="FILE",
        help="where to write (default: %(default)s)")  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Write the report of saved runs and say where it is."""
    with opened_store(arguments.data) as store:
        records = saved_records(arguments.data, arguments.run_ids)
        write_report(arguments.output, records, store, title=f"Runs in {arguments.data}")
    if arguments.json:
        document = {"report": str(arguments.output), "runs": [r.run_id for r in records]}
        sys.stdout.write(json.dumps(document) + "\n")
    else:
        sys.stdout.write(f"report   {arguments.output}\n")
    return 0


@dataclass(frozen=True, slots=True)
class _Group:
    """A ranked table and its chart."""

    title: str
    estimated: bool
    ranked: tuple[Score, ...]
    unranked: tuple[Score, ...]
    chart: Markup


Facts = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Run:
    """What the page shows of one run. ``zero``: when the chart begins; empty without samples."""

    record: RunRecord
    boundary: str
    series: tuple[str, ...]
    chart: Markup
    zero: str
    phases: tuple[Phase, ...]
    windows: tuple[Window, ...]
    facts: Facts
    environment: Facts


def write_report(path: Path, records: Sequence[RunRecord], store: Store, *, title: str) -> None:
    """The report of ``records``, whose samples are still in ``store`` or are said to be gone.

    Raises ``ConfigurationError`` if the file cannot be written, ``StoreError``.
    """
    groups = rank(_scores(records, ENERGY_SCORE))
    page = _environment().get_template("report.html.j2").render(
        title=title,
        made=_utc(int(datetime.now(UTC).timestamp() * 1e9)),
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
    )
    environment.filters.update(
        si=si,
        percent=percent,
        plain=plain,
        troubles=tables.troubles,
        utc=_utc,
        mwh=_mwh,
        count=_count,
    )
    environment.globals.update(amount=_amount, between=between, MISSING=MISSING)
    return environment


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
        facts.setdefault("boundary", {})[BOUNDARY_SAID[main_boundary(record)]] = None
    return {
        host: tuple((label, "; ".join(values)) for label, values in facts.items())
        for host, facts in sorted(answers.items())
    }


def _scores(records: Sequence[RunRecord], formula: str) -> list[Score]:
    return [score for r in records for score in r.scores if score.formula == formula]


def _group(group: RankedGroup) -> _Group:
    title = tables.title(group)
    chart = score_chart(group.ranked, f"scores with 95 % intervals: {title}")
    return _Group(title, group.estimated, group.ranked, group.unranked, chart)


def _sizes(records: Sequence[RunRecord]) -> list[dict[str, Any]]:
    """The paper's two scores that need no energy, a row per run."""
    rows = []
    for record in records:
        values = {score.formula: score.value for score in record.scores}
        rows.append(
            {
                "name": f"{record.request.model} {record.settings}".rstrip(),
                "parameters": record.parameters,
                "macs": record.macs,
                "accuracy": record.accuracy,
                "per_parameter": values.get(ACCURACY_PER_PARAMETER),
                "netscore": values.get(NETSCORE),
            }
        )
    return rows


def _run(record: RunRecord, store: Store) -> _Run:
    windows = own_windows(record)
    curves = [
        power_curve(series, data)
        for series, data in read_curves(record, windows, store, CURVE_POINTS)
    ]
    title = f"power over time of {record.request.model}, windows shaded by phase"
    drawn = any(point is not None for curve in curves for point in curve.points)
    return _Run(
        record, main_boundary(record),
        tuple(f"{_source(s)}; T {si(s.update_period_seconds, 's')}, sees"
              f" {s.coverage_ratio:.0%} of the time" for s in record.series),
        power_chart(curves, windows, title), _utc(extent(curves, windows)[0]) if drawn else "",
        tuple(phase for phase in Phase if any(w.phase is phase for w in windows)),
        tuple(w for w in windows if w.phase in MEASURED), _facts(record),
        tuple(record.environment.items()),
    )  # fmt: skip


def _facts(record: RunRecord) -> Facts:
    """How it was run: what was asked for, and the constants behind its numbers."""
    asked = record.request
    before, after = si(asked.idle_before_seconds, "s"), si(asked.idle_after_seconds, "s")
    facts = {
        "run": record.run_id,
        "host, boot": f"{record.host}, {record.boot_id}",
        "state": f"{record.state}{': ' + record.reason if record.reason else ''}",
        "started": _utc(record.started_ns),
        "ended": MISSING if record.ended_ns is None else _utc(record.ended_ns),
        "workload": f"{asked.workload}, {_count(record.test_images)} test images",
        "device": asked.gpu or "CPU",
        "repeats": str(asked.repeats),
        "least window": "as the sensor needs" if asked.seconds is None else si(asked.seconds, "s"),
        "warm-up": si(asked.warmup_seconds, "s"),
        "own idle baselines": f"{before} before, {after} after",
        **{name.replace("_", " "): str(value) for name, value in asked.parameters.items()},
        **{name: plain(value) for name, value in record.constants.items()},
    }
    return tuple(facts.items())


def _source(series: EnergySeries) -> str:
    label = f", {series.label}" if series.label else ""
    method = series.method.upper() if series.method is Method.ESTIMATED else series.method
    return f"{series.domain} {series.device}: {method} from {series.source}{label}"


def _mwh(joules: float | None) -> str:
    """In the score's unit: ``2.34 × 10⁻⁶ mWh`` where that is short of a thousandth."""
    if joules is None:
        return MISSING
    mantissa, _, exponent = f"{joules_to_mwh(joules):.3g}".partition("e")
    power = f" × 10{str(int(exponent)).translate(_SUPERSCRIPT)}" if exponent else ""
    return f"{mantissa}{power} mWh"


def _amount(value: float | None, unit: str) -> str:
    """A check's value or limit with its unit; a missing one is a dash alone."""
    return MISSING if value is None else f"{plain(value)} {unit}".rstrip()


def _count(number: int | None) -> str:
    """A count in full; a missing one is a dash, never a zero."""
    return MISSING if number is None else f"{number:,}"


def _utc(time_ns: int) -> str:
    """ISO 8601 in UTC, to the second."""
    return f"{datetime.fromtimestamp(time_ns / 1e9, UTC):%Y-%m-%dT%H:%M:%SZ}"
