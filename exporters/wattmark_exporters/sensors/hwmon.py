"""Energy and power of CPU sockets where Linux's hwmon alone gives them.

Two drivers: ``amd_energy`` (``energyN_input``, µJ, labels ``EsocketN`` and ``EcoreNNN``; in Linux
5.8 to 5.12, and beside it as github.com/amd/amd_energy) and ``power_meter`` (drivers/hwmon/
acpi_power_meter.c: ``powerN_average``, µW over ``powerN_average_interval`` ms) on NVIDIA's Grace,
whose ``powerN_oem_info`` says what is measured: "Grace Power Socket 0" the socket with its memory
and regulators, "CPU Power Socket 0" its cores' rail, "SysIO Power Socket 0" the rest of the chip,
"Module Power Socket 0" all of a superchip, with its GPU (Grace Performance Tuning Guide, "Power
Telemetry").
"""

import re
from argparse import Namespace
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple, Self

from wattmark_core.catalogue import Domain
from wattmark_core.clock import Clock, SystemClock
from wattmark_core.errors import SensorAbsent, SensorFailed
from wattmark_core.printable import quoted
from wattmark_exporters.readings import Counter, LeftOut, Lost, Power, Reading, Sensor, Traits
from wattmark_exporters.sensors.files import (
    GONE,
    KeptFile,
    cpu_model,
    first_integer,
    first_text,
    integer,
)
from wattmark_exporters.sensors.rapl.mirrors import mirror

_DRIVERS: Final = {"amd_energy": "energy*_input", "power_meter": "power*_average"}
_SOCKET: Final = re.compile(r"Esocket([0-9]{1,4})")
_CORE: Final = re.compile(r"Ecore[0-9]+")
_RAIL: Final = re.compile(r"(Grace|CPU|SysIO|Module) Power Socket ([0-9]{1,4})", re.IGNORECASE)
_RAILS: Final = {
    "grace": (Domain.PACKAGE, "socket", "with its memory and regulators"),
    "cpu": (Domain.CORE, "socket", "the rail of the cores"),
    "sysio": (Domain.UNCORE, "socket", "the rail of the chip beside its cores"),
    "module": (Domain.PSYS, "module", "the whole module, with its GPU and memory"),
}
_MICRO: Final = 1e-6
_COUNTER_SECONDS: Final = 0.001
"""The driver reads the processor's own counter, which is updated about every 1 ms."""
_USUAL_INTERVAL_SECONDS: Final = 0.05
"""Of Grace's firmware; the tuning guide's default."""
_MODULE_WATTS: Final = 4_000.0
"""Two dies of GPU and one socket: NVIDIA rates GB200 at 2,700 W."""
_INTERVAL_SECONDS: Final = 0.1
_INTEGRATED_SECONDS: Final = 0.05
"""Power is integrated from 20 readings a second or more."""
_LOOKS: Final = 7
_LOOK_SECONDS: Final = 0.01
_BAD_READS: Final = 50
"""This many bad values in a row are no accident: 5 s at the usual interval."""


class _Meter(NamedTuple):
    """One file of a driver; ``label``: what it measures, by the driver."""

    path: Path
    domain: Domain
    device: str
    label: str
    note: str
    counts: bool


@dataclass(slots=True)
class _Live:
    meter: _Meter
    file: KeptFile
    traits: Traits
    bad_reads: int = 0


class Hwmon(Sensor):
    """Every socket that one of the drivers names. ``procfs`` names the CPU's model."""

    name = "hwmon"
    measures = "CPU sockets and modules, where powercap has none"
    needs = "NVIDIA Grace, or AMD EPYC with the driver amd_energy; read permission"
    order = 15
    interval_seconds = _INTERVAL_SECONDS

    def __init__(self, sysfs: Path, procfs: Path, clock: Clock | None = None) -> None:
        self._sysfs = sysfs
        self._procfs = procfs
        self._clock = clock or SystemClock()
        self._live: Sequence[_Live] = ()
        self._left_out: list[Reading] = []
        self._seen: object = None
        self._note = ""

    @classmethod
    def make(cls, options: Namespace) -> Self:
        """Of the trees that the command line names."""
        return cls(options.sysfs, options.procfs)

    def start(self) -> None:
        """Find the meters; takes 70 ms with several energy counters. Raises ``SensorAbsent``."""
        self._find()
        if not self._live:
            raise self._absent()

    def rescan(self) -> None:
        """Find the meters anew; where there is none by now they stay as they were."""
        self._find()

    def note(self) -> str:
        """Which meters of these drivers are not read, and why."""
        return self._note

    def read(self) -> Iterable[Reading]:
        """One reading per meter, none for a bad value. Raises ``SensorFailed`` if all are lost."""
        readings: list[Reading] = []
        lost = 0
        for live in self._live:
            domain, device = live.meter.domain, live.meter.device
            text = _text(live.file)
            value = None if isinstance(text, OSError) else integer(text.strip())
            if value is None:
                live.bad_reads += 1
                gone = isinstance(text, OSError) and text.errno in GONE
                if gone or live.bad_reads >= _BAD_READS:
                    lost += 1
                    readings.append(Lost(domain, device, f"{live.file.path}: {_words(text)}"))
                continue
            live.bad_reads = 0
            if live.meter.counts:
                readings.append(Counter(domain, device, value * _MICRO, live.traits))
            else:
                power = Power(domain, device, value * _MICRO, live.traits, integrate=True)
                readings.append(power)
        if lost and lost == len(self._live):
            first = self._live[0].file
            raise SensorFailed(
                f"no meter can be read any more: {first.path}: {_words(_text(first))}"
            )
        return [*readings, *self._left_out]

    def close(self) -> None:
        for live in self._live:
            live.file.close()
        self._live, self._left_out, self._seen = (), [], None

    def _absent(self) -> SensorAbsent:
        if self._note:
            return SensorAbsent(
                f"hwmon has {self._note}",
                "make a file that cannot be read readable, or run the exporter as root; a meter"
                " whose label is not one of Grace's or amd_energy's is not a socket's",
                found=True,
            )
        return SensorAbsent(
            f"no CPU socket under {self._sysfs / 'class/hwmon'}",
            "on NVIDIA Grace run 'modprobe acpi_power_meter'; on AMD EPYC without powercap install"
            " the driver amd_energy (github.com/amd/amd_energy); other machines have none",
        )

    def _find(self) -> None:
        meters, left_out = find_meters(self._sysfs)
        barred = {m: error for m in meters if isinstance(error := _peek(m.path), OSError)}
        seen = (tuple(meters), tuple(left_out), frozenset(barred))
        if seen == self._seen:
            return
        self._seen = seen
        left_out += [LeftOut(m.label, f"{m.path}: {_words(error)}") for m, error in barred.items()]
        readable = self._distinct([meter for meter in meters if meter not in barred])
        if readable or not self._live:
            self._take_on(readable)
        self._left_out = list(left_out)
        reasons = "; ".join(f"{left.part}: {left.reason}" for left in left_out)
        found = len(readable) + len(left_out)
        self._note = f"{len(readable)} of {found} meters: {reasons}" if left_out else ""

    def _take_on(self, meters: Sequence[_Meter]) -> None:
        before = {live.meter: live for live in self._live}
        label = cpu_model(self._procfs)
        self._live = [before.pop(m) if m in before else _live(m, label) for m in meters]
        integrates = any(not meter.counts for meter in meters)
        self.interval_seconds = _INTEGRATED_SECONDS if integrates else _INTERVAL_SECONDS
        for live in before.values():
            live.file.close()

    def _distinct(self, meters: Sequence[_Meter]) -> Sequence[_Meter]:
        """One of those that count the same: the driver has a counter for each NUMA node, and where
        a socket is several nodes they all are its own."""
        counters = [meter for meter in meters if meter.counts]
        if len(counters) < 2:
            return meters
        looks: dict[_Meter, list[int | None]] = defaultdict(list)
        for _ in range(_LOOKS):
            for meter in counters:
                looks[meter].append(first_integer(meter.path))
            self._clock.sleep(_LOOK_SECONDS)
        distinct: list[_Meter] = []
        for meter in counters:
            if not any(mirror(looks[meter], looks[other]) for other in distinct):
                distinct.append(meter)
        return [meter for meter in meters if meter in distinct or not meter.counts]


def find_meters(sysfs: Path) -> tuple[list[_Meter], list[LeftOut]]:
    """The meters of the drivers that are known, and those of theirs that are not."""
    meters: list[_Meter] = []
    left_out: list[LeftOut] = []
    for path, driver in _files(sysfs):
        number = path.name.partition("_")[0]
        kind = "label" if driver == "amd_energy" else "oem_info"
        label = first_text(path.with_name(f"{number}_{kind}")) or ""
        if (socket := _SOCKET.fullmatch(label)) and driver == "amd_energy":
            meters.append(
                _Meter(path, Domain.PACKAGE, f"socket{socket[1]}", label, "", counts=True)
            )
        elif (rail := _RAIL.fullmatch(label)) and driver == "power_meter":
            domain, device, note = _RAILS[rail[1].lower()]
            meters.append(_Meter(path, domain, f"{device}{rail[2]}", label, note, counts=False))
        elif not (_CORE.fullmatch(label) and driver == "amd_energy"):
            what = f"it is called {quoted(label)}" if label else "it says not what it measures"
            left_out.append(LeftOut(f"{_chip(path)}/{path.name} of {driver}", what))
    if not left_out:
        meters = _rails_as_sockets(meters)
    keys = [(meter.domain, meter.device) for meter in meters]
    twice = [meter for meter in meters if keys.count((meter.domain, meter.device)) > 1]
    left_out += [
        LeftOut(f"{_chip(meter.path)}/{meter.path.name}", f"another is called {meter.label}, too")
        for meter in twice
    ]
    return [meter for meter in meters if meter not in twice], left_out


def _rails_as_sockets(meters: Sequence[_Meter]) -> list[_Meter]:
    """The cores' rail stands for the socket where no socket is measured whole: firmware that has
    the one meter has it of every socket."""
    if any(meter.domain is Domain.PACKAGE for meter in meters):
        return list(meters)
    return [
        meter._replace(domain=Domain.PACKAGE, note=f"{meter.note} only")
        if meter.domain is Domain.CORE
        else meter
        for meter in meters
    ]


def _chip(path: Path) -> str:
    folder = path.parent
    return folder.parent.name if folder.name == "device" else folder.name


def _files(sysfs: Path) -> Iterable[tuple[Path, str]]:
    """The drivers' files in order of their folders; ``power_meter`` has its own in the device's."""
    found: dict[Path, str] = {}
    try:
        for chip in sorted((sysfs / "class/hwmon").glob("*")):
            driver = first_text(chip / "name") or first_text(chip / "device/name") or ""
            if (pattern := _DRIVERS.get(driver)) is not None:
                paths = sorted(chip.glob(pattern)) or sorted(chip.glob(f"device/{pattern}"))
                found |= dict.fromkeys(paths, driver)
    except OSError:  # a folder went away meanwhile
        pass
    return found.items()


def _live(meter: _Meter, label: str) -> _Live:
    traits = Traits(update_period_seconds=_COUNTER_SECONDS, label=label, note=meter.note)
    if not meter.counts:
        number = meter.path.name.partition("_")[0]
        milliseconds = first_integer(meter.path.with_name(f"{number}_average_interval"))
        seconds = milliseconds / 1e3 if milliseconds else _USUAL_INTERVAL_SECONDS
        note = f"{meter.label}, {meter.note}; no energy counter: power is integrated"
        traits = replace(
            traits, update_period_seconds=seconds, averaging_seconds=seconds, note=note,
            limit_watts=_MODULE_WATTS if meter.domain is Domain.PSYS else None,
        )  # fmt: skip
    return _Live(meter, KeptFile(meter.path, 32), traits)


def _peek(path: Path) -> bytes | OSError:
    file = KeptFile(path, 32)
    text = _text(file)
    file.close()
    return text


def _text(file: KeptFile) -> bytes | OSError:
    try:
        return file.read()
    except OSError as error:
        return error


def _words(text: bytes | OSError) -> str:
    """Why a file has no value."""
    if isinstance(text, OSError):
        return text.strerror or str(text)
    return f"it reads {quoted(text.strip())}"
