"""Did the work go on throughout the window, or did it stand still for a while?

A frozen program costs the machine's idle power and gives nothing for it. Halves of the window do
not show a pause in its middle, and a counter has no fault to show.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from wattmark_core.results import Check
from wattmark_scoring.arrays import GaugeData
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words
from wattmark_scoring.checks.verdicts import against_limit
from wattmark_scoring.measured import MeasuredWindow

LIMIT_RATIO: Final = 0.02
"""Of the window: a pause of that share changes energy per inference by no more."""
FAIL_RATIO: Final = 0.10
"""Power at rest is half of that at work, or more: then energy per inference is off by 5 %."""
LEAST_SECONDS: Final = 0.1
LEAST_FAIL_SECONDS: Final = 0.5
"""What a scheduler may do to a program on a busy machine is no fault of a short window."""
LEAST_CORES: Final = 0.2
"""A program that used less tells nothing by not running."""
STILL_RATIO: Final = 0.25
"""Of the work's own mean CPU time: where all programs together take less, it did not go on."""
LEAST_STRETCHES: Final = 2
"""Between reads of CPU time, which come once a second: one alone may be chance."""


def check(pause_seconds: float, seconds: float) -> Check:
    """The longest pause: ≤ 2 % of the window, fails beyond 10 %."""
    limit = max(LEAST_SECONDS, LIMIT_RATIO * seconds)
    text = "longest pause of the work"
    return against_limit("pauses", pause_seconds, limit, "s", text, fail=_most(seconds))


def stopped(stopped_seconds: float, seconds: float) -> Check:
    """Time for which a signal had stopped the program: none, fails beyond what a pause may last."""
    text = "time for which a signal (SIGSTOP) had stopped the program"
    return against_limit("stopped", stopped_seconds, 0.0, "s", text, fail=_most(seconds))


def _most(seconds: float) -> float:
    return max(LEAST_FAIL_SECONDS, FAIL_RATIO * seconds)


def still_seconds(busy: GaugeData, own_seconds: float, start_ns: int, end_ns: int) -> float | None:
    """The longest stretch of the window in which the machine's CPUs, in use by whomever, did less
    than a quarter of what the work did on average. None: the work uses too little CPU time to be
    seen by it. ``busy``: seconds, growing."""
    seconds = (end_ns - start_ns) / 1e9
    cores = own_seconds / seconds
    inside = busy.inside(start_ns, end_ns)
    if cores < LEAST_CORES or len(inside.values) < 2:
        return None
    lengths = np.diff(inside.times_ns) / 1e9
    still = np.diff(inside.values) < STILL_RATIO * cores * lengths
    longest = stretch = 0.0
    count = 0
    for length, stands in zip(lengths, still, strict=True):
        stretch, count = (stretch + float(length), count + 1) if stands else (0.0, 0)
        if count >= LEAST_STRETCHES:
            longest = max(longest, stretch)
    return longest


def of_window(measured: MeasuredWindow) -> Iterator[Check]:
    """By the work's own steps where it tells of them, and by CPU time; not made without either. And
    whether a signal stopped it."""
    window, facts = measured.window, measured.data.facts
    busy = measured.data.gauge("cpu", "busy_seconds")
    still = None
    if busy is not None and window.cpu_seconds is not None:
        still = still_seconds(busy, window.cpu_seconds, window.start_ns, window.end_ns)
    known = [value for value in (facts.pause_seconds, still) if value is not None]
    if known:
        yield check(max(known), window.seconds)
    if facts.stopped_seconds is not None:
        yield stopped(facts.stopped_seconds, window.seconds)


CHECK: Final = CheckFamily(
    words={
        "stopped": Words(
            Question.MACHINE, "stopped by a signal",
            "A signal (SIGSTOP) had stopped the program for {found}",
            remedy="Let it run through, and measure again",
        ),
        "pauses": Words(
            Question.MACHINE, "pauses of the work", "The work stood still for {found}",
            remedy="See what stopped it: a signal, a full machine, storage that does not answer",
        ),
    },
    limits=(
        Limit("stopped", "no signal stops the program", "for more than 10 % of W, and 0.5 s"),
        Limit("pauses", "the work stands still for ≤ 2 % of W, or 0.1 s", "the same"),
    ),
    of_window=of_window,
)  # fmt: skip
