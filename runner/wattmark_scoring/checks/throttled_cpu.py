"""Did a CPU quota hold the workload back? ``cpu.stat`` of its control groups says for how long."""

from collections.abc import Iterator
from typing import Final

from wattmark_core.results import Check
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words
from wattmark_scoring.checks.verdicts import against_limit
from wattmark_scoring.measured import HeldBack, MeasuredWindow

LIMIT_RATIO: Final = 0.01
"""Half of what repeats may deviate by: a workload that is held back draws less, for longer."""


def check(held_back: HeldBack, seconds: float) -> Check:
    """CPU time for which the quota held threads back: ≤ 1 % of the window, over all CPUs."""
    value = None if held_back.seconds is None else held_back.seconds / seconds
    text = "CPU time for which the CPU quota held the workload back"
    return against_limit("throttled CPU", value, LIMIT_RATIO, "ratio", text)


def of_window(measured: MeasuredWindow) -> Iterator[Check]:
    """Where there is a quota."""
    if measured.held_back is not None:
        yield check(measured.held_back, measured.window.seconds)


CHECK: Final = CheckFamily(
    words={
        "throttled CPU": Words(
            Question.MACHINE, "CPU quota",
            "The CPU quota held the workload back for {found} of the window",
            "For how long the CPU quota held the workload back is not known",
            "Raise the quota (CPUQuota=, docker --cpus, a pod's CPU limit), or take fewer threads",
        ),
    },
    limits=(
        Limit("throttled CPU", "where there is a CPU quota, it holds back ≤ 1 % of the window"),
    ),
    of_window=of_window,
)  # fmt: skip
