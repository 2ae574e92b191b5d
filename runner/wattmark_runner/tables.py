"""The paper's Tables I, II and III over runs of one's own, of any hosts.

A missing number is None, never zero. Only scores of one workload and boundary stand in one table,
and never estimated energy beside measured.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from wattmark_core.catalogue import Method
from wattmark_core.results import Boundary, Score, Verdict
from wattmark_runner.records import RunRecord
from wattmark_scoring.paper import HOSTS, MODELS
from wattmark_scoring.scores import ACCURACY_PER_PARAMETER, ENERGY_SCORE, NETSCORE

Cell = float | int | str | None
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
    def fit(self) -> bool:
        """May it be ranked and compared?"""
        return self.score.value is not None and self.score.verdict is not Verdict.INVALID


Group = tuple[str, Boundary, bool]
"""Workload, boundary, and whether energy is estimated."""


def table1(records: Iterable[RunRecord], choice: Choice) -> list[Table]:
    """Accuracy, time, power, energy and use of the machine, for a pass over the test set."""
    columns = (
        Column("model", "model"), Column("host", "host"), Column("accuracy", "accuracy", "%"),
        Column("seconds", "inference time", "s"), Column("watts", "average power", "W"),
        Column("watt_hours", "total energy", "Wh"),
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
    """Entries that may stand in one table: of each host and model the newest, a fit one before
    one that is not."""
    newest: dict[tuple[Group, str, str], Entry] = {}
    for record in records:
        for score in record.scores:
            if score.formula != ENERGY_SCORE or not _wanted(score, choice):
                continue
            others = tuple(each for each in record.scores if each.boundary is score.boundary
                           or each.formula in SIZE_SCORES)  # fmt: skip
            entry = Entry(record, score, others)
            group = (score.workload, score.boundary, score.method is Method.ESTIMATED)
            key = (group, score.host, score.model)
            old = newest.get(key)
            if old is None or (entry.fit, score.time_ns) > (old.fit, old.score.time_ns):
                newest[key] = entry
    for group in sorted({key[0] for key in newest}):
        yield group, [newest[key] for key in sorted(newest) if key[0] == group]


def _wanted(score: Score, choice: Choice) -> bool:
    return (
        choice.workload in {"", score.workload} and choice.host in {"", score.host}
        and choice.boundary in {None, score.boundary}
    )  # fmt: skip


def _row1(entry: Entry) -> tuple[Cell, ...]:
    record, score, used = entry.record, entry.score, entry.record.usage
    images, speed = record.test_images, score.inferences_per_second
    seconds = images / speed if images and speed else None
    energy = score.joules_per_inference
    joules = energy * images if energy is not None and images else None
    return (
        score.model, score.host, _times(score.accuracy, 100.0), seconds, score.watts,
        _times(joules, 1 / 3600.0),
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
        columns += [Column(formula, formula), Column(f"rank by {formula}", "#")]
    rows = [
        (entry.score.model, entry.score.host, *(cell for formula in formulas
                                                for cell in _ranked(entry, formula, entries)),
         str(entry.score.verdict))
        for entry in entries
    ]  # fmt: skip
    return _table("2", "Table II", group, (*columns, Column("verdict", "verdict")), rows,
                  "# is the rank among the models of the same host")  # fmt: skip


def _ranked(entry: Entry, formula: str, entries: Sequence[Entry]) -> tuple[Cell, Cell]:
    """A value and its rank, which an invalid score has not."""
    value = _value(entry, formula)
    if value is None or not _ranks(entry, formula):
        return value, None
    rivals = [_value(each, formula) for each in entries
              if each.score.host == entry.score.host and _ranks(each, formula)]  # fmt: skip
    return value, 1 + sum(rival is not None and rival > value for rival in rivals)


def _value(entry: Entry, formula: str) -> float | None:
    return next((each.value for each in entry.others if each.formula == formula), None)


def _ranks(entry: Entry, formula: str) -> bool:
    return any(
        each.formula == formula and (formula in SIZE_SCORES or each.verdict is not Verdict.INVALID)
        for each in entry.others
    )


@dataclass(frozen=True, slots=True)
class _Compared:
    """What a host says of a model: joules per inference and score, where both may be compared."""

    joules: float
    score: float


def _table3(group: Group, entries: Sequence[Entry], choice: Choice) -> Table:
    found = {
        (entry.score.host, entry.score.model): _Compared(
            entry.score.joules_per_inference, entry.score.value
        )
        for entry in entries
        if entry.fit and entry.score.joules_per_inference and entry.score.value is not None
    }
    models = list(dict.fromkeys(entry.score.model for entry in entries))
    hosts = list(dict.fromkeys(entry.score.host for entry in entries))
    if choice.paper and not group[2]:
        theirs = _paper(group[1], models)
        found |= theirs
        hosts += dict.fromkeys(host for host, _ in theirs)
    baseline = choice.baseline or hosts[0]
    columns = [Column("model", "model")]
    for host in hosts:
        columns += [
            Column(f"{host} joules", f"{host}: energy per inference", "J"),
            Column(f"{host} energy ratio", f"÷ {baseline}"),
            Column(f"{host} score", f"{host}: score", "1/mWh"),
            Column(f"{host} score ratio", f"÷ {baseline}"),
        ]
    rows = [
        (model, *(cell for host in hosts for cell in _cells(found, host, baseline, model)))
        for model in models
    ]
    note = "" if baseline in hosts else f"no run of {baseline}: no ratios"
    return _table("3", "Table III", group, tuple(columns), rows, note)


def _cells(
    found: dict[tuple[str, str], _Compared], host: str, baseline: str, model: str
) -> tuple[Cell, Cell, Cell, Cell]:
    own, base = found.get((host, model)), found.get((baseline, model))
    if own is None:
        return None, None, None, None
    if base is None:
        return own.joules, None, own.score, None
    return own.joules, own.joules / base.joules, own.score, own.score / base.score


def _paper(boundary: Boundary, models: Sequence[str]) -> dict[tuple[str, str], _Compared]:
    """The paper's hosts of the same boundary, for models that are among one's own."""
    found = {}
    for host in HOSTS:
        for network in MODELS:
            if host.boundary == boundary and network.keras_name in models:
                microwatthours = network[f"uwh_{host.key}"].value
                found[f"paper: {host.name}", network.keras_name] = _Compared(
                    microwatthours * JOULES_PER_MICROWATTHOUR, network[f"score_{host.key}"].value
                )
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
