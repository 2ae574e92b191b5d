"""Counts that cannot be: the same rule for all who say how many inferences there were."""

from dataclasses import dataclass
from typing import Final

MOST_A_SECOND: Final = 1e9
"""No network of one machine infers so often: with 1,000 operations each that were 1e12 a second for
one of no use."""


@dataclass(frozen=True, slots=True)
class Impossible:
    """Which count cannot be, and why."""

    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field} {self.reason}"


def why_impossible(
    inferences: int | None, correct: int | None, seconds: float | None = None
) -> Impossible | None:
    """What is wrong with the counts of a window of ``seconds`` (None: its length is not known yet),
    None if nothing is."""
    for name, count in (("inferences", inferences), ("correct", correct)):
        if count is not None and count < 0:
            return Impossible(name, f"is below zero: {count}")
    if correct is not None and inferences is None:
        return Impossible("inferences", "is needed beside correct")
    if correct is not None and inferences is not None and correct > inferences:
        return Impossible("correct", f"is more than inferences: {correct} of {inferences}")
    if seconds is not None and inferences is not None and inferences > MOST_A_SECOND * seconds:
        text = f"is more than 1e9 a second: {inferences} in {seconds:.3g} s; count each once"
        return Impossible("inferences", text)
    return None
