"""What a table is, how it is made, and which runs stand in it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from wattmark_core.results import Boundary, Score

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


Runs = Iterable[tuple[Score, ...]]
"""The scores of each run, as ``RunRecord.completed_scores`` and ``RunDatabase`` give them."""


@dataclass(frozen=True, slots=True)
class PaperTable:
    """A table that REST and the command line offer as ``name``: one module here, one line in
    ``TABLES``.

    ``title``: what its tables are headed with, before workload, boundary and method. ``meaning``:
    a sentence for who chooses among them. ``make``: a table for each workload and boundary; it
    raises ``ParameterError``. ``compares_hosts``: it heeds a choice's ``baseline`` and ``paper``.
    """

    name: str
    title: str
    meaning: str
    make: Callable[[Runs, Choice], list[Table]]
    compares_hosts: bool = False
