"""Does the exporter itself take little?"""

from collections.abc import Iterator
from typing import Final

from wattmark_core.results import Check
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words
from wattmark_scoring.checks.verdicts import against_limit
from wattmark_scoring.measured import MeasuredWindow

LIMIT_CORES: Final = 0.01


def check(exporter_cpu_seconds: float | None, seconds: float) -> Check:
    """The exporter's own CPU time: ≤ 1 % of a core."""
    value = None if exporter_cpu_seconds is None else exporter_cpu_seconds / seconds
    message = "CPU time of the exporter itself"
    return against_limit("sampler cost", value, LIMIT_CORES, "cores", message)


def of_window(measured: MeasuredWindow) -> Iterator[Check]:
    """See ``check``."""
    yield check(measured.data.growth("exporter", "cpu_seconds"), measured.window.seconds)


CHECK: Final = CheckFamily(
    words={
        "sampler cost": Words(
            Question.MACHINE, "cost of measuring", "The exporter itself used {found}",
            "How much CPU time the exporter used is not known",
            "Let the exporter read fewer sensors, or less often",
        ),
    },
    limits=(Limit("sampler cost", "the exporter takes ≤ 1 % of one core"),),
    of_window=of_window,
)  # fmt: skip
