"""``wattmark run``: have the runner measure models, and follow them to their scores."""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any, Final

from wattmark_cli import tables
from wattmark_cli.options import Subparsers, add_command
from wattmark_cli.progress import Reporter, reporting
from wattmark_cli.remote import add_runner, pairs, runner, say_json
from wattmark_client import Client, Event
from wattmark_core.results import Boundary, Score
from wattmark_runner.codec import from_json
from wattmark_scoring.ranking import rank
from wattmark_scoring.scores import ENERGY_SCORE

OPTIONS: Final = (
    "repeats", "seconds", "warmup_seconds", "idle_before_seconds", "idle_after_seconds",
    "boundary", "gpu", "owner",
)  # fmt: skip


def add_parser(subparsers: Subparsers) -> None:
    """The command's options."""
    parser = add_command(
        subparsers, "run", "Have the runner measure models, and follow them to their scores.",
        "wattmark run digits cnn-small --repeats 3 --parameter batch_size=64", run, data=False,
    )  # fmt: skip
    add = parser.add_argument
    add("workload", help="one that the runner's configuration names")
    add("model", nargs="+", help="one of the workload's models; several are queued and measured"
        " one after the other")  # fmt: skip
    add("--repeats", type=int, help="measured windows (default: 5)")
    add("--seconds", type=float, help="least length of a window (default: what the sensor needs)")
    add("--parameter", action="append", default=[], metavar="NAME=VALUE",
        help="what the workload declares; may be repeated")  # fmt: skip
    add("--warmup-seconds", type=float, help="default: 3")
    add("--idle-before-seconds", type=float, help="idle baseline before (default: 30)")
    add("--idle-after-seconds", type=float, help="idle baseline after (default: 30)")
    add("--boundary", choices=[b.value for b in Boundary], help="what is counted")
    add("--gpu", metavar="UUID", help="run on this GPU instead of the CPU")
    add("--owner", help="who asks for it")
    add("--label", action="append", default=[], metavar="NAME=VALUE",
        help="to find the run by; may be repeated")  # fmt: skip
    add("--detach", action="store_true", help="queue, say the runs' names, and do not wait")
    add_runner(parser)


def run(arguments: argparse.Namespace) -> int:
    """Start and follow. 0 if all runs are done and their scores can be ranked, else 1."""
    with runner(arguments) as client:
        run_ids = _start(client, arguments)
        if arguments.detach:
            _detached(arguments, run_ids)
            return 0
        for number in range(len(run_ids)):
            place = f"{number + 1}/{len(run_ids)} " if len(run_ids) > 1 else ""
            _follow(client, run_ids[number:], place)
        ended = [client.call("GET", f"/runs/{run_id}") for run_id in run_ids]
    scores = [[from_json(Score, each) for each in run["record"]["scores"]] for run in ended]
    if arguments.json:
        _say(ended)
    else:
        _show(ended, scores)
    done = all(run["state"] == "done" for run in ended)
    return 0 if done and all(map(_ranked, scores)) else 1


def _start(client: Client, arguments: argparse.Namespace) -> list[str]:
    """Queue a run of each model. If one is refused, none stays in the queue."""
    options, run_ids = _options(arguments), []
    try:
        for model in arguments.model:
            run_ids.append(client.start_run(arguments.workload, model, **options).run_id)
    except BaseException:
        _cancel(client, run_ids)
        raise
    return run_ids


def _cancel(client: Client, run_ids: Sequence[str]) -> None:
    for run_id in reversed(run_ids):  # the one under way last, so that none takes its place
        client.cancel(run_id)
        sys.stderr.write(f"wattmark: run {run_id} is cancelled\n")


def _ranked(scores: Sequence[Score]) -> bool:
    return any(group.ranked for group in rank(scores) if group.formula == ENERGY_SCORE)


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    given = {name: getattr(arguments, name) for name in OPTIONS}
    options = {name: value for name, value in given.items() if value is not None}
    options["labels"] = pairs(arguments.label, "--label", "=")
    parameters = pairs(arguments.parameter, "--parameter", "=")
    options["parameters"] = {name: _value(text) for name, text in parameters.items()}
    return options


def _value(text: str) -> str | int | float | bool:
    """A number or true/false as JSON has them; anything else is text."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return found if isinstance(found, int | float | bool) else text


def _detached(arguments: argparse.Namespace, run_ids: Sequence[str]) -> None:
    if arguments.json:
        _say([{"run_id": run_id} for run_id in run_ids])
    else:
        sys.stdout.writelines(f"{run_id}\n" for run_id in run_ids)


def _say(runs: Sequence[dict[str, Any]]) -> None:
    """As JSON: the run itself where there is one, else a list."""
    say_json(runs[0] if len(runs) == 1 else list(runs))


def _follow(client: Client, run_ids: Sequence[str], place: str) -> None:
    """Follow the first of them; Ctrl-C cancels it and those that wait behind it."""
    try:
        with reporting() as reporter:
            client.wait(run_ids[0], lambda event: _tell(event, reporter, place))
    except KeyboardInterrupt:
        _cancel(client, run_ids)
        raise


def _tell(event: Event, reporter: Reporter, place: str) -> None:
    body = event.body
    if event.kind == "progress":
        reporter.tell(place + body["stage"], body["fraction"], body["seconds_left"])
    elif event.kind == "notice":
        sys.stderr.write(f"{body['text']}\n")


def _show(ended: Sequence[dict[str, Any]], scores: Sequence[Sequence[Score]]) -> None:
    own = {run["score"]["boundary"] for run in ended if run["score"]}
    groups = rank(each for run in scores for each in run if each.formula == ENERGY_SCORE)
    tables.show(group for group in groups if group.boundary in own)
    for run in ended:
        reason = f": {run['reason']}" if run["reason"] else ""
        sys.stdout.write(f"run {run['run_id']} is {run['state']}{reason}\n")
