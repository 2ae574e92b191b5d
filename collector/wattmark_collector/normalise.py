"""The samples of a plain Prometheus target: what is known in base units, the rest as it is."""

import math
import re
from collections.abc import Iterable, Iterator
from typing import Final

from wattmark_collector.dcgm import PREFIX as DCGM
from wattmark_collector.dcgm import Dcgm
from wattmark_collector.left_out import LeftOut
from wattmark_collector.page import Page, PageReader
from wattmark_collector.page_line import MOST_HEADS, MetricValue
from wattmark_collector.passing import OWNED, as_they_are, passes
from wattmark_collector.rapl import NodeRapl
from wattmark_collector.rapl_zone import PREFIX as RAPL
from wattmark_core.sample import Sample
from wattmark_core.units import seconds_to_ns

NORMALISED: Final = (DCGM, RAPL)
OLDEST_NS: Final = seconds_to_ns(86_400.0)
NEWEST_NS: Final = seconds_to_ns(10.0)
"""How far behind and ahead of the scrape a time of the page may be. Prometheus, too, leaves out a
sample beyond its bounds, and stamps it with no other time (ErrOutOfBounds in its scrape loop)."""
_UNITS: Final = {"s": (1_000, 1), "us": (1, 1_000), "ns": (1, 1_000_000)}
"""What brings a time stamp of such units, read as ms, to what it means."""


class Normaliser:
    """One target's pages, one after the other. What is left out is counted and told by
    ``left_out``."""

    def __init__(
        self, url: str, host: str, keep: re.Pattern[str] | None = None, *,
        max_watts: float | None = None, left_out: LeftOut | None = None,
    ) -> None:  # fmt: skip
        self.host = host
        self._keep = keep
        self._left_out = LeftOut(url) if left_out is None else left_out
        self._pages = PageReader(url, self._left_out)
        self._dcgm = Dcgm(self._left_out, max_watts)
        self._rapl = NodeRapl(self._left_out, max_watts)
        self._wanted: dict[str, bool] = {}

    @property
    def dropped(self) -> int:
        """The values left out since the start."""
        return self._left_out.count

    def take(self, page: str | Page, time_ns: int) -> list[Sample]:
        """Samples of the page that was scraped at ``time_ns``. Raises ``ExporterError``."""
        page = Page(page) if isinstance(page, str) else page
        metrics = list(self._believed(self._pages.read(page), time_ns))
        return [
            *self._dcgm.take(metrics, self.host, time_ns),
            *self._rapl.take(metrics, self.host, time_ns),
            *self._once(as_they_are(self._allowed(metrics), self.host, time_ns)),
        ]

    def _believed(self, metrics: Iterable[MetricValue], time_ns: int) -> Iterator[MetricValue]:
        """Values of interest that are finite, at times that can be."""
        wanted = self._wanted
        for metric in metrics:
            if not math.isfinite(metric.value):
                self._left_out.count += 1
                if metric.name.startswith(NORMALISED):  # "none" is a usual value of others
                    name = metric.name
                    self._left_out.add(f"number {name}", f"{name} is left out where it is no number"
                                       f" ({metric.value})", 0)  # fmt: skip
            elif metric.time_ns is not None and not self._can_be(metric, metric.time_ns, time_ns):
                continue
            else:
                name = metric.name
                if name not in wanted:
                    if len(wanted) >= MOST_HEADS:
                        wanted.clear()
                    wanted[name] = name.startswith(NORMALISED) or passes(name, self._keep)
                if wanted[name]:
                    yield metric

    def _can_be(self, metric: MetricValue, stamp_ns: int, time_ns: int) -> bool:
        if -OLDEST_NS <= stamp_ns - time_ns <= NEWEST_NS:
            return True
        ahead_seconds = (stamp_ns - time_ns) / 1e9
        hint = (
            f"{abs(ahead_seconds):.0f} s {'ahead of' if ahead_seconds > 0 else 'behind'} the scrape"
        )
        for unit, (times, over) in _UNITS.items():
            if -OLDEST_NS <= stamp_ns * times // over - time_ns <= NEWEST_NS:
                hint = f"{unit} where the format has ms"
        self._left_out.add(
            f"time {metric.name}",
            f"{metric.name} is left out, its time stamp is {hint}; let the page give none, or the"
            " right one",
        )
        return False

    def _allowed(self, metrics: Iterable[MetricValue]) -> Iterator[MetricValue]:
        for metric in metrics:
            name = metric.name
            if not passes(name, self._keep):
                continue
            if name not in OWNED:
                yield metric
            else:
                self._left_out.add(f"owned {name}", f"metric {name} is refused, the catalogue owns"
                                   " that name; rename it")  # fmt: skip

    def _once(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        """Of two values of one series and time the first."""
        seen = set()
        for sample in samples:
            key = sample.measurement, sample.tags, sample.time_ns
            if key in seen:
                name = sample.measurement
                self._left_out.add(f"twice {name}", f"{name} stands twice with the same labels; the"
                                   " first counts")  # fmt: skip
            else:
                seen.add(key)
                yield sample
