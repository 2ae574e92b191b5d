"""``wattmark fit``: which network fits this machine? Measures all of a workload and ranks them."""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from wattmark_cli import tables
from wattmark_cli.embedded import Rooms
from wattmark_cli.export import write_results_json, write_scores_csv
from wattmark_cli.joined_fit import measure_in_queue, require_queue
from wattmark_cli.options import (
    Subparsers,
    add_command,
    add_rooms,
    check_numbers,
    check_rooms,
    rooms,
)
from wattmark_cli.output import remark, say
from wattmark_cli.progress import Reporter, reporting
from wattmark_cli.report import write_report
from wattmark_core.catalogue import Domain
from wattmark_core.codec import to_json
from wattmark_core.errors import ConfigurationError
from wattmark_core.exporter_api import HostReport
from wattmark_core.results import ENERGY_SCORE, Boundary, Phase, Score, Window
from wattmark_runner.execution.progress import Progress
from wattmark_runner.execution.run import execute, last_idle
from wattmark_runner.execution.worker_places import of_service
from wattmark_runner.records import migration
from wattmark_runner.records.database import RunDatabase
from wattmark_runner.records.model import RunRecord, RunRequest
from wattmark_runner.scoring.run import score_run
from wattmark_runner.views.advice import about_sources
from wattmark_runner.workloads import find_workload
from wattmark_runner.workloads.pretrained import require_weights
from wattmark_scoring.ranking import RankedGroup, rank
from wattmark_store import Store

CACHE_VARIABLE: Final = "WATTMARK_CACHE"


def add_parser(subparsers: Subparsers) -> None:
    """The command's options."""
    parser = add_command(
        subparsers, "fit",
        "wattmark fit --workload digits --models mlp-small,cnn-small --repeats 3", run,
    )  # fmt: skip
    add = parser.add_argument
    add("--workload", default="fashion-mnist",
        help="name of the labelled test set (default: %(default)s)")  # fmt: skip
    add("--models", default="", metavar="A,B",
        help="names of the networks to measure (default: all)")  # fmt: skip
    add("--repeats", type=int, default=5,
        help="measured windows per network (default: %(default)s)")  # fmt: skip
    add("--seconds", type=float, help="least length of a window (default: what the sensor needs)")
    add("--batch-size", type=int, default=32, help="images per batch (default: %(default)s)")
    add("--idle-seconds", type=float, default=30.0,
        help="length of the first and the last idle baseline (default: %(default)g)")  # fmt: skip
    add("--between-seconds", type=float, default=10.0,
        help="length of the idle time between two networks (default: %(default)g)")  # fmt: skip
    add("--gpu", default="", metavar="UUID|INDEX",
        help="UUID or index of the GPU to run on instead of the CPU")  # fmt: skip
    add("--boundary", choices=[b.value for b in Boundary],
        help="which energy is counted (default: host with --gpu, else cpu)")  # fmt: skip
    add_rooms(parser)


def run(arguments: argparse.Namespace) -> int:
    """Measure, rank, save. 1 if no network could be ranked."""
    check_numbers(
        arguments, above_zero=("repeats", "seconds"),
        not_below_zero=("idle_seconds", "between_seconds"),
    )  # fmt: skip
    models = _models(arguments)
    check_rooms(arguments)
    migration.check(arguments.data / "runner.sqlite")  # better known before than after
    with reporting() as reporter, rooms(arguments, join=True) as opened:
        if opened.joined is not None:
            require_queue(opened.data, opened.joined)
        with closing(opened.exporter.client()) as client:
            report = client.sensors()
        _advise(about_sources(report))
        requests = _requests(arguments, models, _gpu(arguments.gpu, report))
        fit = _Fit(opened, requests, reporter)
        try:
            fit.measure_all()
        finally:
            paths = fit.save()
    groups = rank(fit.scores())
    _finish(arguments, fit, groups, paths)
    return 0 if any(group.ranked for group in groups) else 1


def _models(arguments: argparse.Namespace) -> tuple[str, ...]:
    workload = find_workload(arguments.workload)
    names = [name.strip() for name in arguments.models.split(",") if name.strip()]
    models = tuple(workload.require(name) for name in names) or workload.models
    for model in models:  # of the last, too, before the first is measured
        parameters = workload.check(model, {"batch_size": arguments.batch_size})
        require_weights(workload, model, parameters)
    return models


def _gpu(option: str, report: HostReport) -> str:
    """The UUID of the GPU that is meant by its UUID or its index."""
    uuids = [series.device for series in report.energy if series.domain is Domain.GPU]
    if not option or option in uuids:
        return option
    if option.isdigit() and int(option) < len(uuids):
        return uuids[int(option)]
    known = ", ".join(uuids) or "none"
    raise ConfigurationError(f"--gpu {option}: no such GPU; those with an energy sensor: {known}")


def _requests(
    arguments: argparse.Namespace, models: Sequence[str], gpu: str
) -> tuple[RunRequest, ...]:
    base = RunRequest(
        arguments.workload, models[0],
        repeats=arguments.repeats, seconds=arguments.seconds,
        parameters={"batch_size": arguments.batch_size},
        idle_before_seconds=0.0, idle_after_seconds=arguments.between_seconds,
        boundary=Boundary(arguments.boundary) if arguments.boundary else None, gpu=gpu,
    )  # fmt: skip
    requests = [replace(base, model=model) for model in models]
    requests[0] = replace(requests[0], idle_before_seconds=arguments.idle_seconds)
    requests[-1] = replace(requests[-1], idle_after_seconds=arguments.idle_seconds)
    return tuple(requests)


@dataclass(frozen=True, slots=True)
class Paths:
    """What a fit leaves behind."""

    report: Path
    results: Path
    scores: Path


@dataclass(slots=True)
class _Fit:
    """Runs of several networks, one after the other, that share their baselines."""

    rooms: Rooms
    requests: tuple[RunRequest, ...]
    reporter: Reporter
    records: list[RunRecord] = field(default_factory=list)
    run_seconds: float = 0.0
    _folder: Path = Path()

    def __post_init__(self) -> None:
        name = f"fit-{datetime.now(UTC):%Y%m%d-%H%M%S}-{self.requests[0].workload}"
        self._folder = self.rooms.data / "runs" / name
        self._folder.mkdir(parents=True, exist_ok=True)

    def measure_all(self) -> None:
        """One run per network, then scores against the long baselines; in the queue of a service
        that works on the folder, each with long baselines of its own."""
        joined = self.rooms.joined
        if joined is not None:
            idle_seconds = self.requests[0].idle_before_seconds
            measure_in_queue(joined, self.requests, idle_seconds, self._report, self.records.append)
            return
        with closing(RunDatabase(self.rooms.data / "runner.sqlite")) as database:
            self._measure_all(database)

    def _measure_all(self, database: RunDatabase) -> None:
        idle: Window | None = None
        for number, request in enumerate(self.requests):
            record = execute(
                request,
                exporter_url=self.rooms.exporter,
                store=self.rooms.store,
                cache=_cache(),
                log=self._folder / f"{request.model}.log",
                progress=partial(self._report, number),
                idle_before=idle,
                private=of_service(self.rooms.data, self.rooms.store_options.password_file),
            )
            self.records.append(record)
            database.save(record)
            idle = last_idle(record)
        share_baselines(self.records, self.rooms.store, database)

    def _report(self, number: int, news: Progress) -> None:
        """Progress of all runs: those to come are taken to be as long as this one."""
        whole = news.seconds_left / (1.0 - news.fraction) if news.fraction < 0.9 else 0.0
        self.run_seconds = whole or self.run_seconds
        left = news.seconds_left + (len(self.requests) - number - 1) * self.run_seconds
        fraction = (number + news.fraction) / len(self.requests)
        self.reporter.report(f"{number + 1}/{len(self.requests)} {news.stage}", fraction, left)

    def scores(self) -> list[Score]:
        """The energy scores in the boundary that each run is about."""
        return [
            score
            for record in self.records
            for score in record.scores
            if score.formula == ENERGY_SCORE
        ]

    def save(self) -> Paths:
        """Report, results and scores of what was measured, even if not all was."""
        paths = Paths(
            self._folder / "report.html",
            self._folder / "results.json",
            self._folder / "scores.csv",
        )
        if self.records:
            write_results_json(paths.results, self.records)
            write_scores_csv(paths.scores, [s for r in self.records for s in r.scores])
            write_report(paths.report, self.records, self.rooms.store, title=self._title())
        return paths

    def _title(self) -> str:
        record = self.records[0]
        return f"{record.request.workload} on {record.host}"


def share_baselines(records: Sequence[RunRecord], store: Store, database: RunDatabase) -> None:
    """Score every run against the first and the last baseline, the long ones, and save it.

    A run is marked as not published until its new scores are in the store. Raises ``StoreError``.
    """
    idle = [w for r in records for w in r.windows if w.phase is Phase.IDLE]
    for record in records:
        if not idle or record.reason:
            continue  # its verdict stands
        own = {window.window_id for window in record.windows}
        record.windows = [
            *(window for window in (idle[0],) if window.window_id not in own),
            *record.windows,
            *(window for window in (idle[-1],) if window.window_id not in own),
        ]
        database.mark(record.run_id, published=False)
        score_run(record, store)
        database.save(record)


def _cache() -> Path:
    """Trained weights: $WATTMARK_CACHE, else ~/.cache/wattmark."""
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named) if named else Path.home() / ".cache" / "wattmark"


def _advise(lines: Iterable[str]) -> None:
    remark(*lines)


def _finish(
    arguments: argparse.Namespace, fit: _Fit, groups: Sequence[RankedGroup], paths: Paths
) -> None:
    if arguments.json:
        document = {
            "groups": [to_json(group) for group in groups],
            "paths": {name: str(getattr(paths, name)) for name in ("report", "results", "scores")},
        }
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
        return
    tables.show(groups)
    for record in fit.records:
        for line in (*record.notices, *([record.reason] if record.reason else [])):
            say(f"{record.request.model}: {line}")
    say(f"report   {paths.report}", f"results  {paths.results}", f"scores   {paths.scores}")
