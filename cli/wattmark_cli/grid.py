"""Tables on a terminal, of which nothing is cut off."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from wattmark_core.printable import printable

GAP = 2
"""Between two columns, and at both edges of a table together."""
LEAST = 12
"""Width of a column that is broken into lines."""


def show(
    title: str, headings: Sequence[str], rows: Sequence[Sequence[Text | str]], *, keys: int,
    left: Sequence[int], together: int = 1,
) -> None:  # fmt: skip
    """Print a table; columns for which there is no room follow below, behind the first ``keys``.

    ``left``: columns of words. The first ``together`` columns always stand side by side: where
    there is no room, the first one is broken into lines. Into a file or a pipe all goes side by
    side.
    """
    headings = [*map(printable, headings)]
    cells = [
        [Text(printable(cell)) if isinstance(cell, str) else cell for cell in row] for row in rows
    ]
    widths = [
        max(*map(cell_len, heading.split()), *(row[n].cell_len for row in cells), 0)
        for n, heading in enumerate(headings)
    ]
    console = Console()
    if not console.is_terminal:
        console = Console(width=_width(widths))
    if together > 1:
        widths[0] = min(widths[0], max(LEAST, console.width - _width(widths[1:together]) - GAP))
    console.print(Text(printable(title), style="italic"))
    for columns in _parts(widths, keys, console.width):
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for column in columns:
            table.add_column(
                Text(headings[column]), justify="left" if column in left else "right",
                width=widths[column], overflow="fold",
            )  # fmt: skip
        for row in cells:
            table.add_row(*(row[column] for column in columns))
        console.print(table)


def _parts(widths: Sequence[int], keys: int, room: int) -> Iterator[list[int]]:
    """The columns of each part: the keys, and as many others as there is room for."""
    part = first = list(range(keys))
    for column in range(keys, len(widths)):
        if len(part) > keys and _width([widths[n] for n in (*part, column)]) > room:
            yield part
            part = first
        part = [*part, column]
    yield part


def _width(widths: Sequence[int]) -> int:
    """The width of a table, in characters."""
    return sum(widths) + GAP * len(widths) + GAP
