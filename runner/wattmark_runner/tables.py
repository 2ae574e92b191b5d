"""The paper's Tables I, II and III over runs of one's own, of any hosts.

A missing number is None, never zero. Only scores of one workload and boundary stand in one table,
and never estimated energy beside measured.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from wattmark_core.catalogue import Method
from wattmark_core.results import Boundary, Score, Verdict
from wattmark_runner.records import RunRecord
from wattmark_scoring.paper import HOSTS, MODELS
from wattmark_scoring.scores import ACCURACY_PER_PARAMETER, ENERGY_SCORE, NETSCORE

Cell = float | int | str | None
Group = tuple[str, Boundary, bool]
"""Workload, boundary, and whether energy is estimated."""
JOULES_PER_MICROWATTHOUR: Final = 3.6e-3
SIZE_SCORES: Final = frozenset({ACCURACY_PER_PARAMETER, NETSCORE})
"""They rest on no energy, so estimated or spoilt energy does not touch them."""


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

    ``baseline``: the host that ratios of Table III divide by; empty: the first. ``paper``: the
    paper's hosts beside one's own, where the boundary is theirs.
    """

    workload: str = ""
    host: str = ""
    boundary: Boundary | None = None
    baseline: str = ""
    paper: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A run with its score of energy within one boundary, and its other scores there."""

    record: RunRecord
    score: Score
    others: tuple[Score, ...]

    @property
    def place(self) -> tuple[Group, str, str]:
        """Where it stands: its table, host and model."""
        score = self.score
        group = (score.workload, score.boundary, score.method is Method.ESTIMATED)
        return group, score.host, score.model

    @property
    def fit(self) -> bool:
        """May it be compared?"""
        return self.score.verdict is not Verdict.INVALID


def table1(records: Iterable[RunRecord], choice: Choice) -> list[Table]:
    """Accuracy, time, power, energy and use of the machine, for a pass over the test set."""
    columns = (
        Column("model", "model"), Column("host", "host"), Column("accuracy", "accuracy", "%"),
        Column("seconds", "inference time", "s"), Column("watts", "average power", "W"),
        Column("watt_hours", "total energy", "Wh"), Column("watt_hours_low", "from", "Wh"),
        Column("watt_hours_high", "to", "Wh"),
        Column("gpu_utilization", "GPU use", "%"), Column("gpu_memory", "GPU memory", "GiB"),
        Column("cpu_utilization", "CPU use", "%"), Column("memory", "memory", "GiB"),
        Column("parameters", "parameters", "M"), Column("macs", "MACs", "G"),
        Column("method", "method"), Column("verdict", "verdict"),
    )  # fmt: skip
    return [
        _table("1", "Table I", group, columns, [_row1(entry) for entry in entries],
               "time and energy of one pass over the test set; use and memory of the whole machine")
        for group, entries in _groups(records, choice)
    ]  # fmt: skip


def table2(records: Iterable[RunRecord], choice: Choice) -> list[Table]:
    """Every score of each model on each host, and its rank there: 1 is best."""
    return [_table2(group, entries) for group, entries in _groups(records, choice)]


def table3(records: Iterable[RunRecord], choice: Choice) -> list[Table]:
    """Energy per inference and score of each model on each host, and their ratios to one host."""
    return [_table3(group, entries, choice) for group, entries in _groups(records, choice)]


TABLES: Final = {"1": table1, "2": table2, "3": table3}


def _groups(records: Iterable[RunRecord], choice: Choice) -> Iterator[tuple[Group, list[Entry]]]:
    """Entries that may stand in one table: of each host and model the newest that is not invalid,
    and the newest invalid one where none is newer."""
    found: dict[tuple[Group, str, str], list[Entry]] = {}
    for record in records:
        for score in record.scores:
            if score.formula == ENERGY_SCORE and _wanted(score, choice):
                others = tuple(each for each in record.scores if each.boundary is score.boundary
                               or each.formula in SIZE_SCORES)  # fmt: skip
                entry = Entry(record, score, others)
                found.setdefault(entry.place, []).append(entry)
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


def _row1(entry: Entry) -> tuple[Cell, ...]:
    record, score, used = entry.record, entry.score, entry.record.usage
    images, speed = record.test_images, score.inferences_per_second
    seconds = images / speed if images and speed else None
    energies = (
        score.joules_per_inference, score.joules_per_inference_low, score.joules_per_inference_high,
    )  # fmt: skip
    hours = None if not images else images / 3600.0
    return (
        score.model, score.host, _times(score.accuracy, 100.0), seconds, score.watts,
        *(None if hours is None else _times(energy, hours) for energy in energies),
        _times(used.get("gpu_utilization_ratio"), 100.0),
        _times(used.get("gpu_memory_used_bytes"), 2.0**-30),
        _times(used.get("cpu_utilization_ratio"), 100.0),
        _times(used.get("memory_used_bytes"), 2.0**-30),
        _times(score.parameters, 1e-6), _times(score.macs, 1e-9),
        None if score.method is None else str(score.method), str(score.verdict),
    )  # fmt: skip


def _table2(group: Group, entries: Sequence[Entry]) -> Table:
    formulas = list(dict.fromkeys(each.formula for entry in entries for each in entry.others))
    columns = [Column("model", "model"), Column("host", "host")]
    for formula in formulas:
        columns.append(Column(formula, formula))
        if formula not in SIZE_SCORES:
            columns += [Column(f"{formula} low", "from"), Column(f"{formula} high", "to")]
        columns.append(Column(f"rank by {formula}", "#"))
    rows = [
        (entry.score.model, entry.score.host, *(cell for formula in formulas
                                                for cell in _ranked(entry, formula, entries)),
         str(entry.score.verdict))
        for entry in entries
    ]  # fmt: skip
    return _table("2", "Table II", group, (*columns, Column("verdict", "verdict")), rows,
                  "# is the rank among the models of the same host")  # fmt: skip


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
    rivals = {each.score.model: _value(each, formula) for each in entries
              if each.score.host == entry.score.host and _ranks(each, formula)}  # fmt: skip
    better = sum(rival is not None and rival > value for rival in rivals.values())
    return value, *bounds, 1 + better  # a model with two rows is one rival


def _value(entry: Entry, formula: str) -> float | None:
    return next((each.value for each in entry.others if each.formula == formula), None)


def _ranks(entry: Entry, formula: str) -> bool:
    return any(
        each.formula == formula and (formula in SIZE_SCORES or each.verdict is not Verdict.INVALID)
        for each in entry.others
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """What a host says of a model: J per inference and score, each with its interval."""

    model: str
    host: str
    joules: float | None
    joules_low: float | None
    joules_high: float | None
    score: float | None
    low: float | None
    high: float | None
    method: str | None
    verdict: str
    fit: bool


COLUMNS3: Final = (
    Column("model", "model"), Column("host", "host"),
    Column("joules", "energy per inference", "J"), Column("joules_low", "from", "J"),
    Column("joules_high", "to", "J"), Column("energy_ratio", "÷ baseline"),
    Column("score", "score", "1/mWh"), Column("low", "from"), Column("high", "to"),
    Column("score_ratio", "÷ baseline"), Column("method", "method"), Column("verdict", "verdict"),
)  # fmt: skip


PAPER_NOTE: Final = (
    "the paper's rows are of ILSVRC2012, of boundaries gpu and cpu, and measured; their intervals"
    " are print rounding alone, and with other images ratios to them mean nothing"
)


def _table3(group: Group, entries: Sequence[Entry], choice: Choice) -> Table:
    lines = [_line(entry) for entry in entries]
    if choice.paper and not group[2]:
        lines += _paper(group[1], {line.model for line in lines})
    hosts = list(dict.fromkeys(line.host for line in lines))
    baseline = choice.baseline or hosts[0]
    base = {line.model: line for line in lines if line.host == baseline and line.fit}
    compared = {} if group[2] else base
    order = {host: n for n, host in enumerate(hosts)}
    lines.sort(key=lambda line: (line.model, order[line.host]))
    if group[2]:
        note = "estimated energy is not compared between hosts: no ratios"
    elif baseline not in hosts:
        note = f"no run of {baseline}: no ratios"
    else:
        note = f"the baseline is {baseline}; an invalid run is compared with nothing"
    rows = [_cells(line, compared.get(line.model)) for line in lines]
    if choice.paper:
        note = f"{note}; {PAPER_NOTE}"
    return _table("3", "Table III", group, COLUMNS3, rows, note)


def _line(entry: Entry) -> _Line:
    score = entry.score
    return _Line(
        score.model, score.host, score.joules_per_inference, score.joules_per_inference_low,
        score.joules_per_inference_high, score.value, score.low, score.high,
        None if score.method is None else str(score.method), str(score.verdict),
        score.verdict is not Verdict.INVALID,
    )  # fmt: skip


def _cells(line: _Line, base: _Line | None) -> tuple[Cell, ...]:
    energy_ratio = score_ratio = None
    if base is not None and line.fit:
        energy_ratio = _ratio(line.joules, base.joules)
        score_ratio = _ratio(line.score, base.score)
    return (
        line.model, line.host, line.joules, line.joules_low, line.joules_high, energy_ratio,
        line.score, line.low, line.high, score_ratio, line.method, line.verdict,
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
                    network.keras_name, f"paper: {host.name}", joules, low, high, score.value,
                    *score.bounds, None, "as printed", True,
                ))  # fmt: skip
    return found


def _table(
    name: str, title: str, group: Group, columns: tuple[Column, ...],
    rows: Sequence[tuple[Cell, ...]], note: str,
) -> Table:  # fmt: skip
    workload, boundary, estimated = group
    method = "ESTIMATED energy, relative only" if estimated else "measured energy"
    notes = [note] if note else []
    if estimated:
        notes.append("estimated from CPU time within a factor of two: compare within this table")
    return Table(name, f"{title}: {workload} · boundary {boundary} · {method}", columns,
                 tuple(rows), tuple(notes))  # fmt: skip


def _times(value: float | int | None, factor: float) -> float | None:
    return None if value is None else value * factor
