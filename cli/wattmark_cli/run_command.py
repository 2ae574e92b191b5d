"""``wattmark run``: have the runner measure models, and follow them to their scores."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from wattmark_cli import tables
from wattmark_cli.options import Subparsers, add_command
from wattmark_cli.output import remark, say
from wattmark_cli.progress import Reporter, reporting
from wattmark_cli.remote import add_runner, as_ours, pairs, print_json, runners
from wattmark_client import Client, Event, Run
from wattmark_core.codec import to_json
from wattmark_core.results import ENERGY_SCORE, Boundary, Score, Verdict
from wattmark_scoring.ranking import rank

OPTIONS: Final = (
    "repeats", "seconds", "warmup_seconds", "idle_before_seconds", "idle_after_seconds",
    "boundary", "gpu", "owner",
)  # fmt: skip


def add_parser(subparsers: Subparsers) -> None:
    """The command's options."""
    parser = add_command(
        subparsers, "run",
        "wattmark run digits cnn-small --repeats 3 --parameter batch_size=64", run, data=False,
    )  # fmt: skip
    add = parser.add_argument
    add("workload", help="name of a workload in the runner's configuration")
    add("model", nargs="+", help="name of a model of the workload; several are queued and measured"
        " one after the other")  # fmt: skip
    add("--repeats", type=int, help="number of measured windows (default: 5)")
    add("--seconds", type=float, help="least length of a window (default: what the sensor needs)")
    add("--parameter", action="append", default=[], metavar="NAME=VALUE",
        help="a parameter that the workload declares; may be repeated")  # fmt: skip
    add("--warmup-seconds", type=float, help="length of the warm-up (default: 3)")
    add("--idle-before-seconds", type=float,
        help="length of the idle baseline before (default: 30)")  # fmt: skip
    add("--idle-after-seconds", type=float,
        help="length of the idle baseline after (default: 30)")  # fmt: skip
    add("--boundary", choices=[b.value for b in Boundary],
        help="which energy is counted (default: host with --gpu, else cpu)")  # fmt: skip
    add("--gpu", metavar="UUID", help="UUID of the GPU to run on instead of the CPU")
    add("--owner", help="name of the person who asks for the run")
    add("--label", action="append", default=[], metavar="NAME=VALUE",
        help="a label of your own to find the run by; may be repeated")  # fmt: skip
    add("--detach", action="store_true", help="queue the runs, print their names, and do not wait")
    add_runner(parser, several=True)


@dataclass(frozen=True, slots=True)
class _Job:
    """A run, and the runner that has it."""

    client: Client
    run_id: str

    def cancel(self) -> None:
        self.client.cancel(self.run_id)
        remark(f"wattmark: run {self.run_id} is cancelled")


def run(arguments: argparse.Namespace) -> int:
    """Start and follow. 0 if all runs are done and none of their scores is invalid, else 1."""
    with runners(arguments) as clients:
        jobs = _start(clients, arguments)
        if arguments.detach:
            _detached(arguments, jobs)
            return 0
        _follow_all(jobs, several=len(clients) > 1)
        ended = [job.client.run(job.run_id) for job in jobs]
    if arguments.json:
        _print_json([to_json(run) for run in ended])
    else:
        _show(ended)
    return 0 if all(map(_comparable, ended)) else 1


def _start(clients: Sequence[Client], arguments: argparse.Namespace) -> list[_Job]:
    """Queue a run of each model with each runner. If one is refused, none stays in a queue."""
    options, jobs = _options(arguments), []
    try:
        for client in clients:
            for model in arguments.model:
                started = client.start_run(arguments.workload, model, **options)
                jobs.append(_Job(client, started.run_id))
    except BaseException:
        _cancel(jobs)
        raise
    return jobs


def _cancel(jobs: Sequence[_Job]) -> None:
    for job in reversed(jobs):  # the one under way last, so that none takes its place
        job.cancel()


def _comparable(run: Run) -> bool:
    return run.state == "done" and run.score is not None and run.score.verdict != Verdict.INVALID


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    named = {name: getattr(arguments, name) for name in OPTIONS}
    options: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    options["labels"] = pairs(arguments.label, "--label", "=")
    parameters = pairs(arguments.parameter, "--parameter", "=")
    options["parameters"] = {name: _value(text) for name, text in parameters.items()}
    return options


def _value(text: str) -> str | int | float | bool:
    """A number or true/false as JSON has them; anything else is text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float | bool) else text


def _detached(arguments: argparse.Namespace, jobs: Sequence[_Job]) -> None:
    if arguments.json:
        _print_json([{"run_id": job.run_id} for job in jobs])
    else:
        say(*(job.run_id for job in jobs))


def _print_json(runs: Sequence[dict[str, Any]]) -> None:
    """As JSON: the run itself if it is the only one, else a list."""
    print_json(runs[0] if len(runs) == 1 else list(runs))


def _follow_all(jobs: Sequence[_Job], *, several: bool) -> None:
    """Each in turn, while other runners go on; Ctrl-C cancels all that have not ended."""
    for number, job in enumerate(jobs):
        place = f"{number + 1}/{len(jobs)} " if len(jobs) > 1 else ""
        if several:
            place += f"{urlsplit(job.client.url).netloc} "
        try:
            with reporting() as reporter:
                job.client.wait(job.run_id, partial(_report, reporter, place))
        except KeyboardInterrupt:
            _cancel(jobs[number:])
            raise


def _report(reporter: Reporter, place: str, event: Event) -> None:
    body = event.body
    if event.kind == "progress":
        reporter.report(place + body["stage"], body["fraction"], body["seconds_left"])
    elif event.kind == "notice":
        remark(body["text"])


def _show(ended: Sequence[Run]) -> None:
    own = {run.score.boundary for run in ended if run.score}
    scores = as_ours(Score, (s for run in ended if run.record for s in run.record["scores"]))
    groups = rank(score for score in scores if score.formula == ENERGY_SCORE)
    tables.show(group for group in groups if group.boundary in own)
    for run in ended:
        reason = f": {run.reason}" if run.reason else ""
        say(f"run {run.run_id} is {run.state}{reason}")
