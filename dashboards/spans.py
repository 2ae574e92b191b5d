"""Which of the stored resolutions is asked: it follows from the time that is shown.

Each panel has a query for each resolution, and all but one of them have a condition that is false
before anything is read (``1000 > 2000``), so that they cost nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
SHOWN_MS: Final = "${__to} - ${__from}"
OLD: Final = "time < now() - 14d"
"""What the databases of short retention have forgotten."""


@dataclass(frozen=True, slots=True)
class Span:
    """Times shown of over ``above_ms`` to ``most_ms`` (0: without end): from which database, in
    points of what length."""

    database: str
    group: str
    above_ms: int
    most_ms: int
    also: str = ""

    @property
    def condition(self) -> str:
        """True for these times alone."""
        parts = [f"{SHOWN_MS} > {self.above_ms}"] if self.above_ms else []
        parts += [f"{SHOWN_MS} <= {self.most_ms}"] if self.most_ms else []
        return " AND ".join([*parts, *([self.also] if self.also else [])])


def _within(bucket: str) -> str:
    """Of a bucket that began in the time shown: it ends there, too."""
    return f"time <= ${{__to}}ms - {bucket}"


POWER: Final = (
    Span("power_10s", "10s", 0, 3 * HOUR_MS),
    Span("power_1m", "1m", 0, 3 * HOUR_MS, OLD),
    Span("power_1m", "1m", 3 * HOUR_MS, 12 * HOUR_MS),
    Span("power_10m", "10m", 12 * HOUR_MS, 4 * DAY_MS),
    Span("power_1h", "1h", 4 * DAY_MS, 15 * DAY_MS),
    Span("power_1h", "6h", 15 * DAY_MS, 120 * DAY_MS),
    Span("power_1h", "1d", 120 * DAY_MS, 0),
)
"""For lines of power: at most 1,080 points each."""
SUMS: Final = (
    Span("power_10s", "", 0, 3 * HOUR_MS, _within("10s")),
    Span("power_1m", "", 0, 3 * HOUR_MS, f"{OLD} AND {_within('1m')}"),
    Span("power_1m", "", 3 * HOUR_MS, 26 * HOUR_MS, _within("1m")),
    Span("power_10m", "", 26 * HOUR_MS, 15 * DAY_MS, _within("10m")),
    Span("power_1h", "", 15 * DAY_MS, 0, _within("1h")),
)
"""For one number of the whole time, of buckets that lie in it: fine enough that what is missing at
its ends is below half a per cent from some hours on."""
GAPS: Final = tuple(
    replace(span, above_ms=max(span.above_ms, 2 * HOUR_MS)) for span in SUMS if OLD not in span.also
)
"""To distinguish a gap from the newest minute, which is not stored yet: from two hours on."""
SAMPLES: Final = (
    Span("telemetry", "$__interval", 0, 6 * HOUR_MS),
    Span("telemetry_1m", "$__interval", 0, 6 * HOUR_MS, OLD),
    Span("telemetry_1m", "$__interval", 6 * HOUR_MS, 0),
)
"""For everything else: samples, or their one-minute values."""


def each(spans: Sequence[Span], query: Callable[[Span], str]) -> list[str]:
    """A query for each span."""
    return [query(span) for span in spans]
