"""Table I: accuracy, time, power, energy and use of the machine, for a pass over the test set."""

from collections.abc import Iterable
from typing import Final

from wattmark_runner.records.model import RunRecord
from wattmark_runner.views.tables.entries import Entry, groups, times, titled
from wattmark_runner.views.tables.model import Cell, Choice, Column, Table

COLUMNS: Final = (
    Column("accuracy_percent", "accuracy", "%"), Column("seconds", "inference time", "s"),
    Column("watts", "average power", "W"), Column("watt_hours", "total energy", "Wh"),
    Column("watt_hours_low", "from", "Wh"), Column("watt_hours_high", "to", "Wh"),
    Column("gpu_utilization_percent", "GPU use", "%"),
    Column("gpu_memory_gibibytes", "GPU memory", "GiB"),
    Column("cpu_utilization_percent", "CPU use", "%"),
    Column("memory_gibibytes", "memory", "GiB"),
    Column("parameters_millions", "parameters", "M"), Column("macs_billions", "MACs", "G"),
    Column("method", "method"), Column("verdict", "verdict"),
)  # fmt: skip
NOTE: Final = "time and energy of one pass over the test set; use and memory of the whole machine"


def table1(records: Iterable[RunRecord], choice: Choice) -> list[Table]:
    """A row for each run."""
    return [
        titled("1", "Table I", group, COLUMNS, [_row(entry) for entry in entries], NOTE)
        for group, entries in groups(records, choice)
    ]


def _row(entry: Entry) -> tuple[Cell, ...]:
    record, score, used = entry.record, entry.score, entry.record.usage
    images, speed = record.test_images, score.inferences_per_second
    seconds = images / speed if images and speed else None
    energies = (
        score.joules_per_inference, score.joules_per_inference_low, score.joules_per_inference_high,
    )  # fmt: skip
    hours = None if not images else images / 3600.0
    return (
        *entry.whose, times(score.accuracy, 100.0), seconds, score.watts,
        *(None if hours is None else times(energy, hours) for energy in energies),
        times(used.get("gpu_utilization_ratio"), 100.0),
        times(used.get("gpu_memory_used_bytes"), 2.0**-30),
        times(used.get("cpu_utilization_ratio"), 100.0),
        times(used.get("memory_used_bytes"), 2.0**-30),
        times(score.parameters, 1e-6), times(score.macs, 1e-9),
        None if score.method is None else str(score.method), str(score.verdict),
    )  # fmt: skip
