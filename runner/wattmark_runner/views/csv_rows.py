"""Rows as CSV that a spreadsheet may open."""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TextIO

from wattmark_core.printable import printable

FORMULA_SIGNS: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""With one of these, or its full-width form, a cell begins that a spreadsheet computes (OWASP, CSV
injection); what else it names, tab and carriage return, is escaped as it cannot be printed. The
end of a line stands, in quotes."""
_INNER: Final = re.compile(f";(?=[{re.escape(''.join(FORMULA_SIGNS))}])")
"""Where a cell begins for a spreadsheet that takes ``;`` for the separator, quotes or not, as those
of most European languages do."""
Row = Mapping[str, object]


def write_csv(
    stream: TextIO, rows: Iterable[Row], *, columns: Sequence[str] = (), line_end: str = "\r\n"
) -> None:
    """An empty cell is a missing value; columns are those named, else those of all rows in order
    of appearance. Text that cannot be printed is escaped, and what a spreadsheet would compute, at
    a text's beginning or behind a semicolon, has an apostrophe before it; numbers stay numbers."""
    rows = list(rows)
    names = columns or list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.writer(stream, lineterminator=line_end)
    writer.writerow([_cell(name) for name in names])
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)


def _cell(value: object) -> object:
    if value is None or isinstance(value, int | float):
        return value
    text = "\n".join(map(printable, str(value).split("\n")))
    text = _INNER.sub(";'", text)
    return f"'{text}" if text.lstrip().startswith(FORMULA_SIGNS) else text
