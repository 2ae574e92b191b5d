"""Table III: energy per inference and score of each model on each host, and ratios to one host."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from wattmark_core.results import Boundary
from wattmark_runner.errors import ParameterError
from wattmark_runner.views.tables.entries import Entry, Group, groups, titled
from wattmark_runner.views.tables.model import Cell, Choice, Column, PaperTable, Runs, Table
from wattmark_scoring.paper import HOSTS, MODELS
from wattmark_scoring.paper.cells import score
from wattmark_scoring.paper.printed import extremes

JOULES_PER_MICROWATTHOUR: Final = 3.6e-3
COLUMNS: Final = (
    Column("joules", "energy per inference", "J"), Column("joules_low", "from", "J"),
    Column("joules_high", "to", "J"), Column("energy_ratio", "÷ baseline"),
    Column("score", "score", "1/mWh"), Column("low", "from"), Column("high", "to"),
    Column("score_ratio", "÷ baseline"), Column("method", "method"), Column("verdict", "verdict"),
)  # fmt: skip
PAPER_NOTE: Final = (
    "the paper's rows are of ILSVRC2012, of boundaries gpu and cpu, and measured; their scores"
    " follow from printed accuracy and energy, their intervals are print rounding alone, and with"
    " other images ratios to them mean nothing"
)


@dataclass(frozen=True, slots=True)
class _Line:
    """A model on a host, or on a GPU of it: J per inference and score, with intervals."""

    model: str
    settings: str
    host: str
    gpu: str
    joules: float | None
    joules_low: float | None
    joules_high: float | None
    score: float | None
    low: float | None
    high: float | None
    method: str | None
    verdict: str
    is_comparable: bool
    of_paper: bool = False

    @property
    def place(self) -> str:
        """Host and GPU in words."""
        return f"{self.host} {self.gpu}".rstrip()


def _tables(runs: Runs, choice: Choice) -> list[Table]:
    """Raises ``ParameterError`` for a baseline that is in no table."""
    every_host = replace(choice, host="")  # the baseline may be another than the one that is shown
    lined = [(group, _lines(group, entries, choice)) for group, entries in groups(runs, every_host)]
    places = dict.fromkeys(line.place for _, lines in lined for line in lines)
    if lined and choice.baseline and not any(_named(lines, choice) for _, lines in lined):
        raise ParameterError(
            "baseline",
            f"no run of the baseline {choice.baseline}; there are runs of {', '.join(places)}",
        )
    tables = (_table(group, lines, choice) for group, lines in lined)
    return [table for table in tables if table.rows]


def _lines(group: Group, entries: Sequence[Entry], choice: Choice) -> list[_Line]:
    """One's own, and the paper's."""
    _, boundary, estimated = group
    lines = [_line(entry) for entry in entries]
    if choice.paper and not estimated:
        lines += _paper(boundary, {line.model for line in lines})
    return lines


def _named(lines: Sequence[_Line], choice: Choice) -> list[_Line]:
    """Those that may be the baseline."""
    return [line for line in lines if choice.baseline in {"", line.host, line.place}]


def _table(group: Group, lines: Sequence[_Line], choice: Choice) -> Table:
    _, _, estimated = group
    named = _named(lines, choice)
    baseline = named[0].place if named else ""
    places = {line.place: n for n, line in enumerate(lines)}
    base: dict[str, list[_Line]] = {}
    for line in lines:
        if line.place == baseline and line.is_comparable:
            base.setdefault(line.model, []).append(line)
    if estimated:
        base, note = {}, "estimated energy is not compared between hosts: no ratios"
    elif not baseline:
        note = f"no run of {choice.baseline}: no ratios"
    else:
        note = (
            f"the baseline is {baseline}: its run of the model with the same settings, else its"
            " only one; an invalid run is compared with nothing"
        )
    if choice.paper:
        note = f"{note}; {PAPER_NOTE}"
    shown = [line for line in lines if choice.host in {"", line.host} or line.of_paper]
    shown.sort(key=lambda line: (line.model, line.settings, places[line.place]))
    rows = [_cells(line, _base(line, base)) for line in shown]
    return titled(TABLE, group, COLUMNS, rows, note)


def _base(line: _Line, base: Mapping[str, Sequence[_Line]]) -> _Line | None:
    """What a line is divided by, of the baseline's lines of each model."""
    same_model = base.get(line.model, [])
    same = [other for other in same_model if other.settings == line.settings]
    candidates = same or same_model
    return candidates[0] if len(candidates) == 1 else None


def _line(entry: Entry) -> _Line:
    own = entry.score
    return _Line(
        *entry.whose, own.joules_per_inference, own.joules_per_inference_low,
        own.joules_per_inference_high, own.value, own.low, own.high,
        None if own.method is None else str(own.method), str(own.verdict), entry.is_comparable,
    )  # fmt: skip


def _cells(line: _Line, base: _Line | None) -> tuple[Cell, ...]:
    energy_ratio = score_ratio = None
    if base is not None and line.is_comparable:
        energy_ratio = _ratio(line.joules, base.joules)
        score_ratio = _ratio(line.score, base.score)
    return (
        line.model, line.settings, line.host, line.gpu, line.joules, line.joules_low,
        line.joules_high, energy_ratio, line.score, line.low, line.high, score_ratio, line.method,
        line.verdict,
    )  # fmt: skip


def _ratio(one: float | None, other: float | None) -> float | None:
    return None if one is None or not other else one / other


def _paper(boundary: Boundary, models: Collection[str]) -> list[_Line]:
    """The paper's hosts of the same boundary, for models that are among one's own."""
    printed = []
    for host in HOSTS:
        for network in MODELS:
            if host.boundary == boundary and network.keras_name in models:
                energy = network[f"uwh_{host.key}"]
                inputs = (network["accuracy"], energy)
                joules, low, high = (
                    microwatthours * JOULES_PER_MICROWATTHOUR
                    for microwatthours in (energy.value, *energy.bounds)
                )
                printed.append(_Line(
                    network.keras_name, "", f"paper: {host.name}", "", joules, low, high,
                    score(*(number.value for number in inputs)), *extremes(score, inputs), None,
                    "as printed", True, True,
                ))  # fmt: skip
    return printed


TABLE: Final = PaperTable(
    "3", "Table III",
    "Energy and score of each model on each host, with ratios, as Table III.", _tables,
    compares_hosts=True,
)  # fmt: skip
