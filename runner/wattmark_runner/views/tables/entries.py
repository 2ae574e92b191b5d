"""Which runs stand in a table, and what all tables have in common."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from wattmark_core.catalogue import Method
from wattmark_core.results import GPU_LETTERS, Boundary, Score, Verdict
from wattmark_runner.records.model import RunRecord
from wattmark_runner.views.tables.model import Cell, Choice, Column, Table
from wattmark_scoring.scores import ACCURACY_PER_PARAMETER, ENERGY_SCORE, NETSCORE

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
    """A run with its score of energy within one boundary, and its other scores there."""

    record: RunRecord
    score: Score
    others: tuple[Score, ...]

    @property
    def fit(self) -> bool:
        """May its energy be compared?"""
        return self.score.verdict is not Verdict.INVALID

    @property
    def whose(self) -> tuple[str, str, str, str]:
        """The cells of ``WHOSE``."""
        score = self.score
        return score.model, score.settings, score.host, score.gpu[:GPU_LETTERS]


def groups(records: Iterable[RunRecord], choice: Choice) -> Iterator[tuple[Group, list[Entry]]]:
    """Entries that may stand in one table: of each host and model, with the same GPU and settings,
    the newest that is not invalid, and the newest invalid one where none is newer."""
    found: dict[tuple[Group, str, str], list[Entry]] = {}
    for record in records:
        for score in record.scores:
            if score.formula == ENERGY_SCORE and _wanted(score, choice):
                others = tuple(each for each in record.scores if each.boundary is score.boundary)
                group = score.workload, score.boundary, score.method is Method.ESTIMATED
                place = group, score.place, score.variant
                found.setdefault(place, []).append(Entry(record, score, others))
    for group in sorted({place[0] for place in found}):
        places = sorted(place for place in found if place[0] == group)
        yield group, [entry for place in places for entry in _newest(found[place])]


def _newest(entries: Sequence[Entry]) -> Iterator[Entry]:
    """An invalid run is not hidden behind an older one that was not."""
    last = max(entries, key=lambda entry: entry.score.time_ns)
    fit = [entry for entry in entries if entry.fit]
    if fit:
        yield max(fit, key=lambda entry: entry.score.time_ns)
    if not last.fit:
        yield last


def _wanted(score: Score, choice: Choice) -> bool:
    return (
        choice.workload in {"", score.workload} and choice.host in {"", score.host}
        and choice.boundary in {None, score.boundary}
    )  # fmt: skip


def titled(
    name: str, title: str, group: Group, columns: tuple[Column, ...],
    rows: Sequence[tuple[Cell, ...]], note: str,
) -> Table:  # fmt: skip
    """A table whose title says workload, boundary and method."""
    workload, boundary, estimated = group
    method = "ESTIMATED energy, relative only" if estimated else "measured energy"
    notes = [note] if note else []
    if estimated:
        notes.append("estimated from CPU time within a factor of two: compare models of one host")
    return Table(name, f"{title}: {workload} · boundary {boundary} · {method}",
                 (*WHOSE, *columns), tuple(rows), tuple(notes))  # fmt: skip


def times(value: float | int | None, factor: float) -> float | None:
    """In another unit; what is missing stays missing."""
    return None if value is None else value * factor
