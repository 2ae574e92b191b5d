"""Did the hypervisor give the CPUs to others?"""

from collections.abc import Iterator
from typing import Final

from wattmark_core.results import Check
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words
from wattmark_scoring.checks.verdicts import against_limit
from wattmark_scoring.cpu_time import CpuTime
from wattmark_scoring.measured import MeasuredWindow

LIMIT_RATIO: Final = 0.01


def check(steal_seconds: float | None, seconds: float, cpus: float | None) -> Check:
    """Time taken by the hypervisor: ≤ 1 % of the CPUs' time."""
    value = None if steal_seconds is None or not cpus else steal_seconds / (seconds * cpus)
    return against_limit("steal", value, LIMIT_RATIO, "ratio", "CPU time taken by the hypervisor")


def of_window(measured: MeasuredWindow) -> Iterator[Check]:
    """With the time of other programs it fails where CPU energy counts."""
    window, cpus = measured.window, measured.data.gauge("cpu", "cpus")
    count = cpus.at(window.start_ns) if cpus else None
    time = CpuTime.of(measured)
    yield time.judged(check(time.stolen, window.seconds, count), time.stolen)


CHECK: Final = CheckFamily(
    words={
        "steal": Words(
            Question.MACHINE, "hypervisor", "The hypervisor took {found} of the CPUs' time",
            "How much time the hypervisor took is not known",
            "Measure when the other guests are idle, or on a machine of your own",
        ),
    },
    limits=(
        Limit("steal", "the hypervisor takes ≤ 1 % of the CPUs", "where CPU energy counts: with"
              " foreign CPU time, as above"),
    ),
    of_window=of_window,
)  # fmt: skip
