"""A number as it stands on paper: its digits say how well it is known."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import product


@dataclass(frozen=True, slots=True)
class Printed:
    """A printed number. ``value`` as a float; the truth lies within ``half`` of it, either way."""

    text: str

    @property
    def value(self) -> float:
        """The number that is printed."""
        return float(self.text)

    @property
    def half(self) -> float:
        """Half a unit of its last digit."""
        exponent = Decimal(self.text).as_tuple().exponent
        return 0.5 * 10.0 ** int(exponent)

    @property
    def bounds(self) -> tuple[float, float]:
        """What it may have been before it was rounded."""
        return self.value - self.half, self.value + self.half

    def holds(self, computed: float) -> bool:
        """Would ``computed`` be printed so?"""
        low, high = self.bounds
        slack = 1e-9 * abs(computed)  # a half in the last digit may be rounded either way
        return low - slack <= computed <= high + slack


def extremes(formula: Callable[..., float], inputs: tuple[Printed, ...]) -> tuple[float, float]:
    """Least and most that a formula, monotonic in each input, can give within their rounding."""
    values = [formula(*corner) for corner in product(*(printed.bounds for printed in inputs))]
    return min(values), max(values)
