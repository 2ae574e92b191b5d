"""``wattmark score`` and ``wattmark ranking``: what the runner's runs amount to."""

import argparse
import sys
from collections.abc import Sequence

from wattmark_cli import tables
from wattmark_cli.options import Subparsers, add_command
from wattmark_cli.remote import add_runner, runner, say_json
from wattmark_core.codec import from_json
from wattmark_core.results import Boundary, Check, Score
from wattmark_scoring.ranking import RankedGroup
from wattmark_scoring.score_words import check_texts, score_texts
from wattmark_scoring.words import worst_first


def add_parser(subparsers: Subparsers) -> None:
    """The options of both."""
    parser = add_command(
        subparsers, "score", "Show the scores of a run and the checks that they rest on.",
        "wattmark score 20260131-120000-cnn-small-a1b2c3", run, data=False,
    )  # fmt: skip
    parser.add_argument("run_id", metavar="RUN", help="its name, as `wattmark runs` shows it")
    parser.add_argument("--again", action="store_true", help="score it once more")
    add_runner(parser)
    parser = add_command(
        subparsers, "ranking", "Rank the newest score of each host, model and settings.",
        "wattmark ranking --workload fashion-mnist", ranking, data=False,
    )  # fmt: skip
    add = parser.add_argument
    add("--workload", default="", help="only this workload")
    add("--host", default="", help="only this host")
    add("--boundary", choices=[b.value for b in Boundary], help="only this boundary")
    add("--formula", default="", help="another score than accuracy² / energy")
    add_runner(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show the scores of one run, then its checks: what did not pass first."""
    path = f"/runs/{arguments.run_id}/score"
    with runner(arguments) as client:
        found = client.call("POST" if arguments.again else "GET", path)
    if arguments.json:
        say_json(found)
        return 0
    for each in found["scores"]:
        sys.stdout.write(_line(from_json(Score, each)) + "\n")
    sys.stdout.write("\n")
    for check in worst_first(from_json(Check, each) for each in found["checks"]):
        sys.stdout.write(_check(check) + "\n")
    return 0


def ranking(arguments: argparse.Namespace) -> int:
    """Show the ranking; 1 if nothing is ranked."""
    names = ("workload", "host", "boundary", "formula")
    filters = {name: getattr(arguments, name) for name in names if getattr(arguments, name)}
    with runner(arguments) as client:
        body = client.call("GET", "/ranking", params=filters)
    groups = [from_json(RankedGroup, group) for group in body["groups"]]
    if arguments.json:
        say_json(body)
    else:
        _show(groups)
    return 0 if any(group.ranked for group in groups) else 1


def _show(groups: Sequence[RankedGroup]) -> None:
    if not groups:
        sys.stdout.write("nothing is scored yet; start a run with `wattmark run`\n")
    tables.show(groups)


def _line(score: Score) -> str:
    texts = score_texts(score)
    method = f", {texts.method}" if texts.method else ""
    return f"{texts.formula:<24} {texts.score:<26} {score.boundary}{method}, {texts.verdict}"


def _check(check: Check) -> str:
    texts = check_texts(check)
    return f"{texts.verdict:<10} {texts.name:<28} {texts.meaning}"
