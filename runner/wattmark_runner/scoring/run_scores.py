"""The scores of a run within one boundary, from its measured windows: pure functions."""

from collections.abc import Sequence
from dataclasses import replace

from wattmark_core.catalogue import Method
from wattmark_core.results import (
    ACCURACY_PER_PARAMETER,
    ENERGY_SCORE,
    NETSCORE,
    Boundary,
    Check,
    Score,
    Verdict,
)
from wattmark_runner.records.model import RunRecord
from wattmark_scoring import checks, scores
from wattmark_scoring.formula import Formula
from wattmark_scoring.interval import Interval, repeated
from wattmark_scoring.measured import MeasuredRun, MeasuredWindow
from wattmark_scoring.unsteadiness import systematic, unsteadiness, widened


def run_scores(
    record: RunRecord,
    boundary: Boundary,
    run: MeasuredRun,
    of_run: tuple[Check, ...],
    formulas: Sequence[Formula],
) -> list[Score]:
    """The energy score, those of the owner's ``formulas``, and the two that need sizes alone.

    ``of_run``: the checks of the run within the boundary.
    """
    energy = _energy_score(record, boundary, run, of_run)
    return [
        energy,
        *(_formula_score(energy, formula) for formula in formulas),
        *_size_scores(record, boundary),
    ]


def _energy_score(
    record: RunRecord, boundary: Boundary, run: MeasuredRun, of_run: tuple[Check, ...]
) -> Score:
    repeats, per_inference = run.repeats, run.joules_per_inference
    blank = _blank_score(record, boundary, ENERGY_SCORE, repeats, of_run)
    if not repeats or len(per_inference) < len(repeats):
        return replace(blank, verdict=Verdict.INVALID)  # never scored as if whole
    energy = _energy_interval(repeats, per_inference)
    score = replace(
        blank,
        joules_per_inference=energy.value,
        joules_per_inference_low=energy.low,
        joules_per_inference_high=energy.high,
        net_joules_per_inference=_net(run),
    )
    if record.accuracy is None:
        return score
    value = scores.energy_score_interval(record.accuracy, energy)
    score = replace(score, value=value.value, low=value.low, high=value.high)
    if not record.test_images:  # not known of windows from elsewhere
        return score
    population = scores.population_interval(value, record.accuracy, record.test_images)
    return replace(score, population_low=population.low, population_high=population.high)


def _formula_score(energy: Score, formula: Formula) -> Score:
    """A formula over all that the energy score of the same boundary holds."""
    value, low, high = formula.evaluate(energy)
    return replace(
        energy,
        formula=formula.name,
        verdict=Verdict.INVALID if value is None else energy.verdict,
        value=value,
        low=low,
        high=high,
        population_low=None,
        population_high=None,
    )


def _energy_interval(repeats: Sequence[MeasuredWindow], values: Sequence[float]) -> Interval:
    """Of the repeats and of the instrument; and of what a window was uneven by, where the repeats
    cannot show it: there is one alone, or they are uneven alike."""
    energies = [repeat.energy for repeat in repeats]
    estimated = any(energy.method is Method.ESTIMATED for energy in energies)
    interval = repeated(
        values,
        [e.random_joules / e.joules for e in energies if e.joules],
        [e.alias_joules / e.joules for e in energies if e.joules],
        estimated_share=1.0 if estimated else 0.0,
    )
    alone = len(repeats) == 1
    uneven = unsteadiness(repeats[0]) if alone else systematic(repeats, values)
    return widened(interval, uneven or 0.0)


def _blank_score(
    record: RunRecord,
    boundary: Boundary,
    formula: str,
    repeats: Sequence[MeasuredWindow],
    of_run: tuple[Check, ...],
) -> Score:
    """A score without value: everything that holds whatever the formula says."""
    seconds = sum(repeat.window.seconds for repeat in repeats)
    inferences = sum(repeat.window.inferences or 0 for repeat in repeats)
    joules = [repeat.energy.joules for repeat in repeats if repeat.energy.complete]
    whole = [value for value in joules if value is not None]
    cpu = [repeat.window.cpu_seconds for repeat in repeats]
    own = [value for value in cpu if value is not None]
    return Score(
        run_id=record.run_id,
        host=record.host,
        model=record.request.model,
        workload=record.request.workload,
        boundary=boundary,
        formula=formula,
        time_ns=record.started_ns,
        method=repeats[0].energy.method if repeats else None,
        verdict=checks.verdict(of_run),
        value=None,
        low=None,
        high=None,
        accuracy=record.accuracy,
        watts=sum(whole) / seconds if repeats and len(whole) == len(repeats) else None,
        inferences_per_second=inferences / seconds if inferences and seconds else None,
        cpu_seconds_per_inference=(
            sum(own) / inferences if inferences and len(own) == len(repeats) else None
        ),
        parameters=record.parameters,
        macs=record.macs,
        checks=of_run,
        settings=record.settings,
        gpu=record.request.gpu,
        test_images=record.test_images,
        **record.usage,
    )


def _net(run: MeasuredRun) -> float | None:
    """Joules per inference above the idle baselines; None without both baselines."""
    before, after = (idle.watts if idle else None for idle in run.baselines)
    if before is None or after is None:
        return None
    baseline = (before + after) / 2.0
    net = [(r.energy.joules or 0.0) - baseline * r.window.seconds for r in run.repeats]
    return sum(net) / sum(repeat.window.inferences or 0 for repeat in run.repeats)


def _size_scores(record: RunRecord, boundary: Boundary) -> list[Score]:
    """The paper's two scores that need no energy: the same in every boundary."""
    accuracy, parameters, macs = record.accuracy, record.parameters, record.macs
    if accuracy is None or not parameters:
        return []
    blank = _blank_score(record, boundary, "", [], ())
    values = {ACCURACY_PER_PARAMETER: scores.accuracy_per_parameter(accuracy, parameters)}
    if macs and accuracy > 0:
        values[NETSCORE] = scores.netscore(accuracy, parameters, macs)
    return [
        replace(blank, formula=name, value=value, low=value, high=value)
        for name, value in values.items()
    ]
