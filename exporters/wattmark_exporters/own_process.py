"""The process of a user's sensor: ``python -m wattmark_exporters.own_process IN OUT PARENT
MODULE:CLASS``.

It says what the sensor is, then carries out one command a line from descriptor IN and answers each
with a line on OUT. Whatever the sensor does (crash, hang, print, eat memory) befalls this process
alone; it ends with the exporter.
"""

import argparse
import ctypes
import os
import resource
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from wattmark_core.errors import ConfigurationError, SensorAbsent, SensorFailed
from wattmark_exporters.choice import load
from wattmark_exporters.command_line import parser
from wattmark_exporters.readings import Reading, Sensor, Stamped
from wattmark_exporters.wire import Packer, decode, encode

MOST_MEMORY_BYTES: Final = 2 << 30
"""More than any meter needs, and less than hurts a machine that is measured."""
_PR_SET_PDEATHSIG: Final = 1
_WORST_OOM_SCORE: Final = "1000"


class _Served:
    """One sensor and the commands for it, each a method that returns what it answers."""

    def __init__(self, name: str, kind: type[Sensor]) -> None:
        self._name = name
        self._kind = kind
        self._sensor: Sensor | None = None
        self._packer = Packer()
        self._noted: dict[str, Any] = {}

    def describe(self) -> dict[str, Any]:
        kind = self._kind
        return {
            "name": kind.name, "interval_seconds": kind.interval_seconds, "energy": kind.energy,
            "order": kind.order, "stand_in": kind.stand_in, "measures": kind.measures,
            "needs": kind.needs,
            "options": [[o.flag, o.help, o.metavar, o.kind is None] for o in kind.options],
        }  # fmt: skip

    def make(self, words: Sequence[str]) -> dict[str, Any]:
        """Raises ``ConfigurationError`` for options that cannot be carried out."""
        own = parser([self._kind])
        own.exit_on_error = False
        try:
            options, _ = own.parse_known_args(words)
            self._sensor = self._kind.make(options)
        except ConfigurationError:
            raise
        except argparse.ArgumentError as error:
            raise ConfigurationError(str(error)) from error
        except Exception as error:
            raise ConfigurationError(
                f"sensor {self._kind.__name__}: {type(error).__name__}: {error}"
            ) from error
        return {"wanted": self._sensor is not None}

    def start(self) -> dict[str, Any]:
        sensor = self._made()
        sensor.start()
        return {"constants": dict(sensor.constants()), **self.note()}

    def read(self) -> dict[str, Any]:
        """With the boot time before and after the hardware was read."""
        sensor = self._made()
        start_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        taken = sensor.take()
        if not isinstance(taken, tuple | list) and isinstance(taken, Iterable):
            taken = list(taken)  # a generator reads only now
        end_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        if isinstance(taken, Stamped):
            start_ns, end_ns, taken = taken
        readings: Iterable[Reading] = sensor.readings(taken)
        answer = {"start_ns": start_ns, "end_ns": end_ns, **self._packer.pack(readings)}
        note = self.note()
        if note != self._noted:
            self._noted = note
            answer.update(note)
        return answer

    def rescan(self) -> dict[str, Any]:
        self._made().rescan()
        return self.note()

    def note(self) -> dict[str, Any]:
        sensor = self._made()
        return {"note": str(sensor.note()), "interval_seconds": float(sensor.interval_seconds)}

    def close(self) -> dict[str, Any]:
        self._made().close()
        return {}

    def _made(self) -> Sensor:
        if self._sensor is None:
            raise SensorFailed("it was not made")
        return self._sensor

    def answer(self, command: dict[str, Any]) -> dict[str, Any]:
        """What a command's method returns, or the error that it raised."""
        try:
            answer: dict[str, Any] = getattr(self, command["call"])(*command.get("with", ()))
        except ConfigurationError as error:
            return {"refused": str(error)}
        except SensorAbsent as error:
            return {"absent": [error.reason, error.remedy, error.found]}
        except (SensorFailed, OSError) as error:
            return {"failed": str(error) or type(error).__name__}
        except BaseException as error:  # noqa: BLE001 - it ends this process only when told to
            return {"failed": f"{type(error).__name__}: {error}"}
        return answer


def main(arguments: Sequence[str]) -> int:
    """Serve until the exporter closes its end."""
    commands, results, parent = map(int, arguments[:3])
    name = arguments[3]
    _end_with(parent)
    for number in (commands, results):  # not for programs that the sensor starts
        os.set_inheritable(number, False)
    _be_harmless()
    try:
        served = _Served(name, load(name))
    except ConfigurationError as error:
        os.write(results, encode({"refused": str(error)}))
        return 2
    except BaseException as error:  # noqa: BLE001 - what a module does when it is imported
        os.write(results, encode({"refused": f"--sensor {name}: {type(error).__name__}: {error}"}))
        return 2
    _send(results, served.describe())
    with open(commands, "rb") as lines:  # noqa: PTH123 - a descriptor
        for line in lines:
            _send(results, served.answer(decode(line)))
    return 0


def _send(results: int, answer: dict[str, Any]) -> None:
    try:
        line = encode(answer)
    except (TypeError, ValueError) as error:
        line = encode({"failed": f"{type(error).__name__}: {error}"})
    while line:
        line = line[os.write(results, line) :]


def _end_with(parent: int) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before
        sys.exit(0)


def _be_harmless() -> None:
    """Be the first to go where memory is short, and take no more than a share of it."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_WORST_OOM_SCORE, encoding="ascii")
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    limit = MOST_MEMORY_BYTES if most == resource.RLIM_INFINITY else min(most, MOST_MEMORY_BYTES)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, most))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
