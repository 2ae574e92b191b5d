"""Tables as text for other programs: CSV, Markdown, LaTeX."""

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from wattmark_core.figures import MISSING, plain
from wattmark_core.printable import printable
from wattmark_runner.views.csv_rows import Row, write_csv
from wattmark_runner.views.tables.model import Cell, Column, Table

LATEX_NEEDS: Final = "% \\usepackage[T1]{fontenc} \\usepackage{booktabs,graphicx,textcomp}\n"
DIGITS: Final = 4
WHOLE_BELOW: Final = 1e7
"""Below it all digits before the point stand."""
_MARKDOWN: Final = str.maketrans({"|": r"\|", "<": "&lt;", ">": "&gt;", "\n": " ", "\r": " "})
_LATEX: Final = str.maketrans({
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "÷": r"$\div$",
    "²": r"\textsuperscript{2}", "·": r"$\cdot$", "–": "--", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}", "\n": " ", "\r": " ",
    "[": "{[}", "]": "{]}", "*": "{*}", "µ": r"\textmu{}",
})  # fmt: skip


def number(cell: Cell) -> str:
    """Four significant digits; a dash for what is missing."""
    if cell is None:
        return MISSING
    if isinstance(cell, float) and 10**DIGITS <= abs(cell) < WHOLE_BELOW:
        return f"{cell:.0f}"
    return plain(cell, DIGITS) if isinstance(cell, float) else str(cell)


def heading(column: Column) -> str:
    """A column's heading with its unit."""
    return f"{column.heading} ({column.unit})" if column.unit else column.heading


def without_empty(table: Table) -> Table:
    """Without columns that are empty in every row: settings, GPUs."""
    filled = [n for n in range(len(table.columns)) if any(row[n] != "" for row in table.rows)]
    return replace(
        table,
        columns=tuple(table.columns[n] for n in filled),
        rows=tuple(tuple(row[n] for n in filled) for row in table.rows),
    )


def to_csv(tables: Iterable[Table]) -> str:
    """All digits; an empty cell is a missing value; the table's title in the first column.

    Several tables have one header, of all their columns. Notes are left out.
    """
    tables = list(tables)
    columns = dict.fromkeys(column.name for table in tables for column in table.columns)
    stream = io.StringIO()
    rows: list[Row] = []
    for table in tables:
        names = [column.name for column in table.columns]
        rows += [{"table": table.title, **dict(zip(names, row, strict=True))} for row in table.rows]
    write_csv(stream, rows, columns=["table", *columns], line_end="\n")
    return stream.getvalue()


def to_markdown(tables: Iterable[Table]) -> str:
    """A heading, the table and its notes, for each."""
    return "\n".join(_markdown(without_empty(table)) for table in tables)


def _markdown(table: Table) -> str:
    sides = ["---" if is_text(table, n) else "---:" for n in range(len(table.columns))]
    title = _plain_words(table.title)
    lines = [f"### {title}", "", _line(map(heading, table.columns)), _line(sides)]
    lines += [_line(_plain_words(number(cell)) for cell in row) for row in table.rows]
    lines += ["", *(f"{_plain_words(note)}.  " for note in table.notes)]
    return "\n".join(lines) + "\n"


def _plain_words(text: str) -> str:
    return printable(" ".join(text.splitlines())).translate(_MARKDOWN)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def to_latex(tables: Iterable[Table]) -> str:
    """As wide as the page, with the rules of booktabs; the first line says what it needs."""
    return LATEX_NEEDS + "\n".join(_latex(without_empty(table)) for table in tables)


def _latex(table: Table) -> str:
    sides = "".join("l" if is_text(table, n) else "r" for n in range(len(table.columns)))
    rows = [_row(map(number, row)) for row in table.rows]
    return "\n".join([
        r"\begin{table}", r"\centering", rf"\caption{{{_escaped(table.title)}}}",
        r"\resizebox{\linewidth}{!}{%", rf"\begin{{tabular}}{{{sides}}}",
        r"\toprule", _row(map(heading, table.columns)),
        r"\midrule", *rows, r"\bottomrule", r"\end{tabular}}",
        *(rf"\par {_escaped(note)}." for note in table.notes), r"\end{table}", "",
    ])  # fmt: skip


def _row(cells: Iterable[str]) -> str:
    return " & ".join(map(_escaped, cells)) + r" \\"


def _escaped(text: str) -> str:
    return printable(" ".join(text.splitlines())).translate(_LATEX)


def is_text(table: Table, column: int) -> bool:
    """Does the column hold words in any row?"""
    return any(isinstance(row[column], str) for row in table.rows)


FORMATS: Final[dict[str, tuple[str, Callable[[Sequence[Table]], str]]]] = {
    "csv": ("text/csv; charset=utf-8", to_csv),
    "markdown": ("text/markdown; charset=utf-8", to_markdown),
    "latex": ("application/x-latex", to_latex),
}
"""Media type and writer of each format."""
