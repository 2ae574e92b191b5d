"""Is a run fit to be scored? Each check shows the value that was found beside its limit.

VALID is a pass. Warned scores rank, marked; a failed check makes the score invalid. A value that
cannot be measured warns: an unknown is not a pass. Limits are those of ``docs/measuring.md``, where
``docs/adding-a-check.md`` says how one is added: as a file here, and a line in ``FILES``.
"""

from importlib import import_module
from typing import Final

from wattmark_core.results import Check
from wattmark_scoring.checks.definition import CheckFamily, Question, Words
from wattmark_scoring.checks.verdicts import verdict, worst
from wattmark_scoring.measured import MeasuredRun, MeasuredWindow

__all__ = [
    "FAMILIES", "FILES", "WORDS", "CheckFamily", "Question", "Words", "of_run", "of_window",
    "verdict", "worst",
]  # fmt: skip

FILES: Final = (
    "interrupted",
    "exclusive",
    "clock",
    "pauses",
    "foreign_cpu",
    "steal",
    "throttled_cpu",
    "sampler_cost",
    "foreign_gpu_processes",
    "throttling",
    "complete",
    "plausible",
    "zero_power",
    "method",
    "duration",
    "samples",
    "gap",
    "edges",
    "slow",
    "agreement",
    "coverage",
    "counted",
    "warm_up",
    "idle",
    "repeats",
    "steady",
    "deviation",
)
"""In the order in which findings are listed: causes before what they cause."""


def _family(name: str) -> CheckFamily:
    family: CheckFamily = import_module(f"{__name__}.{name}").CHECK
    return family


FAMILIES: Final = tuple(_family(name) for name in FILES)
WORDS: Final = {name: words for family in FAMILIES for name, words in family.words.items()}
"""By the checks' names, in that order."""


def of_window(measured: MeasuredWindow) -> tuple[Check, ...]:
    """The checks of one measured window: of each GPU and each counter one, where they are of it."""
    return tuple(
        check for family in FAMILIES if family.of_window for check in family.of_window(measured)
    )


def of_run(run: MeasuredRun) -> tuple[Check, ...]:
    """Of the checks of each repeat the worst, and then those of the run as a whole."""
    return (
        *worst([of_window(repeat) for repeat in run.repeats]),
        *(check for family in FAMILIES if family.of_run for check in family.of_run(run)),
    )
