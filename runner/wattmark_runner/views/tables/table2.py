"""Table II: every score of each model on each host, and its rank there: 1 is best."""

from collections.abc import Iterable, Sequence

from wattmark_core.results import Verdict
from wattmark_runner.records.model import RunRecord
from wattmark_runner.views.tables.entries import SIZE_SCORES, Entry, Group, groups, titled
from wattmark_runner.views.tables.model import Cell, Choice, Column, Table


def table2(records: Iterable[RunRecord], choice: Choice) -> list[Table]:
    """A row for each run."""
    return [_table(group, entries) for group, entries in groups(records, choice)]


def _table(group: Group, entries: Sequence[Entry]) -> Table:
    formulas = list(dict.fromkeys(each.formula for entry in entries for each in entry.others))
    columns = []
    for formula in formulas:
        columns.append(Column(formula, formula))
        if formula not in SIZE_SCORES:
            columns += [Column(f"{formula} low", "from"), Column(f"{formula} high", "to")]
        columns.append(Column(f"rank by {formula}", "rank"))
    rows = [
        (*entry.whose, *(cell for formula in formulas for cell in _ranked(entry, formula, entries)),
         str(entry.score.verdict))
        for entry in entries
    ]  # fmt: skip
    return titled("2", "Table II", group, (*columns, Column("verdict", "verdict")), rows,
                  "rank: among the models of the same host, or of the same GPU of it")  # fmt: skip


def _ranked(entry: Entry, formula: str, entries: Sequence[Entry]) -> tuple[Cell, ...]:
    """A value, its interval where it rests on energy, and its rank, which an invalid score has
    not."""
    score = next((each for each in entry.others if each.formula == formula), None)
    value = None if score is None else score.value
    bounds: tuple[Cell, ...] = ()
    if formula not in SIZE_SCORES:
        bounds = (None, None) if score is None else (score.low, score.high)
    if value is None or not _ranks(entry, formula):
        return value, *bounds, None
    rivals = {each.score.variant: _value(each, formula) for each in entries
              if each.score.place == entry.score.place and _ranks(each, formula)
              and each.score.variant != entry.score.variant}  # fmt: skip
    better = sum(rival is not None and rival > value for rival in rivals.values())
    return value, *bounds, 1 + better  # a model with two rows is one rival, and not its own


def _value(entry: Entry, formula: str) -> float | None:
    return next((each.value for each in entry.others if each.formula == formula), None)


def _ranks(entry: Entry, formula: str) -> bool:
    return any(
        each.formula == formula and (formula in SIZE_SCORES or each.verdict is not Verdict.INVALID)
        for each in entry.others
    )
