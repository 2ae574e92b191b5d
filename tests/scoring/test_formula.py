"""Scores of the owner's own: what a formula may say, and what comes out."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wattmark_core.catalogue import Method
from wattmark_core.errors import ConfigurationError
from wattmark_core.results import ENERGY_SCORE, Boundary, Score, Verdict
from wattmark_scoring.formula import FUNCTIONS, VARIABLES, Formula

DOCS = Path(__file__).parents[2] / "docs/measuring.md"

WHOLE = Score(
    "run", "host", "model", "digits", Boundary.CPU, ENERGY_SCORE, 0, Method.COUNTER,
    Verdict.VALID, 81.0, 80.0, 82.0, accuracy=0.9, joules_per_inference=0.036,
    joules_per_inference_low=0.035, joules_per_inference_high=0.038, watts=50.0,
    inferences_per_second=1000.0, cpu_seconds_per_inference=0.002,
    net_joules_per_inference=0.018, parameters=1000, macs=2000,
)  # fmt: skip


def evaluated(text: str, score: Score = WHOLE) -> tuple[float | None, float | None, float | None]:
    """Value, low and high of a formula."""
    return Formula.parse("mine", text).evaluate(score)


def test_the_built_in_score_can_be_written_down() -> None:
    """accuracy² over mWh gives what the energy score gives, with its interval."""
    value, low, high = evaluated("accuracy ** 2 / energy_mwh_per_inference")
    assert value == pytest.approx(0.81 / 0.01)
    assert low == pytest.approx(0.81 * 3.6 / 0.038)
    assert high == pytest.approx(0.81 * 3.6 / 0.035)


@pytest.mark.parametrize(
    ("text", "value", "low", "high"),
    [
        ("energy_joules_per_inference", 0.036, 0.035, 0.038),
        ("-energy_joules_per_inference", -0.036, -0.038, -0.035),
        ("net_energy_mwh_per_inference", 0.005, 0.017 / 3.6, 0.020 / 3.6),
        ("watts", 50.0, 50 * 35 / 36, 50 * 38 / 36),
        ("abs(energy_joules_per_inference - 0.036)", 0.0, 0.0, 0.002),
        ("accuracy", 0.9, 0.9, 0.9),
        ("seconds_per_inference * inferences_per_second", 1.0, 1.0, 1.0),
        ("cpu_seconds_per_inference + parameters + macs", 3000.002, 3000.002, 3000.002),
        ("min(1, 2) + max(1, 2) + sqrt(4) + log(1) + log10(10) + exp(0)", 7.0, 7.0, 7.0),
    ],
)
def test_variables_and_functions(text: str, value: float, low: float, high: float) -> None:
    """What follows from energy moves with its interval; low is never above high."""
    assert evaluated(text) == pytest.approx((value, low, high))


@pytest.mark.parametrize(
    "score",
    [
        replace(WHOLE, accuracy=None),
        replace(WHOLE, joules_per_inference=None),
        replace(WHOLE, joules_per_inference=0.0),
    ],
)
def test_missing_is_missing(score: Score) -> None:
    """Without a variable, or with a division by zero, there is no value."""
    assert evaluated("accuracy / energy_mwh_per_inference", score) == (None, None, None)


def test_a_missing_variable_that_is_not_used() -> None:
    """A formula needs only what stands in it."""
    blank = replace(WHOLE, joules_per_inference=None, joules_per_inference_low=None,
                    joules_per_inference_high=None, watts=None)  # fmt: skip
    assert evaluated("accuracy / parameters", blank) == pytest.approx((9e-4, 9e-4, 9e-4))


def test_an_interval_that_cannot_be_given() -> None:
    """Where an end has no result, the value stands without an interval."""
    value, low, high = evaluated("sqrt(energy_joules_per_inference - 0.0355)")
    assert value == pytest.approx(math.sqrt(0.0005))
    assert (low, high) == (None, None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("accuracy / joules", "unknown variable 'joules'; there are accuracy, energy_mwh"),
        ("floor(accuracy)", r"unknown function 'floor'; there are min, max"),
        ("__import__('os').system('true')", "may stand in it"),
        ("().__class__", "may stand in it"),
        ("accuracy.real", "may stand in it"),
        ("accuracy if watts else macs", "may stand in it"),
        ("max(1, 2, key=abs)", "may stand in it"),
        ("'a' * 3", "'a' is not a number"),
        ("True", "True is not a number"),
        ("accuracy^2", r"\*\* \(power\)"),
        ("accuracy /", "invalid syntax"),
        ("", "invalid syntax"),
        ("x = 1", "invalid syntax"),
        ("1 / 0", "does not work out"),
        ("9 ** 9 ** 9", "does not work out"),
        ("(0 - 8) ** 0.5", "does not work out"),
        ("1e999", "not finite"),
        ("sqrt", "not a number"),
        ("sqrt(1, 2)", "sqrt"),
        ("1 + " * 200 + "1", "longer than 500"),
    ],
)
def test_a_formula_that_cannot_be_is_refused(text: str, reason: str) -> None:
    """When it is read, in one line that names the formula and what to do."""
    with pytest.raises(ConfigurationError, match=reason) as caught:
        Formula.parse("mine", text)
    assert str(caught.value).startswith("score formula 'mine'")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "netscore", "accuracy^2/energy", "=1+1", "a b", "x" * 64])
def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    """Built-in scores keep their names, and a name is fit for tables, tags and URLs."""
    with pytest.raises(ConfigurationError, match="score formula"):
        Formula.parse(name, "accuracy")


WORDS = [
    *VARIABLES, *FUNCTIONS, "0", "1", "2", "1e300", "(", ")", ",", ".", "+", "-", "*", "/", "**",
    "%", "[", "]", "lambda", ":", "x", "__class__",
]  # fmt: skip


@settings(deadline=None)
@given(st.text(max_size=40) | st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join))
def test_any_text_is_a_formula_or_refused(text: str) -> None:
    """No text does anything else than give finite numbers or be refused."""
    try:
        formula = Formula.parse("mine", text)
    except ConfigurationError:
        return
    value, low, high = formula.evaluate(WHOLE)
    assert value is None or math.isfinite(value)
    if value is not None and low is not None and high is not None:
        assert low <= value <= high


def test_lines_of_a_long_formula_are_joined() -> None:
    """A formula may be wrapped in the configuration file."""
    assert evaluated("\n  accuracy\n  + 1\n")[0] == pytest.approx(1.9)


def test_every_variable_and_function_is_documented() -> None:
    """docs/measuring.md names them all, with their units."""
    text = DOCS.read_text(encoding="utf-8")
    for name, variable in VARIABLES.items():
        assert f"| `{name}` | {variable.meaning} |" in text
    for name in FUNCTIONS:
        assert f"`{name}`" in text
