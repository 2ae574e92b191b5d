"""What a run fixes when it starts: which counters count, how long windows and guards are."""

from collections.abc import Sequence
from typing import Final

from wattmark_core.catalogue import Domain
from wattmark_core.errors import ConfigurationError
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import BOUNDARY_DOMAINS, Boundary
from wattmark_runner.records.model import RunRequest
from wattmark_scoring.boundary import of_boundary
from wattmark_scoring.sampling import is_slow

PERIODS_A_WINDOW: Final = 100
"""A window of 100 update periods T has a raw edge error of T/(√6·W) = 0.4 %."""
LEAST_SECONDS: Final = 3.0
PART_TIME_SECONDS: Final = 10.0
"""For a counter that sees a share of the time only, as NVIDIA's do: its period may be shorter than
what that look needs to average out."""
SLOW_PERIODS: Final = 10
"""Of a slow counter: a window of 100 would take hours; what the edges leave open is stated."""
LEAST_GUARD_SECONDS: Final = 0.5


def counted(series: Sequence[EnergySeries], request: RunRequest) -> tuple[EnergySeries, ...]:
    """Those that the run's boundary counts; the others are shown beside it.

    Raises ``ConfigurationError`` if the boundary needs a counter that is not there.
    """
    boundary, gpus = request.main_boundary, request.gpus
    domains = BOUNDARY_DOMAINS[boundary]
    inside = of_boundary(series, boundary, gpus)
    counted_domains = {counter.domain for counter in inside}
    devices = {counter.device for counter in inside}
    if Domain.GPU in domains and request.gpu and request.gpu not in devices:
        raise ConfigurationError(
            f"no energy counter of GPU {request.gpu!r} answers; `wattmark sensors` lists the GPUs"
        )
    if boundary is Boundary.GPU and not request.gpu:
        raise ConfigurationError("boundary gpu needs a GPU to run on; name its UUID")
    if Domain.PACKAGE in domains and Domain.PACKAGE not in counted_domains:
        raise ConfigurationError(
            "the CPU's energy is neither measured nor estimated here; `wattmark sensors` says what"
            " is missing, or let the exporter estimate it"
        )
    return inside


def window_seconds(series: Sequence[EnergySeries]) -> float:
    """The least length of a measured window that every counter in use can resolve, s."""
    return max(
        [LEAST_SECONDS]
        + [
            (SLOW_PERIODS if is_slow(counter) else PERIODS_A_WINDOW) * counter.update_period_seconds
            for counter in series
        ]
        + [PART_TIME_SECONDS for counter in series if counter.coverage_ratio < 1]
    )


def guard_seconds(series: Sequence[EnergySeries]) -> float:
    """How long the load goes on around a window, s: max(0.5 s, w + 2T)."""
    reach = [counter.averaging_seconds + 2 * counter.update_period_seconds for counter in series]
    return max([LEAST_GUARD_SECONDS, *reach])
