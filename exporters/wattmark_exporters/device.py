"""Energy and power of one device of one sensor, from readings to samples."""

from collections.abc import Iterator, Sequence
from typing import Final

from wattmark_core.catalogue import Domain, Method
from wattmark_core.exporter_api import EnergySeries, SensorState
from wattmark_exporters.counter_check import CounterCheck
from wattmark_exporters.line_format import LineFormat
from wattmark_exporters.meter import CounterMeter, EnergyPoint, Meter, PowerMeter, plausible_watts
from wattmark_exporters.movement import Movement
from wattmark_exporters.readings import Counter, Power, Reading, Traits
from wattmark_exporters.ring import Ring
from wattmark_exporters.series import Latest, prefix

TICKING_READS: Final = 5
"""Reads per update period of a ticking counter while armed."""
FASTEST_SECONDS: Final = 0.005
INTEGRATED_SECONDS: Final = 0.02
_ENERGY_FIELDS: Final = (("joules", False), ("epoch", True), ("uncertainty_seconds", False))
"""In the order of ``EnergyPoint``."""
_POWER_FIELDS: Final = (("watts", False),)
_MAY_REST: Final = frozenset({Domain.CORE, Domain.UNCORE})
"""Parts of a package that are switched off when idle: their counters may stand still."""
OTHER_READS: Final = 3
"""A device whose readings came by another method in so many reads running has changed it."""


class Device:
    """``lost``: why it gives nothing, empty while it does. ``seen``: the last read that had it.
    ``method``: how its joules come about, for its whole life; of readings by another method it
    takes none as energy. ``others``: in how many reads running there were only such.
    ``given``: it has counted something, since it was made or before it was first read.
    """

    def __init__(
        self, source: str, host: str, domain: Domain, device: str, method: Method, traits: Traits,
        gap_seconds: float, interval_seconds: float,
    ) -> None:  # fmt: skip
        self.domain = domain
        self.name = device
        self.lost = ""
        self.seen = 0
        self.method = method
        self.others = 0
        self.given = False
        self._source = source
        self._movement = Movement(gap_seconds)
        self._traits = traits
        self._gap_seconds = gap_seconds
        self._interval_seconds = interval_seconds
        self._tags = {"domain": domain, "device": device, "source": source, "method": method}
        self._energy_format = LineFormat(prefix("energy", self._tags, host), _ENERGY_FIELDS)
        self._power_format = LineFormat(prefix("power", self._tags, host), _POWER_FIELDS)
        self._energy_samples: list[bytes] = []
        self._power_samples: list[bytes] = []
        self._meter: Meter | None = None
        self._check = CounterCheck()
        self._point: EnergyPoint | None = None
        self._fresh = False
        self._watts: tuple[float, int] | None = None
        self._implausible = 0
        self._doubted = False
        """Is the counter's energy not believed?"""

    # -- readings -------------------------------------------------------------------------------

    def counter(self, reading: Counter, time_ns: int, read_ns: int) -> None:
        """Take a counter's reading; it gives a sample if it ticked and is plausible."""
        if reading.method != self.method:
            return
        meter, traits = self._meter, reading.traits
        if meter is None:
            meter = self._meter = CounterMeter(traits, self.domain, gap_seconds=self._gap_seconds)
        if traits is not self._traits:
            self._traits = traits
            meter.learn(traits)
        if not self.given:
            self.given = reading.joules > 0
        self._movement.read(time_ns)
        point = meter.read(reading.joules, time_ns, read_ns)
        if point is not None:
            self._add(point)

    def power(self, reading: Power, time_ns: int, read_ns: int) -> None:
        """Take a power reading; it gives energy, too, where it is to be integrated."""
        if self._meter is None and reading.integrate and self.method is Method.INTEGRATED:
            self._meter = PowerMeter(reading.traits, self.domain, gap_seconds=self._gap_seconds)
        if self._meter is None or isinstance(self._meter, PowerMeter):
            self._traits = reading.traits
        if not plausible_watts(reading.watts, self._traits, self.domain):
            self._implausible += 1
            return
        if isinstance(self._meter, PowerMeter):
            self._meter.learn(self._traits)
            self._movement.read(time_ns)
            point = self._meter.read(reading.watts, time_ns, read_ns)
            if point is not None:
                self._add(point)
        watts = float(reading.watts)
        self._check.power(watts, time_ns)
        if self._check.too_little_power:
            self._implausible += 1
            return
        self._watts = (watts, time_ns)
        self._power_samples.append(self._power_format.pack(watts, time_ns))

    def flush(self, ring: Ring, now_ns: int) -> None:
        """Put the samples since the last call into the ring."""
        for line_format, samples in (
            (self._energy_format, self._energy_samples),
            (self._power_format, self._power_samples),
        ):
            if samples:
                ring.append(line_format, b"".join(samples), len(samples), now_ns)
                samples.clear()

    def ratio(self) -> float | None:
        """Counter over integral of power, of a GPU, when another 10 s are full.

        To be asked once both were read: a counter's stamp lies before the read.
        """
        if not self._fresh or self._point is None or self.domain is not Domain.GPU:
            return None
        return self._judge(self._point)

    def _judge(self, point: EnergyPoint) -> float | None:
        self._fresh = False
        if self.method is Method.INTEGRATED:
            return None
        ratio = self._check.energy(point)
        if self._doubted and not self._check.too_little_energy and self._meter is not None:
            self._meter.new_epoch()
        self._doubted = self._check.too_little_energy
        return ratio

    def missed(self) -> None:
        """It gave nothing in a read."""
        if self._meter is not None:
            self._meter.missed()

    def new_epoch(self) -> None:
        """Start an epoch: the time base moved."""
        self._check = CounterCheck()
        if self._meter is not None:
            self._meter.new_epoch()

    # -- reports --------------------------------------------------------------------------------

    @property
    def has_energy(self) -> bool:
        """Is there a counter, or one made of power?"""
        return self._meter is not None

    def moving(self, busy_seconds: float | None) -> bool | None:
        """Does its energy (or else its power) advance? False: it stands still though the machine,
        whose CPU time so far is ``busy_seconds``, works; None: too early to say."""
        if self._meter is None:
            return True if self._watts is not None and self._watts[0] > 0 else None
        state = self._movement.state(
            self._traits.update_period_seconds, self._interval_seconds, busy_seconds
        )
        if state is False and self.domain in _MAY_REST:
            return True if self._movement.moved else None
        return state

    @property
    def joules(self) -> float:
        """Of its epoch so far."""
        return 0.0 if self._point is None else self._point.joules

    @property
    def dropped(self) -> int:
        """Readings that were not plausible."""
        return self._implausible + (0 if self._meter is None else self._meter.dropped)

    def armed_seconds(self, usual_seconds: float) -> float:
        """How often to read it while armed."""
        if isinstance(self._meter, PowerMeter):
            return min(usual_seconds, INTEGRATED_SECONDS)
        if self._meter is None or not self._traits.ticking:
            return usual_seconds
        period_seconds = self._traits.update_period_seconds
        return min(usual_seconds, max(FASTEST_SECONDS, period_seconds / TICKING_READS))

    def series(self, busy_seconds: float | None, *, failed: bool) -> EnergySeries:
        """For ``GET /sensors``; ``failed``: the whole sensor has."""
        return EnergySeries(
            domain=self.domain,
            device=self.name,
            source=self._source,
            method=self.method,
            update_period_seconds=self._traits.update_period_seconds,
            averaging_seconds=self._traits.averaging_seconds,
            coverage_ratio=self._traits.coverage_ratio,
            limit_watts=self._traits.limit_watts,
            label=self._traits.label,
            state=SensorState.FAILED if failed or self.lost or self._doubted else SensorState.OK,
            note=self.lost or "; ".join(filter(None, (self._check.words(), self._traits.note))),
            interval_seconds=self._interval_seconds,
            moving=self.moving(busy_seconds),
        )

    def latest(self, oldest_ns: int) -> Iterator[Latest]:
        """The last energy and power that are no older than ``oldest_ns``."""
        point = self._point
        if point is not None and point.time_ns >= oldest_ns and not self._doubted:
            yield Latest("energy", self._tags, {
                "joules": point.joules, "epoch": point.epoch,
                "uncertainty_seconds": point.uncertainty_seconds,
            })  # fmt: skip
        if self._watts is not None and self._watts[1] >= oldest_ns:
            yield Latest("power", self._tags, {"watts": self._watts[0]})

    def _add(self, point: EnergyPoint) -> None:
        last = self._point
        if last is not None and last.epoch == point.epoch and last.joules < point.joules:
            self.given = True
            self._movement.advanced()
        doubted = self._doubted
        if self._fresh and last is not None:  # nobody asks for its ratio
            self._judge(last)
        self._point, self._fresh = point, True
        if not (doubted or self._doubted):
            self._energy_samples.append(self._energy_format.pack(*point))


def power_method(reading: Power, readings: Sequence[Reading]) -> Method:
    """Power has the tags of the device's energy: there is a counter in this read or there is
    none, and then energy can only come of integration."""
    for other in readings:
        if isinstance(other, Counter) and (other.domain, other.device) == (
            reading.domain, reading.device,
        ):  # fmt: skip
            return other.method
    return Method.INTEGRATED
