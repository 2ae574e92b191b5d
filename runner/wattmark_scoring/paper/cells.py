"""Every number of the paper that follows from others, computed again from them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from math import log10, sqrt
from typing import Final

from wattmark_scoring.paper.printed import Printed, extremes
from wattmark_scoring.paper.published import HOSTS, MODELS, PaperNetwork

IMAGES: Final = 50_000
"""Of the ILSVRC2012 validation set, which each network inferred three times."""
SECONDS_PER_HOUR: Final = 3600.0


class Match(StrEnum):
    """How a computed number stands to the printed one."""

    PRINTED = "printed"
    """It would be printed so."""
    ROUNDING = "within rounding"
    """It would be, had the inputs been printed with more digits."""
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Cell:
    """A printed number beside the same computed from printed inputs.

    ``low`` and ``high``: what the inputs' rounding leaves open. ``source`` says how it is computed.
    ``published`` None: the paper's number is not in our data, the computed one stands alone.
    """

    table: str
    column: str
    model: str
    published: str | None
    computed: float
    low: float
    high: float
    source: str

    @property
    def agreement(self) -> Match | None:
        """None where there is nothing to agree with."""
        if self.published is None:
            return None
        printed = Printed(self.published)
        if printed.holds(self.computed):
            return Match.PRINTED
        low, high = printed.bounds
        overlap = self.low <= high and self.high >= low
        return Match.ROUNDING if overlap else Match.DIFFERENT


def score(accuracy_percent: float, energy_microwatthours: float) -> float:
    """The paper's score (Eq. 3), 1/mWh."""
    return (accuracy_percent / 100.0) ** 2 / (energy_microwatthours / 1000.0)


def per_parameter(accuracy_percent: float, parameters_millions: float) -> float:
    """Accuracy per parameter (Eq. 1)."""
    return accuracy_percent / parameters_millions


def netscore(accuracy_percent: float, parameters_millions: float, macs_billions: float) -> float:
    """NetScore (Eq. 2)."""
    size = sqrt(parameters_millions * macs_billions)
    return 20.0 * log10(accuracy_percent**2 / size)


def recompute() -> tuple[Cell, ...]:
    """All cells: Table I's energy, Table II's scores and ranks, Table III's scores and ratios."""
    return (*_table1(), *_table2(), *_ranks(), *_table3())


def _table1() -> Iterator[Cell]:
    for network in MODELS:
        power_time = (network["avg_gpu_power_w"], network["inference_time_s"])
        yield _cell("I", "total_energy_wh", network, _energy_wh, power_time, "power · time")
        yield _cell("III", "uwh_a100", network, _energy_uwh, power_time,
                    "power · time / 50,000 images")  # fmt: skip


def _table2() -> Iterator[Cell]:
    for network in MODELS:
        size = network.parameters_millions
        accuracy = network["accuracy"]
        yield _cell("II", "score5", network, per_parameter, (accuracy, size),
                    "eq. 1, documented parameters")  # fmt: skip
        yield _cell("II", "netscore", network, netscore, (accuracy, size, network.macs_billions),
                    "eq. 2, documented parameters and MACs")  # fmt: skip


def _ranks() -> Iterator[Cell]:
    """The rank that each printed score gives, beside that of the computed one: 1 is best, and
    equal ones share the better rank.

    Table II's column of score [5] repeats that of NetScore, so its printed ranks are NetScore's.
    """
    formulas: dict[str, Callable[[PaperNetwork], float]] = {
        "score5": lambda n: per_parameter(n["accuracy"].value, n.parameters_millions.value),
        "netscore": lambda n: netscore(n["accuracy"].value, n.parameters_millions.value,
                                       n.macs_billions.value),
        **{f"score_{host.key}": (lambda n, key=host.key: score(  # type: ignore[misc]
            n["accuracy"].value, n[f"uwh_{key}"].value)) for host in HOSTS},
    }  # fmt: skip
    for column, formula in formulas.items():
        shown_by = "netscore" if column == "score5" else column
        computed = sorted(map(formula, MODELS), reverse=True)
        for network in MODELS:
            rank = computed.index(formula(network)) + 1
            low, high = _places(network, column)  # what the printed scores leave open
            shown, _ = _places(network, shown_by)
            yield Cell("II", f"rank by {column}", network.model, str(shown), rank, low, high,
                       "order of the computed scores")  # fmt: skip


def _places(network: PaperNetwork, column: str) -> tuple[int, int]:
    """First and last rank that a printed score allows: equal ones may stand either way."""
    printed = sorted((row[column].value for row in MODELS), reverse=True)
    first = printed.index(network[column].value) + 1
    return first, first + printed.count(network[column].value) - 1


def _table3() -> Iterator[Cell]:
    base = HOSTS[0].key
    for host in HOSTS:
        for network in MODELS:
            energy = network[f"uwh_{host.key}"]
            yield _cell("III", f"score_{host.key}", network, score, (network["accuracy"], energy),
                        "eq. 3, printed accuracy and µWh")  # fmt: skip
            if host is not HOSTS[0]:
                yield _ratio(network, host.key, energy, network[f"uwh_{base}"])


SUBSCRIPTS: Final = {("NasNet Mobile", "bixeon"): "8.9"}
"""Printed ratios to the A100 that our data hold; of the paper's others we have no copy."""


def _ratio(network: PaperNetwork, host: str, energy: Printed, base: Printed) -> Cell:
    low, high = extremes(lambda a, b: a / b, (energy, base))
    return Cell("III", f"energy_ratio_{host}", network.model, SUBSCRIPTS.get((network.model, host)),
                energy.value / base.value, low, high, "printed µWh ÷ the A100's")  # fmt: skip


def _energy_wh(watts: float, seconds: float) -> float:
    return watts * seconds / SECONDS_PER_HOUR


def _energy_uwh(watts: float, seconds: float) -> float:
    return _energy_wh(watts, seconds) / IMAGES * 1e6


def _cell(
    table: str, column: str, network: PaperNetwork, formula: Callable[..., float],
    inputs: tuple[Printed, ...], source: str,
) -> Cell:  # fmt: skip
    low, high = extremes(formula, inputs)
    computed = formula(*(printed.value for printed in inputs))
    return Cell(table, column, network.model, network[column].text, computed, low, high, source)
