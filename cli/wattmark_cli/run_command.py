"""``wattmark run``: have the runner measure one model, and follow it to its score."""

import argparse
import json
import sys
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
        subparsers, "run", "Have the runner measure one model, and follow it to its score.",
        "wattmark run digits cnn-small --repeats 3 --parameter batch_size=64", run, data=False,
    )  # fmt: skip
    add = parser.add_argument
    add("workload", help="one that the runner's configuration names")
    add("model", help="one of the workload's models")
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
    add("--detach", action="store_true", help="queue it, say its name, and do not wait")
    add_runner(parser)


def run(arguments: argparse.Namespace) -> int:
    """Start and follow. 0 if the run is done and its score can be ranked, else 1."""
    with runner(arguments) as client:
        started = client.start_run(arguments.workload, arguments.model, **_options(arguments))
        if arguments.detach:
            _detached(arguments, started.run_id)
            return 0
        _follow(client, started.run_id)
        ended = client.call("GET", f"/runs/{started.run_id}")
        scores = [from_json(Score, each) for each in ended["record"]["scores"]]
    if arguments.json:
        say_json(ended)
    else:
        _show(ended, scores)
    ranked = any(group.ranked for group in rank(scores) if group.formula == ENERGY_SCORE)
    return 0 if ended["state"] == "done" and ranked else 1


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


def _detached(arguments: argparse.Namespace, run_id: str) -> None:
    if arguments.json:
        say_json({"run_id": run_id})
    else:
        sys.stdout.write(f"{run_id}\n")


def _follow(client: Client, run_id: str) -> None:
    try:
        with reporting() as reporter:
            client.wait(run_id, lambda event: _tell(event, reporter))
    except KeyboardInterrupt:
        client.cancel(run_id)
        sys.stderr.write(f"wattmark: run {run_id} is cancelled\n")
        raise


def _tell(event: Event, reporter: Reporter) -> None:
    body = event.body
    if event.kind == "progress":
        reporter.tell(body["stage"], body["fraction"], body["seconds_left"])
    elif event.kind == "notice":
        sys.stderr.write(f"{body['text']}\n")


def _show(ended: dict[str, Any], scores: list[Score]) -> None:
    groups = rank(score for score in scores if score.formula == ENERGY_SCORE)
    own = ended["score"]["boundary"] if ended["score"] else None
    tables.show(group for group in groups if group.boundary == own)
    reason = f": {ended['reason']}" if ended["reason"] else ""
    sys.stdout.write(f"run {ended['run_id']} is {ended['state']}{reason}\n")
