"""``wattmark paper`` and ``wattmark table1 | table2 | table3`` on a folder of runs."""

import csv
import io
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from rich.cells import cell_len

Wattmark = Callable[..., subprocess.CompletedProcess[str]]


def test_the_paper_is_shown_cell_by_cell(wattmark: Wattmark) -> None:
    """As tables, as CSV with every cell, and as JSON; the differences alone on request."""
    text = wattmark("paper")
    assert "Table III" in text.stdout
    words = " ".join(text.stdout.split())
    assert "= 53 cells agree" in words
    assert "5 do not" in words
    assert "46 of 48 ranks" in words
    rows = list(csv.DictReader(io.StringIO(wattmark("paper", "--csv").stdout)))
    cells = json.loads(wattmark("paper", "--json").stdout)
    assert len(rows) == len(cells) == 136
    different = json.loads(wattmark("paper", "--different", "--json").stdout)
    assert {cell["agreement"] for cell in different} == {"within rounding", "different"}


def test_tables_of_a_folder(wattmark: Wattmark, data: Path) -> None:
    """In every format; estimated energy is called so, and a folder twice is no more than once."""
    text = wattmark("table1", "--data", str(data))
    assert text.returncode == 0, text.stderr
    assert "ESTIMATED" in text.stdout
    once = wattmark("table2", "--data", str(data), "--format", "csv").stdout
    twice = wattmark("table2", "--data", str(data), "--data", str(data), "--format", "csv").stdout
    assert once == twice != ""
    assert r"\begin{tabular}" in wattmark("table3", "--data", str(data), "--format", "latex").stdout
    assert "| model |" in wattmark("table3", "--data", str(data), "--format", "markdown").stdout


def test_a_narrow_terminal_gets_every_column(wattmark: Wattmark, data: Path) -> None:
    """Those without room follow below; no number and no name is cut, whatever it holds."""
    arguments = ("table1", "--data", str(data))
    wide = wattmark(*arguments).stdout
    narrow = wattmark(*arguments, env={"FORCE_COLOR": "1", "COLUMNS": "60"}).stdout
    lines = re.sub(r"\x1b\[[\d;]*m", "", narrow).splitlines()
    tables = [line for line in lines if line.startswith(" ")]
    assert max(map(cell_len, tables)) <= 60
    assert "[/x]" in wide  # of a model's name, no markup
    assert narrow.count("[/x]") > wide.count("[/x]")
    words = {word for word in wide.split() if "─" not in word}
    assert words <= set(" ".join(lines).split())


def test_reading_makes_nothing(wattmark: Wattmark, tmp_path: Path) -> None:
    """Neither a folder nor a file."""
    done = wattmark("table1", "--data", "elsewhere")
    assert done.returncode == 2
    assert "no run in elsewhere yet; measure first" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_table_without_runs_says_what_to_do(wattmark: Wattmark, data: Path) -> None:
    """One line, and a status that is not 0."""
    done = wattmark("table1", "--data", str(data), "--workload", "nothing")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "measure first" in done.stderr
