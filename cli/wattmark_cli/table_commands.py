"""``wattmark table1 | table2 | table3``: the paper's tables over runs of one's own."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table as Shown

from wattmark_cli.data import saved_records
from wattmark_cli.options import DATA, Subparsers, add_command
from wattmark_cli.remote import add_runner, runner
from wattmark_core.errors import ConfigurationError
from wattmark_core.results import Boundary
from wattmark_runner.codec import to_json
from wattmark_runner.table_text import FORMATS, heading, number
from wattmark_runner.tables import TABLES, Choice, Column, Table

MEANINGS: Final = {
    "1": "Accuracy, time, power, energy and use of the machine, as the paper's Table I.",
    "2": "Every score of each model and the ranks that they give, as Table II.",
    "3": "Energy and score of each model on each host, with ratios, as Table III.",
}


def add_parser(subparsers: Subparsers) -> None:
    """The options of all three."""
    for name, meaning in MEANINGS.items():
        more = " --baseline lab1 --paper" if name == "3" else ""
        parser = add_command(
            subparsers, f"table{name}", meaning, f"wattmark table{name} --format latex{more}", run,
            data=False,
        )  # fmt: skip
        add = parser.add_argument
        add("--data", type=Path, action="append", default=[], metavar="DIR",
            help=f"folder of runs; may be repeated (default: {DATA})")  # fmt: skip
        add("--format", choices=("text", *FORMATS), default="text", help="(default: %(default)s)")
        add("--workload", default="", help="only this workload")
        add("--host", default="", help="only this host")
        add("--boundary", choices=[b.value for b in Boundary], help="only this boundary")
        if name == "3":
            add("--baseline", default="", metavar="HOST", help="what ratios divide by (default:"
                " the first host)")  # fmt: skip
            add("--paper", action="store_true", help="the paper's hosts beside one's own")
        parser.set_defaults(table=name, baseline="", paper=False)
        add_runner(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show the tables; without a run that could stand in one it is an error."""
    if arguments.runner and arguments.data:
        raise ConfigurationError("--runner and --data: give one of them")
    tables = _remote(arguments) if arguments.runner else _local(arguments)
    if not tables:
        raise ConfigurationError("no scored run for what was asked; measure first (wattmark fit)")
    if arguments.json:
        document = {"tables": [to_json(table) for table in tables]}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    elif arguments.format == "text":
        _show(tables)
    else:
        sys.stdout.write(FORMATS[arguments.format][1](tables))
    return 0


def _local(arguments: argparse.Namespace) -> list[Table]:
    records = [record for data in arguments.data or [DATA] for record in saved_records(data, [])]
    boundary = Boundary(arguments.boundary) if arguments.boundary else None
    choice = Choice(arguments.workload, arguments.host, boundary, arguments.baseline,
                    arguments.paper)  # fmt: skip
    return TABLES[arguments.table](records, choice)


def _remote(arguments: argparse.Namespace) -> list[Table]:
    names = ("workload", "host", "boundary", "baseline", "paper")
    params = {name: getattr(arguments, name) for name in names if getattr(arguments, name)}
    with runner(arguments) as client:
        body = client.call("GET", f"/tables/{arguments.table}", params=params)
    return [
        Table(
            each["name"], each["title"], tuple(Column(**column) for column in each["columns"]),
            tuple(map(tuple, each["rows"])), tuple(each["notes"]),
        )
        for each in body["tables"]
    ]  # fmt: skip


def _show(tables: Sequence[Table]) -> None:
    console = Console()
    for table in tables:
        shown = Shown(title=table.title, box=box.SIMPLE_HEAD, title_justify="left",
                      padding=(0, 1, 0, 0))  # fmt: skip
        for index, column in enumerate(table.columns):
            text = any(isinstance(row[index], str) for row in table.rows)
            shown.add_column(heading(column), justify="left" if text else "right")
        for row in table.rows:
            shown.add_row(*map(number, row))
        console.print(shown)
        for note in table.notes:
            console.print(note, style="dim")
