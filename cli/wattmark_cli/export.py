"""``wattmark export``: samples, windows and scores as CSV or JSON."""

import argparse
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from wattmark_cli.data import opened_store
from wattmark_cli.options import Subparsers, add_command
from wattmark_cli.output import writing
from wattmark_core.catalogue import MEASUREMENTS
from wattmark_core.codec import to_json
from wattmark_core.errors import ConfigurationError
from wattmark_core.results import Score
from wattmark_core.units import seconds_to_ns
from wattmark_runner.records.model import RunRecord
from wattmark_runner.views.csv_rows import Row, write_csv
from wattmark_runner.views.score_csv import score_row
from wattmark_store import Store

WHAT: Final = ("scores", "windows", "samples")
LAST_NS: Final = 2**63 - 1
"""Stores keep times as signed 64-bit ns."""


def add_parser(subparsers: Subparsers) -> None:
    """The command's options."""
    parser = add_command(
        subparsers, "export",
        "wattmark export --what samples --measurement energy --format csv -o energy.csv", run,
    )  # fmt: skip
    add = parser.add_argument
    add("--what", choices=WHAT, default="scores", help="what to write (default: %(default)s)")
    add("--format", choices=("csv", "json"), default="csv",
        help="csv, or json as with --json (default: %(default)s)")  # fmt: skip
    add(
        "--measurement",
        default="energy",
        help="name of the measurement whose samples are written (default: %(default)s)",
    )
    add("--run", dest="run_id", default="", metavar="RUN", help="only what belongs to this run")
    add("--from", dest="start", default="", metavar="TIME",
        help="begin of the time to write, ISO 8601 or Unix seconds")  # fmt: skip
    add("--to", dest="end", default="", metavar="TIME",
        help="end of the time to write, ISO 8601 or Unix seconds")  # fmt: skip
    add("-o", "--output", type=Path, metavar="FILE",
        help="file to write (default: standard output)")  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Write the rows. Raises ``ConfigurationError`` if there are none."""
    start = _instant(arguments.start, "--from", 0)
    end = _instant(arguments.end, "--to", time.time_ns() + seconds_to_ns(60.0))
    rows: Sequence[Row]
    with opened_store(arguments.data) as store:
        if arguments.what == "samples":
            rows = _samples(store, arguments.measurement, arguments.run_id, start, end)
        elif arguments.what == "windows":
            windows = store.windows(start_ns=start, end_ns=end, run_id=arguments.run_id)
            rows = [to_json(window) for window in windows]
        else:
            scores = store.scores(run_id=arguments.run_id)
            rows = [score_row(score) for score in scores if start <= score.time_ns <= end]
    if not rows:
        raise ConfigurationError(f"no {arguments.what} in {arguments.data} for what was asked")
    with writing(arguments.output) as stream:
        if arguments.json or arguments.format == "json":
            stream.write(json.dumps(rows, indent=2) + "\n")
        else:
            write_csv(stream, rows)
    return 0


def write_scores_csv(path: Path, scores: Sequence[Score]) -> None:
    """One line per score, with its boundary, method, verdict and interval."""
    with writing(path) as stream:
        write_csv(stream, [score_row(score) for score in scores])


def write_results_json(path: Path, records: Sequence[RunRecord]) -> None:
    """The whole records of runs."""
    with writing(path) as stream:
        stream.write(json.dumps([to_json(r) for r in records], indent=1) + "\n")


def _samples(store: Store, measurement: str, run_id: str, start: int, end: int) -> Sequence[Row]:
    """Samples of a measurement, also one that the catalogue does not know; of a run those of its
    host from its first window to its last."""
    tags = {}
    if run_id:
        windows = store.windows(run_id=run_id)
        if not windows:
            raise ConfigurationError(f"no run {run_id!r} in the store")
        start = max(start, min(window.start_ns for window in windows))
        end = min(end, max(window.end_ns for window in windows))
        tags = {"host": windows[0].host}
    rows = [
        {"time_ns": time_ns, **data.tag, **{name: data.fields[name][i] for name in data.fields}}
        for data in store.series(measurement, start, end, tags)
        for i, time_ns in enumerate(data.times_ns)
    ]
    if not rows and measurement not in MEASUREMENTS:
        known = ", ".join(MEASUREMENTS)
        raise ConfigurationError(f"no measurement {measurement!r}; there are {known}")
    return rows


def _instant(text: str, option: str, default: int) -> int:
    """Unix ns of an instant in ISO 8601 (UTC if it names no zone) or Unix seconds."""
    if not text:
        return default
    try:
        time_ns = seconds_to_ns(_unix_seconds(text))
    except (ValueError, OverflowError) as error:
        raise ConfigurationError(
            f"{option} {text!r} is neither ISO 8601 (2026-01-31T12:00) nor Unix seconds"
        ) from error
    if abs(time_ns) > LAST_NS:
        raise ConfigurationError(
            f"{option} {text!r} lies outside the years 1678 to 2261; are these seconds?"
        )
    return time_ns


def _unix_seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return aware.timestamp()
