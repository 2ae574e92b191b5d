"""``wattmark score`` and ``wattmark ranking``: what the runner's runs amount to."""

import argparse
from collections.abc import Sequence

from wattmark_cli import tables
from wattmark_cli.options import Subparsers, add_command
from wattmark_cli.output import say
from wattmark_cli.remote import add_runner, as_ours, print_json, runner
from wattmark_core.codec import to_json
from wattmark_core.results import Boundary, Check, Score
from wattmark_scoring.ranking import RankedGroup
from wattmark_scoring.score_words import check_texts, score_texts
from wattmark_scoring.words import worst_first


def add_parser(subparsers: Subparsers) -> None:
    """The options of both."""
    parser = add_command(
        subparsers, "score", "wattmark score 20260131-120000-cnn-small-a1b2c3", run, data=False,
    )  # fmt: skip
    parser.add_argument("run_id", metavar="RUN",
                        help="name of the run, as `wattmark runs` shows it")  # fmt: skip
    parser.add_argument("--again", action="store_true",
                        help="score it once more, from the samples that are kept")  # fmt: skip
    add_runner(parser)
    parser = add_command(
        subparsers, "ranking", "wattmark ranking --workload fashion-mnist", ranking, data=False,
    )  # fmt: skip
    add = parser.add_argument
    add("--workload", default="", help="only scores of this workload")
    add("--host", default="", help="only scores of this host")
    add("--boundary", choices=[b.value for b in Boundary], help="only scores in this boundary")
    add("--formula", default="", help="name of the score to rank by (default: accuracy^2/energy)")
    add_runner(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show the scores of one run, then its checks: what did not pass first."""
    with runner(arguments) as client:
        answer = client.checked_scores(arguments.run_id, again=arguments.again)
    if arguments.json:
        print_json(to_json(answer))
        return 0
    say(*map(_line, as_ours(Score, answer.scores)), "")
    say(*map(_check, worst_first(as_ours(Check, answer.checks))))
    return 0


def ranking(arguments: argparse.Namespace) -> int:
    """Show the ranking; 1 if nothing is ranked."""
    names = ("workload", "host", "boundary", "formula")
    filters = {name: getattr(arguments, name) for name in names if getattr(arguments, name)}
    with runner(arguments) as client:
        answer = client.ranking(**filters)
    groups = as_ours(RankedGroup, answer)
    if arguments.json:
        print_json({"groups": to_json(answer)})
    else:
        _show(groups)
    return 0 if any(group.ranked for group in groups) else 1


def _show(groups: Sequence[RankedGroup]) -> None:
    if not groups:
        say("nothing is scored yet; start a run with `wattmark run`")
    tables.show(groups)


def _line(score: Score) -> str:
    texts = score_texts(score)
    method = f", {texts.method}" if texts.method else ""
    return f"{texts.formula:<24} {texts.score:<26} {score.boundary}{method}, {texts.verdict}"


def _check(check: Check) -> str:
    texts = check_texts(check)
    return f"{texts.verdict:<10} {texts.name:<28} {texts.meaning}"
