"""What a user must know before and after numbers are shown: are they measured?"""

from collections.abc import Iterable

from wattmark_core import labels
from wattmark_core.catalogue import Domain, Method
from wattmark_core.exporter_api import HostReport, SensorState
from wattmark_runner.views.run_words import source_text
from wattmark_scoring.boundary import pin_sources

HOW_TO_MEASURE = (
    "To measure: run on bare-metal Linux with readable RAPL counters (a udev rule) or on an NVIDIA"
    " GPU, or add a meter of your own with --sensor; `wattmark sensors` says what is missing here."
)


def is_estimated(report: HostReport) -> bool:
    """Is the CPU's energy estimated on this host?"""
    pinned = pin_sources(report.energy)
    return any(s.domain is Domain.PACKAGE and s.method is Method.ESTIMATED for s in pinned)


def about_sources(report: HostReport) -> Iterable[str]:
    """What the run counts, one line each."""
    pinned = pin_sources(report.energy)
    for series in pinned:
        yield f"{labels.counter(series.domain, series.device)}: {source_text(series)}"
    if not pinned:
        yield "no sensor of energy answers"
    if is_estimated(report):
        missing = "; ".join(
            sensor.reason for sensor in report.sensors if sensor.state is not SensorState.OK
        )
        yield (
            "CPU energy is ESTIMATED from CPU time, within a factor of two either way: good for"
            " comparing networks on this machine, not for absolute numbers."
        )
        yield f"Why: {missing}." if missing else "Why: no sensor measures the CPU's package."
        yield HOW_TO_MEASURE
