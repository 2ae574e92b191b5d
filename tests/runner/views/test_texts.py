"""Texts beside a score, the run before, lines of equal score: what they say of which numbers."""

from dataclasses import replace
from typing import Any

import pytest

from wattmark_core.catalogue import Method
from wattmark_core.results import ENERGY_SCORE, Boundary, Score, Verdict
from wattmark_runner.views.isolines import isolines, label, steps
from wattmark_runner.views.texts import compared, previous, score_texts


def make_score(run_id: str, joules: float, ratio: float, **facts: Any) -> Score:
    """An energy score whose interval is ``joules`` ×/÷ ``ratio``."""
    low, high = joules / ratio, joules * ratio
    common: dict[str, Any] = {
        "method": Method.COUNTER, "verdict": Verdict.VALID, "value": 3.6 * 0.81 / joules,
        "low": None, "high": None, "accuracy": 0.9, "joules_per_inference": joules,
        "joules_per_inference_low": low, "joules_per_inference_high": high,
    }  # fmt: skip
    names = (run_id, "h1", "net", "digits", Boundary.CPU, ENERGY_SCORE)
    return Score(*names, int(run_id), **{**common, **facts})


def test_runs_are_told_apart_by_the_interval_of_their_ratio() -> None:
    """Of both intervals in squares; more, less, or no difference seen."""
    assert compared(make_score("2", 1.4, 1.05), make_score("1", 1.0, 1.05)) == (
        "×1.40 (1.31–1.50): more"
    )
    assert compared(make_score("2", 1.0, 1.05), make_score("1", 1.4, 1.05)) == (
        "×0.71 (0.67–0.77): less"
    )
    assert compared(make_score("2", 1.02, 1.03), make_score("1", 1.0, 1.03)) == (
        "×1.02 (0.98–1.06): no difference seen"
    )


def test_what_estimates_have_in_common_cancels() -> None:
    """The factor of two is the same in both, so 1.4 times as much is more; against a measured run
    it is not; and estimates of single repeats, whose scatter is unknown, show nothing."""
    estimated = {"method": Method.ESTIMATED, "verdict": Verdict.WARNED}
    one, other = (make_score(n, j, 2 * 1.05, **estimated) for n, j in (("1", 1.0), ("2", 1.4)))
    assert compared(other, one) == "×1.40 (1.31–1.50): more"
    assert compared(other, make_score("1", 1.0, 1.05)).endswith("no difference seen")
    single = make_score("3", 1.4, 2.0, **estimated)
    assert compared(single, one) == "×1.40: not known how sure"


def test_only_what_is_the_same_is_compared() -> None:
    """Not other settings, places or boundaries, not later runs, not invalid ones."""
    score = make_score("9", 1.0, 1.1)
    same = make_score("1", 1.0, 1.1)
    others = [
        make_score("2", 1.0, 1.1, settings="batch_size=1"), make_score("3", 1.0, 1.1, gpu="GPU-1"),
        replace(make_score("4", 1.0, 1.1), host="h2"), make_score("10", 1.0, 1.1),
        replace(make_score("5", 1.0, 1.1), boundary=Boundary.GPU),
        make_score("6", 1.0, 1.1, verdict=Verdict.INVALID),
        make_score("7", 1.0, 1.1, joules_per_inference=None),
    ]  # fmt: skip
    assert previous(score, [score, *others]) is None
    assert previous(score, [same, score, *others]) == same


def test_texts_have_the_digits_that_are_known() -> None:
    """Of energy, accuracy and score; of a score without energy only what there is."""
    score = make_score("1", 0.0122, 1.03, low=231.0, high=247.0, test_images=360, value=239.0)
    assert score_texts(score, []) == {
        "findings": "every check passed", "energy_text": "12.2 ± 0.4 mJ",
        "accuracy_text": "90.0 ± 3.1 %", "score_text": "239 ± 8 /mWh",
    }  # fmt: skip
    guessed = make_score("1", 170e-6, 3.2, method=Method.ESTIMATED, low=5e3, high=70e3, value=19e3)
    texts = score_texts(guessed, [])
    assert texts["energy_text"] == "≈ 170 µJ (50–500)"
    assert texts["score_text"] == "≈ 19 k/mWh (5–70)"
    size = replace(score, formula="accuracy/parameters", joules_per_inference=None, value=37_700.0,
                   low=37_700.0, high=37_700.0, test_images=None, method=None)  # fmt: skip
    texts = score_texts(size, [])
    assert texts == {
        "findings": "every check passed", "accuracy_text": "90.0 %", "score_text": "37700 %/M"
    }  # fmt: skip
    own = replace(score, formula="images per kWh", value=12e3, low=8e3, high=19e3)
    assert score_texts(own, [])["score_text"] == "12 k (8–19 k)"
    odd = score_texts(replace(score, accuracy=1.25), [])
    assert odd["accuracy_text"] == "125.0 %"


def test_lines_of_equal_score_enclose_the_scores() -> None:
    """On each, accuracy² over energy is the score of its label; 12 points a line."""
    owner = {"workload": "digits", "boundary": "cpu"}
    lines = isolines(owner, [make_score("1", 0.0122, 1.03)])
    assert {dict(point.tags)["line"] for point in lines} == {"100 /mWh", "300 /mWh"}
    assert len(lines) == 24
    for point in lines:
        value = float(dict(point.tags)["line"].split()[0])
        accuracy, joules = (float(point.fields[n]) for n in ("accuracy", "joules_per_inference"))
        assert accuracy**2 / (joules / 3.6) == pytest.approx(value)
        assert 0.84 < accuracy < 0.96
    assert {dict(point.tags)["energy"] for point in lines} == {"measured"}
    assert isolines(owner, []) == []
    odd = {"verdict": Verdict.INVALID}, {"accuracy": 1.25}, {"value": float("inf")}
    assert isolines(owner, [make_score("1", 0.1, 1.1, **facts) for facts in odd]) == []


def test_estimated_scores_have_lines_of_their_own() -> None:
    """Which are not drawn where the measured ones are."""
    estimated = make_score("2", 170e-6, 2.0, method=Method.ESTIMATED)
    lines = isolines({}, [make_score("1", 0.0122, 1.03), estimated])
    assert {(tag["energy"], tag["line"]) for tag in (dict(point.tags) for point in lines)} == {
        ("measured", "100 /mWh"), ("measured", "300 /mWh"),
        ("estimated", "10 k /mWh"), ("estimated", "30 k /mWh"),
    }  # fmt: skip
    assert {dict(p.tags)["energy"] for p in isolines({}, [estimated])} == {"estimated"}


def test_lines_stand_at_1_3_10() -> None:
    """Around the scores, and of too many every second or third."""
    assert steps(12.0, 250.0) == [10.0, 30.0, 100.0, 300.0]
    assert steps(30.0, 30.0) == [30.0]
    assert steps(0.02, 0.02) == [0.01, 0.03]
    assert steps(1.0, 90_000.0) == [1.0, 10.0, 100.0, 1e3, 1e4, 1e5]
    assert len(steps(1e-9, 1e9)) <= 6
    assert [label(value) for value in (0.3, 10.0, 3e4, 1e6)] == [
        "0.3 /mWh", "10 /mWh", "30 k /mWh", "1 M /mWh"
    ]  # fmt: skip
