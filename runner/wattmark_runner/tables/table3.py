"""Table III: energy per inference and score of each model on each host, and ratios to one host."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from wattmark_core.results import Boundary
from wattmark_runner.records import RunRecord
from wattmark_runner.tables.entries import Entry, Group, groups, titled
from wattmark_runner.tables.model import Cell, Choice, Column, Table
from wattmark_scoring.paper import HOSTS, MODELS

JOULES_PER_MICROWATTHOUR: Final = 3.6e-3
COLUMNS: Final = (
    Column("joules", "energy per inference", "J"), Column("joules_low", "from", "J"),
    Column("joules_high", "to", "J"), Column("energy_ratio", "÷ baseline"),
    Column("score", "score", "1/mWh"), Column("low", "from"), Column("high", "to"),
    Column("score_ratio", "÷ baseline"), Column("method", "method"), Column("verdict", "verdict"),
)  # fmt: skip
PAPER_NOTE: Final = (
    "the paper's rows are of ILSVRC2012, of boundaries gpu and cpu, and measured; their intervals"
    " are print rounding alone, and with other images ratios to them mean nothing"
)


@dataclass(frozen=True, slots=True)
class _Line:
    """What a host, or a GPU of it, says of a model: J per inference and score, with intervals."""

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
    fit: bool

    @property
    def place(self) -> str:
        """Host and GPU."""
        return f"{self.host} {self.gpu}".rstrip()


def table3(records: Iterable[RunRecord], choice: Choice) -> list[Table]:
    """A row for each run."""
    return [_table(group, entries, choice) for group, entries in groups(records, choice)]


def _table(group: Group, entries: Sequence[Entry], choice: Choice) -> Table:
    _, boundary, estimated = group
    lines = [_line(entry) for entry in entries]
    if choice.paper and not estimated:
        lines += _paper(boundary, {line.model for line in lines})
    named = [each for each in lines if choice.baseline in {"", each.host, each.place}]
    baseline = named[0].place if named else ""
    places = {line.place: n for n, line in enumerate(lines)}
    lines.sort(key=lambda line: (line.model, line.settings, places[line.place]))
    base = [line for line in lines if line.place == baseline and line.fit]
    if estimated:
        base, note = [], "estimated energy is not compared between hosts: no ratios"
    elif not baseline:
        note = f"no run of {choice.baseline}: no ratios"
    else:
        note = (
            f"the baseline is {baseline}: its run of the model with the same settings, else its"
            " only one; an invalid run is compared with nothing"
        )
    if choice.paper:
        note = f"{note}; {PAPER_NOTE}"
    rows = [_cells(line, _base(line, base)) for line in lines]
    return titled("3", "Table III", group, COLUMNS, rows, note)


def _base(line: _Line, base: Sequence[_Line]) -> _Line | None:
    """What a line is divided by."""
    same_model = [each for each in base if each.model == line.model]
    same = [each for each in same_model if each.settings == line.settings]
    found = same or same_model
    return found[0] if len(found) == 1 else None


def _line(entry: Entry) -> _Line:
    score = entry.score
    return _Line(
        *entry.whose, score.joules_per_inference, score.joules_per_inference_low,
        score.joules_per_inference_high, score.value, score.low, score.high,
        None if score.method is None else str(score.method), str(score.verdict), entry.fit,
    )  # fmt: skip


def _cells(line: _Line, base: _Line | None) -> tuple[Cell, ...]:
    energy_ratio = score_ratio = None
    if base is not None and line.fit:
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
    found = []
    for host in HOSTS:
        for network in MODELS:
            if host.boundary == boundary and network.keras_name in models:
                energy, score = network[f"uwh_{host.key}"], network[f"score_{host.key}"]
                joules, low, high = (
                    microwatthours * JOULES_PER_MICROWATTHOUR
                    for microwatthours in (energy.value, *energy.bounds)
                )
                found.append(_Line(
                    network.keras_name, "", f"paper: {host.name}", "", joules, low, high,
                    score.value, *score.bounds, None, "as printed", True,
                ))  # fmt: skip
    return found
