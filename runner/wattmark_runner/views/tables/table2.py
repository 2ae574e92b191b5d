"""Table II: every score of each model on each host, and its rank there: 1 is best."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from wattmark_core.results import Verdict
from wattmark_runner.views.tables.entries import SIZE_SCORES, Entry, Group, groups, titled
from wattmark_runner.views.tables.model import Cell, Choice, Column, PaperTable, Runs, Table


class _Ranks:
    """The values of one formula that rank, of each model on each host, or GPU of it.

    A model with two rows is one rival, by its newer row, and not its own.
    """

    def __init__(self, formula: str, entries: Sequence[Entry]) -> None:
        self._formula = formula
        self._values: dict[str, dict[str, float | None]] = {}
        for entry in entries:
            if self._is_ranked(entry):
                of_place = self._values.setdefault(entry.score.place, {})
                of_place[entry.score.variant] = _value(entry, formula)
        self._ascending = {
            place: sorted(v for v in values.values() if v is not None and not math.isnan(v))
            for place, values in self._values.items()
        }

    def rank(self, entry: Entry, value: float) -> int | None:
        """1 is best; None for an entry that is not ranked."""
        if not self._is_ranked(entry):
            return None
        place = entry.score.place
        ascending = self._ascending[place]
        better = len(ascending) - bisect_right(ascending, value)
        own = self._values[place][entry.score.variant]
        return 1 + better - (own is not None and own > value)

    def _is_ranked(self, entry: Entry) -> bool:
        return any(
            score.formula == self._formula
            and (self._formula in SIZE_SCORES or score.verdict is not Verdict.INVALID)
            for score in entry.others
        )


def _tables(runs: Runs, choice: Choice) -> list[Table]:
    return [_table(group, entries) for group, entries in groups(runs, choice)]


def _table(group: Group, entries: Sequence[Entry]) -> Table:
    formulas = list(dict.fromkeys(score.formula for entry in entries for score in entry.others))
    columns = []
    for formula in formulas:
        columns.append(Column(formula, formula))
        if formula not in SIZE_SCORES:
            columns += [Column(f"{formula} low", "from"), Column(f"{formula} high", "to")]
        columns.append(Column(f"rank by {formula}", "rank"))
    ranks = {formula: _Ranks(formula, entries) for formula in formulas}
    rows = [
        (*entry.whose, *(cell for formula in formulas for cell in _cells(entry, formula, ranks)),
         str(entry.score.verdict))
        for entry in entries
    ]  # fmt: skip
    return titled(TABLE, group, (*columns, Column("verdict", "verdict")), rows,
                  "rank: among the models of the same host, or of the same GPU of it")  # fmt: skip


def _cells(entry: Entry, formula: str, ranks: dict[str, _Ranks]) -> tuple[Cell, ...]:
    """A value, its interval where it rests on energy, and its rank, which an invalid score has
    not."""
    score = next((score for score in entry.others if score.formula == formula), None)
    value = None if score is None else score.value
    bounds: tuple[Cell, ...] = ()
    if formula not in SIZE_SCORES:
        bounds = (None, None) if score is None else (score.low, score.high)
    return value, *bounds, None if value is None else ranks[formula].rank(entry, value)


def _value(entry: Entry, formula: str) -> float | None:
    return next((score.value for score in entry.others if score.formula == formula), None)


TABLE: Final = PaperTable(
    "2", "Table II",
    "Every score of each model and the ranks that they give, as Table II.", _tables,
)  # fmt: skip
