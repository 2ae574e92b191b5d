"""Was the worker alone on the GPU?"""

from collections.abc import Iterator
from typing import Final

from wattmark_core.results import Check
from wattmark_scoring.arrays import GaugeData
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words
from wattmark_scoring.checks.verdicts import against_limit
from wattmark_scoring.measured import MeasuredWindow

NAME: Final = "foreign GPU processes"


def check(processes: float | None) -> Check:
    """No process on the GPU but the worker."""
    value = None if processes is None else max(0.0, processes - 1.0)
    return against_limit(NAME, value, 0.0, "", "other processes on the GPU")


def of_window(measured: MeasuredWindow) -> Iterator[Check]:
    """Of each GPU in use, the most processes that were there at once."""
    for gpu in measured.gpus:
        yield check(_most(measured, measured.data.gauge("gpu", "processes", gpu)))


def _most(measured: MeasuredWindow, processes: GaugeData | None) -> float | None:
    if processes is None:
        return None
    inside = processes.inside(measured.window.start_ns, measured.window.end_ns).values
    return float(inside.max()) if len(inside) else None


CHECK: Final = CheckFamily(
    words={
        NAME: Words(
            Question.DEVICE, "other processes on the GPU", "Other processes on the GPU: {found}",
            "Whether other processes used the GPU is not known",
            "End them, or measure on another GPU",
        ),
    },
    limits=(Limit(NAME, "none"),),
    of_window=of_window,
)  # fmt: skip
