"""Are the inferences counted those whose predictions give the accuracy?"""

from collections.abc import Iterator
from typing import Final

from wattmark_core.results import Check, Verdict
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words
from wattmark_scoring.measured import MeasuredWindow


def check(inferences: int | None, correct: int | None) -> Check:
    """Without an accuracy there is no score, and the energy is as good as ever."""
    if not inferences or (correct is not None and correct > inferences):
        text = "inferences and correct predictions were not both counted"
        return Check("counted", Verdict.INVALID, inferences, None, "", text)
    if correct is None:
        text = "correct predictions were not counted: energy without accuracy, and no score"
        return Check("counted", Verdict.WARNED, float(inferences), None, "", text)
    text = "accuracy comes from the predictions that were measured"
    return Check("counted", Verdict.VALID, float(inferences), None, "", text)


def of_window(measured: MeasuredWindow) -> Iterator[Check]:
    """See ``check``."""
    yield check(measured.window.inferences, measured.window.correct)


CHECK: Final = CheckFamily(
    words={
        "counted": Words(
            Question.COUNTS, "inferences and accuracy",
            remedy="Count inferences and correct predictions in the measured windows",
            states={
                Verdict.VALID: ("both", "Accuracy comes from the predictions that were measured"),
                Verdict.WARNED: ("no accuracy", "Correct predictions were not counted: energy"
                                 " without accuracy, and no score"),
                Verdict.INVALID: ("not both", "Inferences and correct predictions were not both"
                                  " counted"),
            },
        ),
    },
    limits=(
        Limit("counted", "inferences and correct answers are of the same predictions; without"
              " correct answers there is an energy and no score",
              "no inferences, or more correct answers than those"),
    ),
    of_window=of_window,
)  # fmt: skip
