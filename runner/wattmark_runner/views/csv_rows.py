"""Rows as CSV that a spreadsheet may open."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TextIO

from wattmark_core.printable import printable

FORMULA_SIGNS: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""With one of these, or its full-width form, a cell begins that a spreadsheet computes (OWASP, CSV
injection); what else it names, tab and carriage return, is escaped as it cannot be printed. The
end of a line stands, in quotes."""
Row = Mapping[str, object]


def write_csv(
    stream: TextIO, rows: Iterable[Row], *, columns: Sequence[str] = (), line_end: str = "\r\n"
) -> None:
    """An empty cell is a missing value; columns are those named, else those of all rows in order
    of appearance. Text that cannot be printed is escaped, and text that a spreadsheet would compute
    has an apostrophe before it; numbers stay numbers."""
    rows = list(rows)
    names = columns or list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.writer(stream, lineterminator=line_end)
    writer.writerow([_cell(name) for name in names])
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)


def _cell(value: object) -> object:
    if value is None or isinstance(value, int | float):
        return value
    text = "\n".join(map(printable, str(value).split("\n")))
    return f"'{text}" if text.lstrip().startswith(FORMULA_SIGNS) else text
