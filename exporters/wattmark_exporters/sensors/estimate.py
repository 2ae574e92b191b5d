"""An estimate of CPU energy from CPU time, for machines without an energy counter.

``joules = idle_W · elapsed + (max_W − idle_W) · busy CPU seconds / visible CPUs``: a counter like
the others, right on average within a factor of two either way, good for comparing on one machine.
"""

import math
from argparse import Namespace
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, Self

from wattmark_core.catalogue import Domain, Method
from wattmark_core.clock import Clock, SystemClock
from wattmark_core.errors import ConfigurationError, SensorAbsent, SensorFailed
from wattmark_core.units import ns_to_seconds
from wattmark_exporters.readings import Counter, Option, Reading, Sensor, Traits
from wattmark_exporters.sensors.files import KeptFile
from wattmark_exporters.sensors.proc_stat import (
    USER_HZ,
    CpuTimes,
    RisingTimes,
    cpu_times,
    visible_cpus,
)

WATTS_PER_CPU: Final = 5.0
"""Where no TDP is given. Servers of 2017 to 2024 are rated at 2 to 6 W per hardware thread."""
IDLE_RATIO: Final = 0.2
"""Share of the full power that an idle CPU draws: the design's constant."""
DEVICE: Final = "cpu"
STILL_SECONDS: Final = 20.0
STILL_READS: Final = 5
"""CPU times of a machine that runs change with every jiffy, if only those of idling: where they
are the same for so long, in so many reads, they are a copy, or nobody counts them."""


class Estimate(Sensor):
    """One package counter, method ``estimated``. ``tdp_watts`` None: 5 W per visible CPU.

    Raises ``ConfigurationError`` for a TDP that is no positive number.
    """

    name = "estimate"
    measures = "CPU energy guessed from CPU time, right within a factor of two either way"
    needs = "procfs; used only where no sensor measures the package"
    order = 90
    stand_in = True
    options = (
        Option("--no-estimate", "never estimate CPU energy from CPU time"),
        Option(
            "--tdp-watts", "the CPU's rated power, for the estimate (default: 5 W per visible CPU)",
            "W", str,
        ),
    )  # fmt: skip
    interval_seconds = 1.0
    """Jiffies of 10 ms say nothing about shorter times, and waking is what an exporter costs."""

    def __init__(self, procfs: Path, tdp_watts: float | None, clock: Clock | None = None) -> None:
        if tdp_watts is not None and not (math.isfinite(tdp_watts) and tdp_watts > 0):
            raise ConfigurationError(
                f"a TDP of {tdp_watts:g} W is not possible; give --tdp-watts the CPU's rated power"
            )
        self._file = KeptFile(procfs / "stat", 65536)
        self._clock = clock or SystemClock()
        self._tdp_watts = tdp_watts
        self._times = RisingTimes()
        self._cpus = 0
        self._max_watts = self._idle_watts = 0.0
        self._traits = Traits()
        self._start_ns = self._start_busy = 0
        self._shown: CpuTimes | None = None
        """The times last read, since when, and in how many reads."""
        self._shown_ns = self._shown_reads = 0

    @classmethod
    def make(cls, options: Namespace) -> Self | None:
        """None with ``--no-estimate``. Raises ``ConfigurationError`` for an impossible TDP."""
        return None if options.no_estimate else cls(options.procfs, _watts(options.tdp_watts))

    def start(self) -> None:
        """Begin to count. Raises ``SensorAbsent`` without PROC/stat, or where it still stands as it
        did when that was a failure."""
        try:
            text = self._file.read_all()
            times = cpu_times(text)
        except (OSError, ValueError) as error:
            raise SensorAbsent(
                f"{self._file.path} cannot be read ({error})",
                "name the folder where procfs is mounted with --procfs",
            ) from error
        if self._stands_still(times):
            raise SensorAbsent(
                f"{self._file.path}: {self._still_words()}",
                "name the folder where the procfs of the running machine is mounted with --procfs",
                found=True,
            )
        self._start_busy = self._times.of(times).busy
        self._start_ns = self._clock.boottime_ns()
        self._cpus = max(1, visible_cpus(text))
        self._max_watts = self._tdp_watts or WATTS_PER_CPU * self._cpus
        self._idle_watts = IDLE_RATIO * self._max_watts
        self._traits = Traits(
            update_period_seconds=1 / USER_HZ, label=self._label(), note="relative only"
        )

    def read(self) -> Iterable[Reading]:
        """The counter. Raises ``SensorFailed`` if PROC/stat is not what it was, or stands still, or
        ``OSError``."""
        try:
            times = cpu_times(self._file.read())
        except ValueError as error:
            raise SensorFailed(f"{self._file.path}: {error}") from error
        if self._stands_still(times):
            raise SensorFailed(f"{self._file.path}: {self._still_words()}")
        busy = self._times.of(times).busy - self._start_busy
        elapsed_seconds = ns_to_seconds(self._clock.boottime_ns() - self._start_ns)
        active_watts = self._max_watts - self._idle_watts
        joules = self._idle_watts * elapsed_seconds + active_watts * busy / USER_HZ / self._cpus
        return (Counter(Domain.PACKAGE, DEVICE, joules, self._traits, Method.ESTIMATED),)

    def constants(self) -> Mapping[str, float]:
        """What the joules were made with."""
        return {
            "tdp_watts": self._max_watts,
            "idle_watts": self._idle_watts,
            "visible_cpus": self._cpus,
        }

    def close(self) -> None:
        self._file.close()

    def _stands_still(self, times: CpuTimes) -> bool:
        now_ns = self._clock.boottime_ns()
        if times != self._shown:
            self._shown, self._shown_ns, self._shown_reads = times, now_ns, 0
        self._shown_reads += 1
        still_seconds = ns_to_seconds(now_ns - self._shown_ns)
        return self._shown_reads > STILL_READS and still_seconds > STILL_SECONDS

    def _still_words(self) -> str:
        return f"its CPU times have stood still for over {STILL_SECONDS:.0f} s"

    def _label(self) -> str:
        origin = "--tdp-watts" if self._tdp_watts else f"{WATTS_PER_CPU:g} W per visible CPU"
        return (
            f"estimate from CPU time, {self._idle_watts:g} to {self._max_watts:g} W"
            f" ({origin}, {self._cpus} CPUs)"
        )


def _watts(text: str | None) -> float | None:
    """Raises ``ConfigurationError`` for what is no number."""
    try:
        return None if text is None else float(text)
    except ValueError:
        raise ConfigurationError(
            f"--tdp-watts {text}: not a number of watts; give the CPU's rated power"
        ) from None
