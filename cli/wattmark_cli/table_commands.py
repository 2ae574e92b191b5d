"""``wattmark table1 | table2 | table3``: the paper's tables over runs of one's own."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from wattmark_cli import grid
from wattmark_cli.data import saved_records
from wattmark_cli.options import DATA, Subparsers, add_command
from wattmark_cli.remote import add_access, as_ours, runners
from wattmark_client import Client
from wattmark_core.codec import to_json
from wattmark_core.errors import ConfigurationError
from wattmark_core.results import Boundary
from wattmark_runner.records.model import RunRecord
from wattmark_runner.views.tables import TABLES, Choice, Table
from wattmark_runner.views.tables.text import FORMATS, heading, is_text, number, told

KEYS: Final = frozenset({"model", "settings", "host", "gpu"})
"""What a row is about."""


def add_parser(subparsers: Subparsers) -> None:
    """The options of all three."""
    for name in TABLES:
        more = " --baseline lab1 --paper" if name == "3" else ""
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
        if name == "3":
            add("--baseline", default="", metavar="HOST",
                help="the host that ratios divide by (default: the first one)")  # fmt: skip
            add("--paper", action="store_true", help="the paper's hosts beside one's own")
        parser.set_defaults(table=name, **({} if name == "3" else {"baseline": "", "paper": False}))
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
    tables = TABLES[arguments.table](_records(arguments, choice), choice)
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
            sys.stderr.writelines(f"{note}\n" for note in notes)
    return 0


def _records(arguments: argparse.Namespace, choice: Choice) -> list[RunRecord]:
    """Of all folders and runners that are named; of the usual folder if none is."""
    folders = arguments.data or ([] if arguments.runner else [DATA])
    records = [record for folder in folders for record in saved_records(folder, [])]
    if arguments.runner:
        with runners(arguments) as clients:
            records += [record for client in clients for record in _of_runner(client, choice)]
    return records


def _of_runner(client: Client, choice: Choice) -> list[RunRecord]:
    """The runs that its own ranking would show."""
    equal = {"workload": choice.workload, "boundary": choice.boundary}
    groups = client.ranking(**{name: str(value) for name, value in equal.items() if value})
    scores = [score for group in groups for score in (*group.ranked, *group.unranked)]
    runs = dict.fromkeys(score.run_id for score in scores)
    return as_ours(RunRecord, (client.run(run_id).record for run_id in runs))


def _show(tables: Sequence[Table]) -> None:
    for table in map(told, tables):
        words = [n for n in range(len(table.columns)) if is_text(table, n)]
        keys = sum(column.name in KEYS for column in table.columns)
        rows = [[*map(number, row)] for row in table.rows]
        grid.show(table.title, [*map(heading, table.columns)], rows, keys=keys, left=words)
        sys.stdout.writelines(f"{note}\n" for note in table.notes)
        sys.stdout.write("\n")
