"""A sampler in virtual time: its threads' work, done one after the other."""

from collections.abc import Callable

from wattmark_exporters.sampler import Sampler
from wattmark_exporters.sensor_loop import PROBE_SECONDS


def step(sampler: Sampler) -> float:
    """Do what is due now; returns the seconds until the next deadline, never negative."""
    return min([*(loop.run_due() for loop in sampler.loops), sampler.run_due()])


def settle(sampler: Sampler, sleep: Callable[[float], None]) -> None:
    """Start the sensors and let it be decided which stand-ins run."""
    while True:
        step(sampler)
        if sampler.settled():
            return
        sleep(PROBE_SECONDS)
