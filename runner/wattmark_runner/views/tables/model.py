"""What a table is, and which runs are wanted in it."""

from dataclasses import dataclass

from wattmark_core.results import Boundary

Cell = float | int | str | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column: what it is called for programs and for people, and its unit."""

    name: str
    heading: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One table; ``rows`` hold a cell for each column, ``notes`` what its reader must know."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """Which runs: empty means all.

    ``baseline``: the host that ratios of Table III divide by, with its GPU if it has several;
    empty: the first. ``paper``: the paper's hosts beside one's own, where the boundary is theirs.
    """

    workload: str = ""
    host: str = ""
    boundary: Boundary | None = None
    baseline: str = ""
    paper: bool = False
