"""``wattmark runs`` and ``wattmark cancel``: what the runner has done and is doing."""

import argparse
import itertools
import sys
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from wattmark_cli.options import Subparsers, add_command
from wattmark_cli.remote import add_runner, pairs, print_json, runner
from wattmark_client import Run, ScoreTexts
from wattmark_core.figures import MISSING


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
        Console().print(_table(listed))
    return 0


def cancel(arguments: argparse.Namespace) -> int:
    """Cancel one run."""
    with runner(arguments) as client:
        cancelled = client.cancel(arguments.run_id)
    if arguments.json:
        print_json(_row(cancelled))
    else:
        sys.stdout.write(f"run {cancelled.run_id} is {cancelled.state}\n")
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


def _table(listed: list[Run]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("run", "state", "workload", "model", "score", "energy is", "verdict"):
        table.add_column(name, overflow="fold", no_wrap=name == "run")
    for run in listed:
        texts = run.score_texts or ScoreTexts()
        progress = f" {run.progress.fraction:.0%}" if run.progress else ""
        table.add_row(
            run.run_id, f"{run.state}{progress}", run.workload, run.model,
            *(text or MISSING for text in (texts.score, texts.method, texts.verdict)),
        )  # fmt: skip
    return table
