"""Ranking compares only what can be compared."""

from wattmark_core.catalogue import Method
from wattmark_core.results import Boundary, Score, Verdict
from wattmark_scoring.ranking import rank


def score(
    model: str,
    value: float | None,
    verdict: Verdict = Verdict.VALID,
    method: Method = Method.COUNTER,
    boundary: Boundary = Boundary.CPU,
) -> Score:
    """A score of one model."""
    return Score(
        f"run-{model}", "host", model, "digits", boundary, "accuracy^2/energy", 1, method,
        verdict, value, value, value,
    )  # fmt: skip


def test_best_first_and_invalid_below() -> None:
    """Warned scores rank; invalid ones and those without a value are listed apart."""
    (group,) = rank(
        [
            score("a", 1.0),
            score("b", 3.0, Verdict.WARNED),
            score("c", 9.0, Verdict.INVALID),
            score("d", None),
        ]
    )
    assert [s.model for s in group.ranked] == ["b", "a"]
    assert [s.model for s in group.unranked] == ["c", "d"]


def test_estimated_is_never_ranked_with_measured() -> None:
    """An estimate forms a group of its own, after the measured one."""
    groups = rank([score("a", 5.0, method=Method.ESTIMATED), score("b", 1.0)])
    assert [group.estimated for group in groups] == [False, True]


def test_boundaries_are_not_compared() -> None:
    """GPU and CPU rows are different groups."""
    assert len(rank([score("a", 1.0), score("a", 2.0, boundary=Boundary.GPU)])) == 2
