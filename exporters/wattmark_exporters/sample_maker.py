"""What a sensor's readings become: samples of its devices and of its other values."""

import logging
from collections.abc import Iterator, Sequence
from typing import Final

from wattmark_core.catalogue import Domain, Method
from wattmark_core.errors import SensorFailed
from wattmark_core.exporter_api import EnergySeries
from wattmark_exporters.device import OTHER_READS, Device, power_method
from wattmark_exporters.left_out import LeftOutParts
from wattmark_exporters.meter import GAP_SECONDS
from wattmark_exporters.readings import (
    Counter,
    LeftOut,
    Lost,
    Power,
    Reading,
    Sensor,
    Values,
    no_reading,
)
from wattmark_exporters.ring import Ring
from wattmark_exporters.series import Latest, TooMany, ValueWriter

log = logging.getLogger(__name__)

INTERVALS_PER_GAP: Final = 2.5
MOST_DEVICES: Final = 1000
"""Of one sensor that count energy or tell power."""


class SampleMaker:
    """Of one sensor. Not thread-safe: ``RunningSensor`` calls it under a lock.

    ``reads``: how many there were. ``measured``: somebody measures now, so that no device may
    change how it counts.
    """

    def __init__(self, sensor: Sensor, host: str, ring: Ring) -> None:
        self.measured = False
        self._gap_seconds = gap_seconds(sensor)
        self._sensor = sensor
        self._host = host
        self._ring = ring
        self._devices: dict[tuple[str, str], Device] = {}
        self._gpus: list[Device] = []
        self._replaced: list[Device] = []
        """Devices that count otherwise now: their last samples are not in the ring yet."""
        self._dropped = 0
        self._values = ValueWriter(host, ring)
        self._left_out = LeftOutParts(sensor.name)
        self.reads = 0
        self._seen = 0

    # -- readings -------------------------------------------------------------------------------

    def begin(self) -> None:
        """Another read: what it lacks is missed at its ``end``."""
        self.reads += 1
        self._seen = 0

    def write(self, given: object, readings: Sequence[Reading], time_ns: int, read_ns: int) -> None:
        """Take the ``readings`` of a read that had its middle at ``time_ns`` (Unix) and lasted
        ``read_ns``. Raises ``SensorFailed`` for what is none; ``given``: what they came in."""
        for reading in readings:
            try:
                if isinstance(reading, Counter):
                    self._device(reading, readings).counter(reading, time_ns, read_ns)
                elif isinstance(reading, Values):
                    self._values.write(reading, time_ns)
                elif isinstance(reading, Power):
                    self._device(reading, readings).power(reading, time_ns, read_ns)
                elif isinstance(reading, Lost):
                    self._lose(reading)
                elif isinstance(reading, LeftOut):
                    self._left_out.add(reading, self.reads)
                else:
                    raise SensorFailed(no_reading(given, reading))
            except TooMany as error:
                part = f"what is beyond {error.most} {error.what}"
                self._left_out.add(LeftOut(part, "give fewer, of lasting names"), self.reads)
        for device in self._gpus:
            if (ratio := device.ratio()) is not None:
                self._values.write_ratio(device.name, ratio, time_ns)

    def end(self) -> None:
        """The read is over, well or not."""
        if self._seen < len(self._devices):
            for device in self._devices.values():
                if device.seen != self.reads:
                    device.missed()

    def end_values(self, now_ns: int) -> None:
        """The values of a read are whole. ``now_ns``: boot time, for the ring."""
        self._values.end_read(now_ns)

    def flush(self, now_ns: int) -> None:
        """Put the samples since the last call into the ring."""
        self._values.flush(now_ns)
        for device in (*self._replaced, *self._devices.values()):
            device.flush(self._ring, now_ns)
        self._replaced.clear()

    def new_epoch(self) -> None:
        """Every counter begins again."""
        for device in self._devices.values():
            device.new_epoch()

    # -- reports --------------------------------------------------------------------------------

    @property
    def dropped(self) -> int:
        """Readings that were not plausible, and parts that were left out."""
        implausible = self._dropped + sum([device.dropped for device in self._devices.values()])
        return self._values.dropped + implausible + self._left_out.count

    @property
    def busy_seconds(self) -> float | None:
        """CPU time of the machine, if this sensor counts it."""
        return self._values.last("cpu", "busy_seconds")

    def armed_seconds(self, usual_seconds: float) -> float:
        """How often to read the sensor while a lease runs."""
        devices = self._devices.values()
        return min([usual_seconds, *(device.armed_seconds(usual_seconds) for device in devices)])

    def moving(self, busy_seconds: float | None, *, old: bool) -> bool | None:
        """Does any of its values advance? ``old``: it has been read for long enough to know."""
        energy = [d.moving(busy_seconds) for d in self._devices.values() if d.has_energy]
        others = [d.moving(busy_seconds) for d in self._devices.values() if not d.has_energy]
        if True in energy or True in others or (not self._devices and self._values.moved):
            return True
        return False if old and None not in energy else None

    def has(self, domain: Domain) -> bool:
        """Has it given energy of the domain?"""
        return any(d.domain is domain and d.has_energy for d in self._devices.values())

    def counts(self, domain: Domain, busy_seconds: float | None) -> bool | None:
        """Does a counter of the domain go on, of those that have given energy? None: too early to
        say."""
        states = [
            True if device.given and state is None else state
            for device in self._devices.values()
            if device.domain is domain and device.has_energy
            for state in (device.moving(busy_seconds),)
        ]
        if True in states:
            return True
        return None if None in states else False

    def still(self, busy_seconds: float | None) -> list[str]:
        """What stands still, in words."""
        return [
            f"{device.domain} {device.name} stands still at {device.joules:g} J"
            for device in self._devices.values()
            if device.has_energy and device.moving(busy_seconds) is False
        ]

    def left_out(self) -> str:
        """What of its input cannot be read, in words."""
        return self._left_out.note(self.reads)

    def series(self, busy_seconds: float | None, *, failed: bool) -> tuple[EnergySeries, ...]:
        """For ``GET /sensors``; ``failed``: the whole sensor has."""
        devices = self._devices.values()
        return tuple(d.series(busy_seconds, failed=failed) for d in devices if d.has_energy)

    def latest(self, oldest_ns: int) -> Iterator[Latest]:
        """The last fields of every series that are no older than ``oldest_ns``."""
        yield from self._values.latest(oldest_ns)
        for device in self._devices.values():
            yield from device.latest(oldest_ns)

    # -- devices --------------------------------------------------------------------------------

    def _device(self, reading: Counter | Power, readings: Sequence[Reading]) -> Device:
        device = self._devices.get(reading[:2])
        if device is None:
            device = self._add(reading, _method(reading, readings))
        if device.seen != self.reads:
            device.seen = self.reads
            self._seen += 1
            method = _other(device, reading, readings)
            if method is None:
                device.others = 0
            else:
                device = self._changed(device, reading, method)
        if device.lost:
            log.info("sensor %s: device %s is back", self._sensor.name, device.name)
            device.lost = ""
        return device

    def _add(self, reading: Counter | Power, method: Method) -> Device:
        if len(self._devices) >= MOST_DEVICES and reading[:2] not in self._devices:
            raise TooMany("devices", MOST_DEVICES)
        device = Device(
            self._sensor.name, self._host, Domain(reading.domain), reading.device,
            method, reading.traits, self._gap_seconds, self._sensor.interval_seconds,
        )  # fmt: skip
        self._devices[(reading.domain, reading.device)] = device
        self._gpus = [d for d in self._devices.values() if d.domain is Domain.GPU]
        return device

    def _changed(self, device: Device, reading: Counter | Power, method: Method) -> Device:
        """A device that comes by another method becomes another series, but while somebody measures
        it goes on as it is."""
        device.others += 1
        if device.has_energy and (self.measured or device.others < OTHER_READS):
            return device
        log.info(
            "sensor %s: the energy of %s is %s from now on, no longer %s",
            self._sensor.name, device.name, method, device.method,
        )  # fmt: skip
        self._replaced.append(device)
        self._dropped += device.dropped
        changed = self._add(reading, method)
        changed.seen = self.reads
        return changed

    def _lose(self, reading: Lost) -> None:
        device = self._devices.get((reading.domain, reading.device))
        reason = reading.reason or "gives no readings"
        if device is None:  # there since the start, and never read
            name = f"{reading.domain} {reading.device}"
            self._left_out.add(LeftOut(name, reason), self.reads)
        elif not device.lost:
            device.lost = reason
            log.warning(
                "sensor %s: device %s failed: %s", self._sensor.name, device.name, device.lost
            )


def _method(reading: Counter | Power, readings: Sequence[Reading]) -> Method:
    if isinstance(reading, Counter):
        return Method(reading.method)
    return power_method(reading, readings)


def _other(
    device: Device, reading: Counter | Power, readings: Sequence[Reading]
) -> Method | None:  # fmt: skip
    """How this read counts a device's energy, if that is not how the device does."""
    if isinstance(reading, Counter) or reading.integrate or device.method is Method.INTEGRATED:
        method = _method(reading, readings)
        return None if method == device.method else method
    return None  # power beside a counter, which this read lacks


def gap_seconds(sensor: Sensor) -> float:
    """After so long without a reading of the sensor it is not known what happened meanwhile."""
    return max(GAP_SECONDS, INTERVALS_PER_GAP * sensor.interval_seconds)
