"""``wattmark runs`` and ``wattmark cancel``: what the runner has done and is doing."""

import argparse
import itertools
from typing import Any, Final

from wattmark_cli import grid
from wattmark_cli.options import Subparsers, add_command
from wattmark_cli.output import say
from wattmark_cli.remote import add_runner, as_ours, pairs, print_json, runner
from wattmark_client import Run
from wattmark_core.figures import MISSING
from wattmark_core.results import Score

COLUMNS: Final = ("run", "state", "score", "workload", "model", "verdict")
TOGETHER: Final = 3
"""What stands side by side on any terminal: run, state and score."""


def add_parser(subparsers: Subparsers) -> None:
    """The options of both."""
    parser = add_command(
        subparsers, "runs", "wattmark runs --state done --label project=thesis", run, data=False,
    )  # fmt: skip
    add = parser.add_argument
    for name in ("state", "workload", "model", "owner", "source"):
        add(f"--{name}", help=f"only runs with this {name}")
    add("--label", action="append", default=[], metavar="NAME=VALUE",
        help="only runs with this label; may be repeated")  # fmt: skip
    add("--limit", type=int, default=20, help="most runs to list (default: %(default)s)")
    add_runner(parser)
    parser = add_command(
        subparsers, "cancel",
        "wattmark cancel 20260131-120000-cnn-small-a1b2c3", cancel, data=False,
    )  # fmt: skip
    parser.add_argument("run_id", metavar="RUN",
                        help="name of the run, as `wattmark runs` shows it")  # fmt: skip
    add_runner(parser)


def run(arguments: argparse.Namespace) -> int:
    """List runs."""
    names = ("state", "workload", "model", "owner", "source")
    filters: dict[str, Any] = {n: getattr(arguments, n) for n in names if getattr(arguments, n)}
    labels = pairs(arguments.label, "--label", "=")
    filters["label"] = [f"{name}:{value}" for name, value in labels.items()]
    with runner(arguments) as client:
        listed = list(itertools.islice(client.runs(**filters), arguments.limit))
    if arguments.json:
        print_json([_row(run) for run in listed])
    else:
        rows = [_cells(run) for run in listed]
        grid.show("runs, newest first", COLUMNS, rows, keys=1, left=range(len(COLUMNS)),
                  together=TOGETHER)  # fmt: skip
    return 0


def cancel(arguments: argparse.Namespace) -> int:
    """Cancel one run."""
    with runner(arguments) as client:
        cancelled = client.cancel(arguments.run_id)
    if arguments.json:
        print_json(_row(cancelled))
    else:
        say(f"run {cancelled.run_id} is {cancelled.state}")
    return 0


def _row(run: Run) -> dict[str, Any]:
    score = run.score
    return {
        "run_id": run.run_id, "state": run.state, "reason": run.reason,
        "workload": run.workload, "model": run.model, "host": run.host,
        "owner": run.owner, "labels": run.labels, "created_at": run.created_at.isoformat(),
        "score": score and score.value, "method": score and score.method,
        "verdict": score and score.verdict,
    }  # fmt: skip


def _cells(run: Run) -> list[str]:
    progress = f" {run.progress.fraction:.0%}" if run.progress else ""
    score, verdict = _score(run)
    return [run.run_id, f"{run.state}{progress}", score, run.workload, run.model, verdict]


def _score(run: Run) -> tuple[str, str]:
    """Score and verdict; made here of the numbers where an older runner gives no texts."""
    if run.score_texts is not None:
        return run.score_texts.score or MISSING, run.score_texts.verdict or MISSING
    if run.score is not None and (scores := as_ours(Score, [run.score])):
        from wattmark_scoring.score_words import score_texts  # brings numpy: for old runners alone

        texts = score_texts(scores[0])
        return texts.score, texts.verdict
    return MISSING, MISSING
