"""``wattmark table1 | table2 | …``: the paper's tables over runs of one's own."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from wattmark_cli import grid
from wattmark_cli.data import saved_scores
from wattmark_cli.options import DATA, Subparsers, add_command
from wattmark_cli.output import remark, say
from wattmark_cli.remote import add_access, as_ours, runners
from wattmark_client import Client
from wattmark_core.codec import to_json
from wattmark_core.errors import ConfigurationError
from wattmark_core.results import Boundary, Score
from wattmark_runner.records.model import RunRecord
from wattmark_runner.views.tables import TABLES, Choice, Table
from wattmark_runner.views.tables.text import FORMATS, heading, is_text, number, without_empty

KEYS: Final = frozenset({"model", "settings", "host", "gpu"})
"""What a row is about."""


def add_parser(subparsers: Subparsers) -> None:
    """A command for each of ``TABLES``."""
    for name, table in TABLES.items():
        more = " --baseline lab1 --paper" if table.compares_hosts else ""
        parser = add_command(
            subparsers, f"table{name}", f"wattmark table{name} --format latex{more}", run,
            data=False,
        )  # fmt: skip
        add = parser.add_argument
        add("--data", type=Path, action="append", default=[], metavar="DIR",
            help=f"folder of runs; may be repeated (default: {DATA})")  # fmt: skip
        add("--format", choices=("text", *FORMATS), default="text",
            help="how the tables are written (default: %(default)s)")  # fmt: skip
        add("--workload", default="", help="only runs of this workload")
        add("--host", default="", help="only runs on this host")
        add("--boundary", choices=[b.value for b in Boundary], help="only scores in this boundary")
        if table.compares_hosts:
            add("--baseline", default="", metavar="HOST",
                help="the host that ratios divide by (default: the first one)")  # fmt: skip
            add("--paper", action="store_true", help="the paper's hosts beside one's own")
        else:
            parser.set_defaults(baseline="", paper=False)
        parser.set_defaults(table=name)
        group = parser.add_argument_group("runners")
        group.add_argument(
            "--runner", action="append", default=[], metavar="URL",
            help="address of a runner whose runs count, too; may be repeated",
        )  # fmt: skip
        add_access(group)


def run(arguments: argparse.Namespace) -> int:
    """Show the tables; without a run that could stand in one it is an error."""
    boundary = Boundary(arguments.boundary) if arguments.boundary else None
    choice = Choice(arguments.workload, arguments.host, boundary, arguments.baseline,
                    arguments.paper)  # fmt: skip
    tables = TABLES[arguments.table].make(_runs(arguments, choice), choice)
    if not tables:
        raise ConfigurationError("no scored run for what was asked; measure first (wattmark fit)")
    if arguments.json:
        document = {"tables": [to_json(table) for table in tables]}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    elif arguments.format == "text":
        _show(tables)
    else:
        sys.stdout.write(FORMATS[arguments.format][1](tables))
        if arguments.format == "csv":  # which has no place for them
            notes = dict.fromkeys(note for table in tables for note in table.notes)
            remark(*notes)
    return 0


def _runs(arguments: argparse.Namespace, choice: Choice) -> list[tuple[Score, ...]]:
    """The scores of the runs in all folders and of all runners that are named; in the usual folder
    if none is."""
    folders = arguments.data or ([] if arguments.runner else [DATA])
    runs = [scores for folder in folders for scores in saved_scores(folder)]
    if arguments.runner:
        with runners(arguments) as clients:
            runs += [scores for client in clients for scores in _of_runner(client, choice)]
    return runs


def _of_runner(client: Client, choice: Choice) -> list[tuple[Score, ...]]:
    """Of the runs that its own ranking would show."""
    equal = {"workload": choice.workload, "boundary": choice.boundary}
    groups = client.ranking(**{name: str(value) for name, value in equal.items() if value})
    scores = [score for group in groups for score in (*group.ranked, *group.unranked)]
    runs = dict.fromkeys(score.run_id for score in scores)
    records = as_ours(RunRecord, (client.run(run_id).record for run_id in runs))
    return [record.completed_scores for record in records]


def _show(tables: Sequence[Table]) -> None:
    for table in map(without_empty, tables):
        words = [n for n in range(len(table.columns)) if is_text(table, n)]
        keys = sum(column.name in KEYS for column in table.columns)
        rows = [[*map(number, row)] for row in table.rows]
        grid.show(table.title, [*map(heading, table.columns)], rows, keys=keys, left=words)
        say(*table.notes, "")
