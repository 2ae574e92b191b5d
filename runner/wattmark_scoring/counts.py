"""Counts that cannot be: the same rule for all who say how many inferences there were, and what CPU
time they took."""

from dataclasses import dataclass
from typing import Final

MOST_A_SECOND: Final = 1e9
"""No network of one machine infers so often: with 1,000 operations each that were 1e12 a second for
one of no use."""
SHORTEST_SECONDS: Final = 1e-3
"""Of what is looked at: a program's reports of a start and an end may arrive together."""
ROOM_RATIO: Final = 1.1
ROOM_SECONDS: Final = 1.0
"""How far CPU time may lie above that of all CPUs: the kernel counts it in ticks, and that of a
child when it has ended."""


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
    if seconds is None or inferences is None:
        return None
    if inferences > MOST_A_SECOND * max(seconds, SHORTEST_SECONDS):
        text = f"is more than 1e9 a second: {inferences} in {seconds:.3g} s; count each once"
        return Impossible("inferences", text)
    return None


def impossible_cpu_time(cpu_seconds: float | None, seconds: float, cpus: int) -> Impossible | None:
    """What is wrong with the CPU time of a window's work, which hides that of other programs if it
    is too much: no more than all ``cpus`` have."""
    most = cpus * seconds
    if cpu_seconds is None or 0.0 <= cpu_seconds <= ROOM_RATIO * most + ROOM_SECONDS:
        return None
    text = f"is not what {cpus} CPUs can do in {seconds:.3g} s: {cpu_seconds:.6g} s"
    return Impossible("cpu_seconds", text)
