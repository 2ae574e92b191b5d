"""Did other programs use the CPUs?"""

from collections.abc import Iterator
from typing import Final

from wattmark_core.results import Check
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words
from wattmark_scoring.checks.verdicts import against_limit
from wattmark_scoring.measured import MeasuredWindow

LIMIT_CORES: Final = 0.05


def check(busy_seconds: float | None, own_seconds: float | None, seconds: float) -> Check:
    """CPU time of other programs: ≤ 5 % of one core."""
    value = None
    if busy_seconds is not None and own_seconds is not None:
        value = max(0.0, busy_seconds - own_seconds) / seconds
    return against_limit("foreign CPU", value, LIMIT_CORES, "cores", "CPU time of other programs")


def of_window(measured: MeasuredWindow) -> Iterator[Check]:
    """All but the worker's and the exporter's own is foreign."""
    window, data = measured.window, measured.data
    exporter = data.growth("exporter", "cpu_seconds")
    own = None
    if window.cpu_seconds is not None and exporter is not None:
        own = window.cpu_seconds + exporter
    yield check(data.growth("cpu", "busy_seconds"), own, window.seconds)


CHECK: Final = CheckFamily(
    words={
        "foreign CPU": Words(
            Question.MACHINE, "other programs", "Other programs used {found}",
            "How much CPU time other programs used is not known",
            "End them, or measure when the machine is idle",
        ),
    },
    limits=(Limit("foreign CPU", "other programs take ≤ 5 % of one core"),),
    of_window=of_window,
)  # fmt: skip
