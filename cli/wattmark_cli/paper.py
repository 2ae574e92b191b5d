"""``wattmark paper``: the published tables beside what their own inputs give."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.text import Text

from wattmark_cli import grid
from wattmark_cli.options import Subparsers, add_command
from wattmark_core.figures import MISSING, plain
from wattmark_runner.views.csv_rows import write_csv
from wattmark_scoring.paper import HOSTS, MODELS, Cell, Match, recompute

MARKS = {Match.PRINTED: "[green]=[/]", Match.ROUNDING: "[yellow]≈[/]",
         Match.DIFFERENT: "[red]≠[/]", None: " "}  # fmt: skip
TITLES = {
    "I": "Table I: energy on the A100",
    "II": "Table II: scores without energy, and the ranks that each score gives",
    "III": "Table III: energy per inference and score on each host",
}


def add_parser(subparsers: Subparsers) -> None:
    """The command's options."""
    parser = add_command(
        subparsers, "paper", "wattmark paper --different", run, data=False,
    )  # fmt: skip
    add = parser.add_argument
    add("--csv", action="store_true", help="print one CSV line for each cell instead")
    add("--different", action="store_true", help="only cells that print precision does not explain")


def run(arguments: argparse.Namespace) -> int:
    """Show every cell; a cell that disagrees is what the command is for, not an error."""
    cells = recompute()
    if arguments.different:
        cells = tuple(c for c in cells if c.agreement not in {None, Match.PRINTED})
    if arguments.json:
        sys.stdout.write(json.dumps([_row(cell) for cell in cells], indent=2) + "\n")
    elif arguments.csv:
        write_csv(sys.stdout, [_row(cell) for cell in cells], line_end="\n")
    else:
        _show(cells)
    return 0


def _row(cell: Cell) -> dict[str, Any]:
    return {**asdict(cell), "agreement": cell.agreement}


def _show(cells: Sequence[Cell]) -> None:
    for number, title in TITLES.items():
        own = [cell for cell in cells if cell.table == number]
        if own:
            _table(title, own)
            sys.stdout.write("\n")
    Console().print(_legend())


def _table(title: str, cells: Sequence[Cell]) -> None:
    """A row for each network, a column for each of the paper's."""
    columns = list(dict.fromkeys(cell.column for cell in cells))
    by_place = {(cell.model, cell.column): cell for cell in cells}
    rows: list[list[Text | str]] = []
    for network in MODELS:
        row = [by_place.get((network.model, column)) for column in columns]
        if any(row):
            rows.append([network.model, *(_shown(cell) for cell in row)])
    grid.show(title, ["network", *map(_heading, columns)], rows, keys=1, left=[0])


def _heading(column: str) -> str:
    words = column.replace("uwh_", "µWh ").replace("_wh", " (Wh)").replace("_", " ")
    for host in HOSTS:
        words = words.replace(host.key, f"{host.name} ({host.boundary})")
    return words


def _shown(cell: Cell | None) -> Text:
    """The printed number, and the computed one where it differs."""
    if cell is None:
        return Text(MISSING)
    mark = MARKS[cell.agreement]
    if cell.agreement in {None, Match.PRINTED}:
        return Text.from_markup(f"{cell.published or plain(cell.computed)} {mark}")
    return Text.from_markup(f"{cell.published} {mark} {plain(cell.computed, 4)}")


def _legend() -> str:
    cells = recompute()
    ranks = [cell for cell in cells if cell.column.startswith("rank by ")]
    counts = Counter(cell.agreement for cell in cells if cell not in ranks)
    same = sum(cell.agreement is not Match.DIFFERENT for cell in ranks)
    return (
        f"{MARKS[Match.PRINTED]} {counts[Match.PRINTED]} cells agree at print precision,"
        f" {MARKS[Match.ROUNDING]} {counts[Match.ROUNDING]} within the rounding of their"
        f" inputs, {MARKS[Match.DIFFERENT]} {counts[Match.DIFFERENT]} do not;"
        f" {counts[None]} ratios are not in our data (docs/paper.md)."
        f" {same} of {len(ranks)} ranks are those that the printed scores give.\n"
        "Boundaries differ: GPU rows count the board alone, CPU rows RAPL alone, so the two kinds"
        " cannot be compared.\nSource: arXiv 2310.09554, Tables I to III; docs/paper.md says more."
    )
