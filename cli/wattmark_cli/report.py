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
from wattmark_cli.charts import Curve, power_chart, power_curve, score_chart
from wattmark_cli.data import opened_store, saved_records
from wattmark_cli.display import MISSING, between, percent, plain, si
from wattmark_cli.notice import HOW_TO_MEASURE
from wattmark_cli.options import Subparsers, add_command
from wattmark_core.errors import ConfigurationError
from wattmark_core.results import Check, Phase, Score
from wattmark_core.units import joules_to_mwh, seconds_to_ns
from wattmark_runner.records import RunRecord
from wattmark_runner.scorer import main_boundary
from wattmark_scoring.ranking import RankedGroup, rank
from wattmark_scoring.scores import ACCURACY_PER_PARAMETER, ENERGY_SCORE, NETSCORE
from wattmark_store import Store

CURVE_POINTS: Final = 600
MARGIN_NS: Final = seconds_to_ns(1.0)


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


@dataclass(frozen=True, slots=True)
class _Run:
    """What the page shows of one run."""

    record: RunRecord
    boundary: str
    series: tuple[str, ...]
    chart: Markup
    checks: tuple[Check, ...]
    scores: tuple[Score, ...]
    facts: tuple[tuple[str, str], ...]


def write_report(path: Path, records: Sequence[RunRecord], store: Store, *, title: str) -> None:
    """The report of ``records``, whose samples are still in ``store`` or are said to be gone.

    Raises ``ConfigurationError`` if the file cannot be written, ``StoreError``.
    """
    groups = rank(_scores(records, ENERGY_SCORE))
    page = _environment().get_template("report.html.j2").render(
        title=title,
        made=_utc(int(datetime.now(UTC).timestamp() * 1e9)),
        version=version("wattmark"),
        hosts=sorted({record.host for record in records}),
        estimated=any(group.estimated for group in groups),
        how_to_measure=HOW_TO_MEASURE,
        groups=[_group(group) for group in groups],
        sizes=_sizes(records),
        runs=[_run(record, store) for record in records],
    )  # fmt: skip
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror}") from error


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("wattmark_cli", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        si=si, percent=percent, plain=plain, troubles=tables.troubles, utc=_utc, mwh=_mwh
    )
    environment.globals.update(between=between, MISSING=MISSING)
    return environment


def _scores(records: Sequence[RunRecord], formula: str) -> list[Score]:
    return [score for r in records for score in r.scores if score.formula == formula]


def _group(group: RankedGroup) -> _Group:
    title = tables.title(group)
    chart = score_chart(group.ranked, f"scores with 95 % intervals: {title}")
    return _Group(title, group.estimated, group.ranked, group.unranked, chart)


def _sizes(records: Sequence[RunRecord]) -> list[dict[str, Any]]:
    """The paper's two scores that need no energy, a row per model."""
    rows = []
    for record in records:
        values = {score.formula: score.value for score in record.scores}
        rows.append(
            {
                "model": record.request.model,
                "parameters": record.parameters,
                "macs": record.macs,
                "accuracy": record.accuracy,
                "per_parameter": values.get(ACCURACY_PER_PARAMETER),
                "netscore": values.get(NETSCORE),
            }
        )
    return rows


def _run(record: RunRecord, store: Store) -> _Run:
    request = record.request
    curves = _curves(record, store)
    facts = {
        "state": f"{record.state}{': ' + record.reason if record.reason else ''}",
        "started": _utc(record.started_ns),
        "workload": f"{request.workload}, {record.test_images or MISSING} test images",
        "repeats": str(request.repeats),
        "batch size": str(request.batch_size),
        "device": request.gpu or "CPU",
        "seed": str(request.seed),
        "boot": record.boot_id,
        **{name: plain(value) for name, value in record.constants.items()},
        **record.environment,
    }
    series = tuple(
        f"{s.domain} {s.device}: {s.method} from {s.source}{f', {s.label}' if s.label else ''}"
        f"; T {si(s.update_period_seconds, 's')}, sees {s.coverage_ratio:.0%} of the time"
        for s in record.series
    )
    title = f"power over time of {request.model}, windows shaded by phase"
    shown = tuple(s for s in record.scores if s.formula == ENERGY_SCORE)
    return _Run(
        record, main_boundary(record), series,
        power_chart(curves, _own_windows(record), title),
        record.checks, shown, tuple(facts.items()),
    )  # fmt: skip


def _own_windows(record: RunRecord) -> list[Any]:
    """The run's windows without baselines that lie far from it, shared with other runs."""
    work = [w for w in record.windows if w.phase is not Phase.IDLE] or record.windows
    start = min((w.start_ns for w in work), default=0) - seconds_to_ns(60.0)
    end = max((w.end_ns for w in work), default=0) + seconds_to_ns(60.0)
    return [w for w in record.windows if w.end_ns >= start and w.start_ns <= end]


def _curves(record: RunRecord, store: Store) -> list[Curve]:
    windows = _own_windows(record)
    if not windows:
        return []
    start = min(window.start_ns for window in windows) - MARGIN_NS
    end = max(window.end_ns for window in windows) + MARGIN_NS
    return [
        power_curve(f"{series.domain} {series.device} ({series.method})", data)
        for series in record.series
        for data in store.series(
            "energy", start, end, {"host": record.host, **series.tags}, points=CURVE_POINTS
        )
    ]


def _mwh(joules: float | None) -> str:
    return MISSING if joules is None else f"{joules_to_mwh(joules):.3g} mWh"


def _utc(time_ns: int) -> str:
    """ISO 8601 in UTC, to the second."""
    return f"{datetime.fromtimestamp(time_ns / 1e9, UTC):%Y-%m-%dT%H:%M:%SZ}"
