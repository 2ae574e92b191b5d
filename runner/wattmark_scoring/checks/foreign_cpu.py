"""Did other programs use the CPUs?"""

from collections.abc import Iterator
from typing import Final

from wattmark_core.results import Check
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words
from wattmark_scoring.checks.verdicts import against_limit
from wattmark_scoring.cpu_time import CpuTime
from wattmark_scoring.measured import MeasuredWindow

LIMIT_CORES: Final = 0.05


def check(busy_seconds: float | None, own_seconds: float | None, seconds: float) -> Check:
    """CPU time of other programs: ≤ 5 % of one core. ``own_seconds``: of work and exporter."""
    foreign = CpuTime(seconds, busy_seconds, own_seconds, exporter=0.0).foreign
    value = None if foreign is None else foreign / seconds
    return against_limit("foreign CPU", value, LIMIT_CORES, "cores", "CPU time of other programs")


def of_window(measured: MeasuredWindow) -> Iterator[Check]:
    """With stolen time it fails where CPU energy counts."""
    time = CpuTime.of(measured)
    yield time.judged(check(time.foreign, 0.0, time.seconds), time.foreign)


CHECK: Final = CheckFamily(
    words={
        "foreign CPU": Words(
            Question.MACHINE, "other programs", "Other programs used {found}",
            "How much CPU time other programs used is not known",
            "End them, or measure when the machine is idle",
        ),
    },
    limits=(
        Limit("foreign CPU", "other programs take ≤ 5 % of one core", "where CPU energy counts:"
              " with stolen time above 25 % of the work's own CPU time, and above 0.25 cores"),
    ),
    of_window=of_window,
)  # fmt: skip
