"""What a file of this folder says of its checks."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Check, Verdict
from wattmark_scoring.arrays import CounterData, GaugeData
from wattmark_scoring.measured import MeasuredRun, MeasuredWindow


class Question(StrEnum):
    """What a check is there to answer."""

    MACHINE = "Was the machine quiet?"
    SENSOR = "Is the sensor good enough?"
    REPEATS = "Do the repeats agree?"
    DEVICE = "Was the device free?"
    COUNTS = "Are the counts right?"


@dataclass(frozen=True, slots=True)
class Words:
    """A check in words.

    ``sentence``: what was found, with ``{found}`` and perhaps ``{device}``; ``unknown``: what to
    say without a value. ``remedy``: what to do about one that did not pass. ``at_least``: the value
    must reach the limit. ``device``: finds the device in the check's message. ``states``: for a
    check of a state and not of a value, what is found and the sentence, by verdict; the sentence
    may hold ``{message}``. ``of_a_window`` False: it is the same in all, and names none.
    """

    question: Question
    name: str
    sentence: str = ""
    unknown: str = ""
    remedy: str = ""
    at_least: bool = False
    device: str = ""
    states: Mapping[Verdict, tuple[str, str]] = field(default_factory=dict)
    of_a_window: bool = True


@dataclass(frozen=True, slots=True)
class Limit:
    """A row of the table in ``docs/measuring.md``: the names of the checks, their limit, and what
    fails; empty: nothing does, they warn."""

    names: str
    limit: str
    fails: str = ""


@dataclass(frozen=True, slots=True)
class CheckFamily:
    """The checks of one file: ``words`` by the checks' names, in the order in which findings are
    listed, and ``limits`` for the documentation.

    ``of_window`` makes them of each measured window, ``of_run`` of a run as a whole; both are pure
    functions. Without either they are made where scoring itself fails.
    """

    words: Mapping[str, Words]
    limits: tuple[Limit, ...]
    of_window: Callable[[MeasuredWindow], Iterable[Check]] | None = None
    of_run: Callable[[MeasuredRun], Iterable[Check]] | None = None


def of_counters(
    check: Callable[[EnergySeries, CounterData, int, int], Check],
) -> Callable[[MeasuredWindow], Iterable[Check]]:
    """``of_window`` of a check of each counter's energy samples; window's edges in Unix ns."""

    def of_window(measured: MeasuredWindow) -> Iterable[Check]:
        start_ns, end_ns = measured.window.start_ns, measured.window.end_ns
        return [check(c.series, c.samples.counter, start_ns, end_ns) for c in measured.counters]

    return of_window


def of_powers(
    check: Callable[[EnergySeries, GaugeData | None, int, int], Check],
) -> Callable[[MeasuredWindow], Iterable[Check]]:
    """The same of each counter's power samples; None: it has none."""

    def of_window(measured: MeasuredWindow) -> Iterable[Check]:
        start_ns, end_ns = measured.window.start_ns, measured.window.end_ns
        return [check(c.series, c.samples.power, start_ns, end_ns) for c in measured.counters]

    return of_window
