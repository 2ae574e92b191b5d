"""Table I: accuracy, time, power, energy and use of the machine, for a pass over the test set."""

from typing import Final

from wattmark_runner.views.tables.entries import Entry, groups, times, titled
from wattmark_runner.views.tables.model import Cell, Choice, Column, PaperTable, Runs, Table

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


def _tables(runs: Runs, choice: Choice) -> list[Table]:
    return [
        titled(TABLE, group, COLUMNS, [_row(entry) for entry in entries], NOTE)
        for group, entries in groups(runs, choice)
    ]


def _row(entry: Entry) -> tuple[Cell, ...]:
    score = entry.score
    images, speed = score.test_images, score.inferences_per_second
    seconds = images / speed if images and speed else None
    energies = (
        score.joules_per_inference, score.joules_per_inference_low, score.joules_per_inference_high,
    )  # fmt: skip
    hours = None if not images else images / 3600.0
    return (
        *entry.whose, times(score.accuracy, 100.0), seconds, score.watts,
        *(None if hours is None else times(energy, hours) for energy in energies),
        times(score.gpu_utilization_ratio, 100.0),
        times(score.gpu_memory_used_bytes, 2.0**-30),
        times(score.cpu_utilization_ratio, 100.0),
        times(score.memory_used_bytes, 2.0**-30),
        times(score.parameters, 1e-6), times(score.macs, 1e-9),
        None if score.method is None else str(score.method), str(score.verdict),
    )  # fmt: skip


TABLE: Final = PaperTable(
    "1", "Table I",
    "Accuracy, time, power, energy and use of the machine, as the paper's Table I.", _tables,
)  # fmt: skip
