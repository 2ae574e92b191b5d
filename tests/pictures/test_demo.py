"""The lab's runs: numbers and words fit each other, as in a run that was measured."""

import pytest

from tools.pictures.demo.lab import RUNS, Run, S
from tools.pictures.demo.runs import host_of, power, record_of
from wattmark_core.results import BOUNDARY_DOMAINS, Boundary, Phase, Verdict
from wattmark_runner.views.repeats import repeats

END_S = 1_800_000_000


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run.model} on {run.host} {run.ago_s} s")
def test_a_run_of_the_lab_holds_together(run: Run) -> None:
    """A run warns if a check does; repeats have the power that is drawn of them, and the run's
    energy lies among theirs."""
    record = record_of(run, END_S)
    score = record.scores[0]
    assert score.verdict is max(
        (check.verdict for check in score.checks), key=["valid", "warned", "invalid"].index
    )
    found = [point.fields for point in repeats(record, score)]
    assert len(found) == 5
    if score.joules_per_inference is None:
        assert score.verdict is Verdict.INVALID
        return
    costs = [float(fields["joules_per_inference"]) for fields in found]
    assert min(costs) <= score.joules_per_inference <= max(costs)
    assert score.joules_per_inference * (score.inferences_per_second or 0.0) == pytest.approx(
        score.watts, rel=0.1
    )
    domains = BOUNDARY_DOMAINS[Boundary(score.boundary)]
    window = next(candidate for candidate in record.windows if candidate.phase is Phase.INFERENCE)
    watts = sum(
        power(run, window, meter, END_S - window.start_ns / S)
        for meter in host_of(run).meters
        if meter.domain in domains
        and (score.boundary is not Boundary.GPU or meter.device == score.gpu)
    )
    assert found[0]["watts"] == pytest.approx(watts, rel=0.01)


def test_the_lab_has_one_of_each() -> None:
    """Every verdict, an estimate, an outlier, runs without energy and without accuracy, and no name
    that two runs share."""
    records = [record_of(run, END_S) for run in RUNS]
    scores = [record.scores[0] for record in records]
    assert {score.verdict for score in scores} == set(Verdict)
    assert {str(score.method) for score in scores} == {"counter", "estimated"}
    assert any(score.joules_per_inference is None for score in scores)
    assert any(score.accuracy is None for score in scores)
    assert any("outlier" in p.fields for r in records for p in repeats(r, r.scores[0]))
    assert len({score.run_id for score in scores}) == len(RUNS)
