"""Labels: every name that is shown has one."""

import pytest

from wattmark_core import labels
from wattmark_core.catalogue import Domain, Method
from wattmark_core.results import Boundary, Phase, Verdict


def test_every_name_has_a_label() -> None:
    """Of phases, boundaries, methods and verdicts; and no two the same."""
    for names, table in (
        (Phase, labels.PHASES), (Boundary, labels.BOUNDARIES), (Method, labels.METHODS),
        (Verdict, labels.VERDICTS),
    ):  # fmt: skip
        assert set(table) == set(names)
        assert len({*table.values()}) == len(table)


def test_an_estimate_says_so() -> None:
    """In the method, at its counter, and in the title of what may be compared."""
    assert labels.method(Method.ESTIMATED) == "ESTIMATED"
    name = labels.counter(Domain.PACKAGE, "socket0", Method.ESTIMATED)
    assert name == "CPU package socket0 ≈ ESTIMATED"
    assert labels.comparison("digits", Boundary.CPU, estimated=True, host="h") == (
        "digits · boundary cpu · ESTIMATED energy, relative only · h"
    )
    assert labels.comparison("digits", Boundary.CPU, estimated=False) == (
        "digits · boundary cpu · measured energy"
    )


@pytest.mark.parametrize(
    ("phase", "text"),
    [(Phase.INFERENCE, "inference 3"), (Phase.WARMUP, "warm-up"), (Phase.IDLE, "idle")],
)
def test_windows_that_are_measured_are_numbered(phase: Phase, text: str) -> None:
    """From 1, as checks name them."""
    assert labels.window(phase, 2) == text


def test_one_cpu_is_not_named_twice() -> None:
    """The estimate's counter is of all CPUs; without a method nothing is said of one."""
    assert labels.counter(Domain.PACKAGE, "cpu", Method.ESTIMATED) == "CPU package ≈ ESTIMATED"
    assert labels.counter(Domain.PACKAGE, "cpu") == "CPU package"


def test_a_counter_that_is_not_drawn_keeps_its_name() -> None:
    """core and uncore lie inside the package."""
    assert labels.counter(Domain.CORE, "socket0", Method.COUNTER) == "core socket0"


def test_formulas_of_ones_own_are_called_by_their_names() -> None:
    """The built-in ones have labels."""
    assert labels.formula("accuracy^2/energy") == "accuracy² / energy"
    assert labels.formula("images per kWh") == "images per kWh"
