"""Was power even within a window?"""

from collections.abc import Iterator
from typing import Final

from wattmark_core.results import Check, Window
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words
from wattmark_scoring.checks.verdicts import against_limit
from wattmark_scoring.energy import counted_energy
from wattmark_scoring.measured import MeasuredWindow
from wattmark_scoring.window_data import CounterSamples

LIMIT_RATIO: Final = 0.02


def check(first_watts: float | None, second_watts: float | None) -> Check:
    """Mean power of the window's halves differs by ≤ 2 %."""
    value = None
    if first_watts is not None and second_watts is not None and first_watts + second_watts > 0:
        value = 2.0 * abs(first_watts - second_watts) / (first_watts + second_watts)
    message = "mean power of the halves, difference"
    return against_limit("steady", value, LIMIT_RATIO, "ratio", message)


def of_window(measured: MeasuredWindow) -> Iterator[Check]:
    """Of each counter."""
    for counter in measured.counters:
        yield check(*_halves(measured.window, counter.samples))


def _halves(window: Window, samples: CounterSamples) -> tuple[float | None, float | None]:
    """Mean power of the window's halves, W."""
    start_ns, end_ns = window.start_ns, window.end_ns
    middle_ns = (start_ns + end_ns) // 2
    first, second = (
        counted_energy(samples.series, samples.counter, begin, end)
        for begin, end in ((start_ns, middle_ns), (middle_ns, end_ns))
    )
    if first.joules is None or second.joules is None:
        return None, None
    if not (first.complete and second.complete):
        return None, None
    return 2.0 * first.joules / window.seconds, 2.0 * second.joules / window.seconds


CHECK: Final = CheckFamily(
    words={
        "steady": Words(
            Question.REPEATS, "even power", "Mean power of a window's halves differed by {found}",
            "Whether power was even in the windows is not known",
            "Warm up for longer, and see what else runs",
        ),
    },
    limits=(Limit("steady", "the window's halves differ by ≤ 2 % in mean power"),),
    of_window=of_window,
)  # fmt: skip
