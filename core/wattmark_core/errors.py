"""Every error that a user may see, one line each: what is wrong and what to do.

WattmarkError
├── ConfigurationError      what the user asked for cannot be: unknown model, sensor, key, bad URL
├── SensorAbsent            the hardware or the permission is not there; carries a remedy
├── SensorFailed            a sensor that was there stopped answering
├── LineFormatError         a line of samples that cannot be read
├── UnknownValue            a newer version's JSON has a value that this version does not know
├── StoreError              the store refuses: not a store, network file system, full disk
│   ├── StoreUnavailable    its server does not answer now; try again
│   └── SamplesRefused      it never takes these samples; all others were written
├── ExporterError           an exporter that cannot be reached, is another machine's, or refuses
├── PortInUse               the address to listen on is taken
├── RunError                a run or its worker broke; the reason is in the message
├── UnknownRun              the run records hold no run, or no window, of that name
└── NoSamples               a window over a time for which the store holds no sample

A foreign error is translated where the foreign library is called, with ``raise … from``.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wattmark_core.sample import AnySample


class WattmarkError(Exception):
    """Base of all errors of this project; ``str(error)`` is one line for the user."""

    exit_status = 1


class ConfigurationError(WattmarkError):
    """What was asked for cannot be; nothing was started."""

    exit_status = 2


class SensorAbsent(WattmarkError):
    """The sensor's hardware, driver or permission is not there.

    ``reason`` says what is missing, ``remedy`` what the user can do about it. ``found``: the
    hardware is there and cannot be used.
    """

    def __init__(self, reason: str, remedy: str, *, found: bool = False) -> None:
        super().__init__(f"{reason}; {remedy}")
        self.reason = reason
        self.remedy = remedy
        self.found = found


class SensorFailed(WattmarkError):
    """A sensor that worked before, or should work, gave an error."""


class LineFormatError(WattmarkError):
    """A line of samples that is not in the line format."""


class UnknownValue(WattmarkError, ValueError):
    """JSON of another version holds a value that an enumeration of this one does not know."""


class StoreError(WattmarkError):
    """The store cannot be opened, read or written."""


class StoreUnavailable(StoreError):
    """The store does not answer now; the same call may succeed later.

    ``wait_seconds``: for how long its server asks to be left alone; None if it does not say.
    """

    wait_seconds: float | None = None


class SamplesRefused(StoreError):
    """The store will never take these ``samples`` of a batch; it has the others."""

    def __init__(self, message: str, samples: Sequence["AnySample"]) -> None:
        super().__init__(message)
        self.samples = samples


class ExporterError(WattmarkError):
    """The exporter cannot be reached, refuses, or belongs to another machine.

    ``wait_seconds``: for how long it asks to be left alone; None if it does not say.
    """

    wait_seconds: float | None = None


class PortInUse(WattmarkError):
    """Another program listens on the address."""


class RunError(WattmarkError):
    """A run could not be carried out."""


class UnknownRun(WattmarkError):
    """The run records hold no run, or no window, of that name."""


class NoSamples(WattmarkError):
    """The store holds no sample for the window."""
