"""Were samples there throughout, and did those beyond the run's end arrive in time?"""

from typing import Final

from wattmark_core.results import Check, Verdict
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words

INTERRUPTED: Final = "telemetry"
LATE: Final = "late samples"


def interrupted(reason: str) -> Check:
    """The exporter was away while the run went on."""
    return Check(INTERRUPTED, Verdict.INVALID, None, None, "", reason)


def late(reason: str) -> Check:
    """What the scores need had not arrived when the wait was over: scoring again clears it."""
    return Check(LATE, Verdict.INVALID, None, None, "", reason)


CHECK: Final = CheckFamily(
    words={
        INTERRUPTED: Words(
            Question.SENSOR, "samples throughout",
            remedy="See that the exporter runs, then measure again",
            states={
                Verdict.INVALID: ("interrupted", "The samples were interrupted: {message}"),
            },
        ),
        LATE: Words(
            Question.SENSOR, "samples beyond the end", remedy="Score the run again",
            states={Verdict.INVALID: ("not there", "Samples did not arrive: {message}")},
        ),
    },
    limits=(
        Limit("telemetry", "the exporter answers throughout", "otherwise"),
        Limit("late samples", "each counter's sample beyond the run's end arrives within 60 s",
              "otherwise"),
    ),
)  # fmt: skip
