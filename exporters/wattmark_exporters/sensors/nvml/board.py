"""What is known of an NVIDIA board before it is read: its name, its limit, its sensor's habits."""

from types import ModuleType
from typing import Final, NamedTuple

from wattmark_core.printable import printable
from wattmark_exporters.readings import Traits
from wattmark_exporters.sensors.nvml.fields import Access, limit_or_none, name, query

DEFAULT_PERIOD_SECONDS: Final = 0.1
"""T where it cannot be measured: the longest seen in arXiv 2312.02741."""
LEAST_TICK_SECONDS: Final = 0.005
"""A shorter T cannot be seen tick by tick at the sampler's fastest."""
_AVERAGING_SECONDS: Final = 1.0
"""nvml.h on nvmlDeviceGetPowerUsage: a 1 s average on Ampere (except GA100) and newer."""
_VOLTA: Final = 5
_AMPERE: Final = 7
_HOPPER: Final = 9
_GA100_CAPABILITY: Final = (8, 0)
_UNKNOWN_COVERAGE: Final = 0.25
_NO_NAME: Final = "NVIDIA GPU"


class Coverage(NamedTuple):
    """Share of time that the sensor sees, and whether that was published for the chip."""

    ratio: float
    known: bool


def coverage(architecture: int | None, *, ga100: bool) -> Coverage:
    """Of arXiv 2312.02741: V100 sees 50 % of the time, A100 25 ms of each 100 ms, H100 as much;
    for other chips the worst of these is assumed."""
    if architecture == _VOLTA:
        return Coverage(0.5, known=True)
    return Coverage(_UNKNOWN_COVERAGE, known=ga100 or architecture == _HOPPER)


def limit_watts(nvml: ModuleType, handle: object) -> float | None:
    """The higher of the enforced and the default power limit, W; None if the driver gives neither.

    A board in mid-burst may draw more: readers of ``Traits.limit_watts`` allow for it, the meter
    half as much again, the scoring a tenth. The default counts too because a limit just lowered
    does not hold yet.
    """
    limits = [
        query(nvml, "nvmlDeviceGetEnforcedPowerLimit", handle),
        query(nvml, "nvmlDeviceGetPowerManagementDefaultLimit", handle),
    ]
    return max((watts for v in limits if (watts := limit_or_none(v)) is not None), default=None)


def describe(
    nvml: ModuleType, handle: object, access: Access, period_seconds: float | None
) -> Traits:
    """The traits of a board; ``period_seconds``: measured T, None if it did not move."""
    architecture = query(nvml, "nvmlDeviceGetArchitecture", handle)
    capability = query(nvml, "nvmlDeviceGetCudaComputeCapability", handle)
    ga100 = capability is not None and tuple(capability) == _GA100_CAPABILITY
    averaged = access.has_power and not access.instant and _averages(architecture, ga100=ga100)
    share = coverage(architecture, ga100=ga100)
    mig = query(nvml, "nvmlDeviceGetMigMode", handle)
    notes = [
        _integrated(access),
        "power is an average over 1 s" if averaged else "",
        "" if share.known else "share of time seen by the sensor not published; 25 % assumed",
        "" if period_seconds else _still(access),
        "MIG is on: a slice is charged its whole board" if mig and mig[0] == 1 else "",
    ]
    period = period_seconds or DEFAULT_PERIOD_SECONDS
    return Traits(
        update_period_seconds=period,
        ticking=access.counts and period >= LEAST_TICK_SECONDS,
        averaging_seconds=_AVERAGING_SECONDS if averaged and not access.counts else 0.0,
        coverage_ratio=share.ratio,
        limit_watts=limit_watts(nvml, handle),
        label=model(nvml, handle),
        note="; ".join(note for note in notes if note),
    )


def model(nvml: ModuleType, handle: object) -> str:
    """The board's name, as in "NVIDIA H100 80GB HBM3", printable."""
    try:
        return printable(name(nvml, "nvmlDeviceGetName", handle)) or _NO_NAME
    except Exception:  # noqa: BLE001 - a board without a name is measured all the same
        return _NO_NAME


def _averages(architecture: int | None, *, ga100: bool) -> bool:
    """Is power that is not the instant field an average? Yes where the chip is not known."""
    return architecture is None or (architecture >= _AMPERE and not ga100)


def _integrated(access: Access) -> str:
    if access.counts:
        return ""
    why = "the energy counter stands still" if access.standing else "no energy counter"
    return f"{why}: power is integrated"


def _still(access: Access) -> str:
    what = "counter" if access.counts else "power"
    return f"the {what} did not move at start: an update period of 0.1 s is assumed"
