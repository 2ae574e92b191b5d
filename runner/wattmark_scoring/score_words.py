"""A score and its checks as texts: what page, command line, report and Grafana show of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from wattmark_core import figures, labels
from wattmark_core.catalogue import Method
from wattmark_core.figures import (
    JOULES,
    MISSING,
    PER_MWH,
    PER_SECOND,
    PLAIN,
    SECONDS,
    WATTS,
    Unit,
    figure,
)
from wattmark_core.results import ACCURACY_PER_PARAMETER, ENERGY_SCORE, Check, Score, Verdict
from wattmark_scoring import words

UNITS: Final[Mapping[str, Unit]] = {
    ENERGY_SCORE: PER_MWH, ACCURACY_PER_PARAMETER: Unit("%/M", prefixed=False),
}  # fmt: skip
"""Of scores by their formula; another formula's unit is not known, and left out."""


@dataclass(frozen=True, slots=True)
class ScoreTexts:
    """Numbers with the digits that are known, their unit and 95 % interval; a missing one is ``–``.

    ``for_other_images``: the score with the interval for other images of the same kind.
    ``energy`` and ``energy_above_idle``: per inference. ``counts``: what the boundary counts.
    ``reasons``: the checks behind a verdict that is not valid; ``findings``: the worst of them as
    sentences.
    """

    formula: str
    score: str
    for_other_images: str
    energy: str
    energy_above_idle: str
    accuracy: str
    power: str
    speed: str
    cpu_time: str
    network: str
    place: str
    counts: str
    method: str
    verdict: str
    reasons: str
    findings: str


def score_texts(score: Score) -> ScoreTexts:
    """All texts of a score."""
    estimated = score.method is Method.ESTIMATED
    unit = UNITS.get(score.formula, PLAIN)

    def joules(value: float | None, low: float | None = None, high: float | None = None) -> str:
        return figure(value, low, high, JOULES, estimated=estimated)

    return ScoreTexts(
        formula=labels.formula(score.formula),
        score=figure(score.value, score.low, score.high, unit, estimated=estimated),
        for_other_images=_for_other_images(score, unit, estimated=estimated),
        energy=joules(score.joules_per_inference, score.joules_per_inference_low,
                      score.joules_per_inference_high),
        energy_above_idle=joules(score.net_joules_per_inference),
        accuracy=figures.accuracy(score.accuracy, score.test_images),
        power=figure(score.watts, unit=WATTS, estimated=estimated),
        speed=figure(score.inferences_per_second, unit=PER_SECOND),
        cpu_time=figure(score.cpu_seconds_per_inference, unit=SECONDS),
        network=score.variant, place=score.place, counts=labels.BOUNDARIES[score.boundary],
        method=labels.method(score.method), verdict=labels.VERDICTS[score.verdict],
        reasons=", ".join(reasons(score)), findings=words.findings(score),
    )  # fmt: skip


def _for_other_images(score: Score, unit: Unit, *, estimated: bool) -> str:
    low, high = score.population_low, score.population_high
    if low is None or high is None:
        return MISSING
    return figure(score.value, low, high, unit, estimated=estimated)


def reasons(score: Score) -> list[str]:
    """The checks behind the verdict: those that failed, else those that warned; of a state, with
    the state: ``measured or estimated: ESTIMATED``."""
    if score.verdict is Verdict.VALID:
        return []
    behind = [check for check in score.checks if check.verdict is score.verdict]
    return [_reason(check) for check in words.worst_first(behind)]


def _reason(check: Check) -> str:
    known = words.words_of(check)
    return f"{known.name}: {words.found(check)}" if known.states else known.name


@dataclass(frozen=True, slots=True)
class CheckTexts:
    """A check in words: its ``question`` and ``name``, what was ``found`` and is ``allowed``, and
    sentences of what that means and what to do."""

    question: str
    name: str
    verdict: str
    found: str
    allowed: str
    meaning: str


def check_texts(check: Check) -> CheckTexts:
    """All texts of a check."""
    known = words.words_of(check)
    return CheckTexts(
        str(known.question), known.name, labels.VERDICTS[check.verdict], words.found(check),
        words.allowed(check), words.meaning(check),
    )  # fmt: skip
