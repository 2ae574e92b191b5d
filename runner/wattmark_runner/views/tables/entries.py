"""Which runs stand in a table, and what all tables have in common."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from wattmark_core.catalogue import Method
from wattmark_core.labels import comparison
from wattmark_core.results import (
    ACCURACY_PER_PARAMETER,
    ENERGY_SCORE,
    GPU_LETTERS,
    NETSCORE,
    Boundary,
    Score,
    Verdict,
)
from wattmark_runner.views.tables.model import Cell, Choice, Column, PaperTable, Runs, Table

Group = tuple[str, Boundary, bool]
"""Workload, boundary, and whether energy is estimated."""
SIZE_SCORES: Final = frozenset({ACCURACY_PER_PARAMETER, NETSCORE})
"""They rest on no energy, so estimated or spoilt energy does not touch them."""
WHOSE: Final = (
    Column("model", "model"), Column("settings", "settings"), Column("host", "host"),
    Column("gpu", "GPU"),
)  # fmt: skip
"""The columns that every table begins with."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A run's score of energy within one boundary, and the scores that it has there."""

    score: Score
    others: tuple[Score, ...]

    @property
    def is_comparable(self) -> bool:
        """May its energy be compared?"""
        return self.score.verdict is not Verdict.INVALID

    @property
    def whose(self) -> tuple[str, str, str, str]:
        """The cells of ``WHOSE``."""
        score = self.score
        return score.model, score.settings, score.host, score.gpu[:GPU_LETTERS]


def groups(runs: Runs, choice: Choice) -> Iterator[tuple[Group, list[Entry]]]:
    """Entries that may stand in one table: of each host and model, with the same GPU and settings,
    the newest valid one, else the newest warned one, and the newest invalid one where neither is
    newer: as in the ranking."""
    places: dict[Group, dict[tuple[str, str], list[Entry]]] = {}
    for scores in runs:
        for score in scores:
            if score.formula == ENERGY_SCORE and _is_chosen(score, choice):
                others = tuple(other for other in scores if other.boundary is score.boundary)
                group = score.workload, score.boundary, score.method is Method.ESTIMATED
                place = score.place, score.variant
                places.setdefault(group, {}).setdefault(place, []).append(Entry(score, others))
    for group, entries in sorted(places.items(), key=lambda item: item[0]):
        yield group, [entry for place in sorted(entries) for entry in _newest(entries[place])]


def _newest(entries: Sequence[Entry]) -> Iterator[Entry]:
    """An invalid run is not hidden behind an older one that was not."""
    last = max(entries, key=lambda entry: entry.score.time_ns)
    comparable = [entry for entry in entries if entry.is_comparable]
    valid = [entry for entry in comparable if entry.score.verdict is Verdict.VALID]
    if comparable:
        yield max(valid or comparable, key=lambda entry: entry.score.time_ns)
    if not last.is_comparable:
        yield last


def _is_chosen(score: Score, choice: Choice) -> bool:
    return (
        choice.workload in {"", score.workload} and choice.host in {"", score.host}
        and choice.boundary in {None, score.boundary}
    )  # fmt: skip


def titled(
    table: PaperTable, group: Group, columns: tuple[Column, ...],
    rows: Sequence[tuple[Cell, ...]], note: str,
) -> Table:  # fmt: skip
    """A table whose title says workload, boundary and method; ``rows`` begin with the cells of
    ``WHOSE``, ``columns`` come after those."""
    workload, boundary, estimated = group
    compared = comparison(workload, boundary, estimated=estimated)
    notes = [note] if note else []
    if estimated:
        notes.append("estimated from CPU time within a factor of two: compare models of one host")
    return Table(table.name, f"{table.title}: {compared}",
                 (*WHOSE, *columns), tuple(rows), tuple(notes))  # fmt: skip


def times(value: float | int | None, factor: float) -> float | None:
    """In another unit; what is missing stays missing."""
    return None if value is None else value * factor
