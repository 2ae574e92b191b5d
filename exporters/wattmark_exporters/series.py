"""Writes series into the ring, and remembers their last values for ``/metrics``."""

import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from wattmark_core.catalogue import MEASUREMENTS
from wattmark_core.errors import SensorFailed
from wattmark_core.line_protocol import encode_prefix
from wattmark_core.printable import printable
from wattmark_core.sample import make_tags
from wattmark_core.units import NS_PER_S
from wattmark_exporters.line_format import INTEGER_LIMIT, LineFormat
from wattmark_exporters.readings import Values
from wattmark_exporters.ring import Ring

OWN_MEASUREMENTS: Final = frozenset(
    {"energy", "power", "sensor", "exporter", "target", "window", "score"}
)
"""Made by the exporter's engine, the collector or the runner: no sensor may yield them."""

MOST_SERIES: Final = 10_000
"""Of one sensor in ten minutes: each takes about 1 kB as long as it is remembered."""
MOST_FIELDS: Final = 1000
"""Of one series."""
FORGOTTEN_NS: Final = 600 * NS_PER_S
"""A series that gave nothing for so long makes room for others: containers come and go."""
MOST_FORMATS: Final = 16
"""Sets of fields of one series whose formats are kept."""
MOST_JOINED: Final = 16
"""Sets of series whose formats are kept joined, of a sensor that gives now these, now those."""
RATIO: Final = "counter_to_integral_ratio"

Tags = Mapping[str, str]
Fields = Mapping[str, float | int]


@dataclass(frozen=True, slots=True)
class Latest:
    """The last fields of one series."""

    measurement: str
    tags: Tags
    fields: Fields


class TooMany(Exception):
    """A sensor gives more different ones of ``what`` than ``most``."""

    def __init__(self, what: str, most: int) -> None:
        super().__init__(what, most)
        self.what = what
        self.most = most


class SeriesWriter:
    """Writes one series into the ring, one sample at a time. A field's type never changes."""

    def __init__(self, measurement: str, tags: Tags, host: str, ring: Ring) -> None:
        self._prefix = prefix(measurement, tags, host)
        self._ring = ring
        self._formats: dict[tuple[str, ...], LineFormat] = {}

    def write(
        self, names: tuple[str, ...], values: tuple[float | int, ...], time_ns: int, now_ns: int
    ) -> None:
        """Add a sample of ``time_ns`` (Unix); ``now_ns``: boot time, for the ring."""
        line_format = self._formats.get(names)
        if line_format is None:
            kinds = [(name, isinstance(v, int)) for name, v in zip(names, values, strict=True)]
            line_format = self._formats[names] = LineFormat(self._prefix, kinds)
        self._ring.append(line_format, line_format.pack(*values, time_ns), 1, now_ns)


@dataclass(slots=True)
class _Series:
    tags: Tags
    prefix: str
    catalogued: Mapping[str, bool] | None
    """Which fields the catalogue knows, and whether they are integers; None: a user's series."""
    integers: dict[str, bool] = field(default_factory=dict)
    formats: dict[tuple[str, ...], LineFormat] = field(default_factory=dict)
    fields: Fields = field(default_factory=dict)
    time_ns: int = 0


class ValueWriter:
    """Writes all ``Values`` of one sensor. ``dropped`` counts values that were not finite or had
    over 64 bits; ``moved`` is whether any has changed.

    The samples of reads that gave the same series make one chunk in the ring: with a chunk for each
    sample it would take three times the memory.
    """

    def __init__(self, host: str, ring: Ring) -> None:
        self.dropped = 0
        self.moved = False
        self._host = host
        self._ring = ring
        self._read: list[tuple[LineFormat, bytes]] = []
        """The samples of this read."""
        self._formats: tuple[LineFormat, ...] = ()
        """Of each read that waits for ``flush``."""
        self._reads: list[bytes] = []
        self._joined: dict[tuple[LineFormat, ...], LineFormat] = {}
        self._series: dict[tuple[str, tuple[tuple[str, str], ...]], _Series] = {}
        self._forgot_ns = 0

    def write(self, reading: Values, time_ns: int) -> None:
        """Write a reading's finite values; nothing if none is left.

        Raises ``SensorFailed`` for a measurement or field that a sensor may not use, ``TooMany``.
        """
        measurement, tags, fields = reading
        key = (measurement, tuple(tags.items()))
        series = self._series.get(key)
        if series is None:
            if len(self._series) >= MOST_SERIES:
                self._forget(time_ns)
            series = self._series[key] = self._new_series(reading)
            series.time_ns = time_ns
        line_format = series.formats.get(tuple(fields))
        data = b""
        if line_format is not None:
            try:
                if math.isfinite(sum(fields.values())):
                    data = line_format.pack(*fields.values(), time_ns)
            except (struct.error, TypeError, OverflowError):
                data = b""  # an integer that is given as float, Decimal beside float, over 64 bits
        if line_format is None or not data:
            fields = self._valid(reading, series)
            if not fields:
                return
            line_format = _format(series, fields)
            data = line_format.pack(*fields.values(), time_ns)
        if not self.moved:
            self.moved = bool(series.fields) and series.fields != fields
        series.fields, series.time_ns = dict(fields), time_ns
        self._read.append((line_format, data))

    def write_ratio(self, device: str, ratio: float, time_ns: int) -> None:
        """Write the ratio of counter to integral of a GPU, under the tags of its other values."""
        for (measurement, _), series in self._series.items():
            if measurement == "gpu" and series.tags.get("device") == device:
                break
        else:
            series = self._new_series(Values("gpu", {"device": device}, {}))
        series.integers[RATIO] = False
        line_format = _format(series, {RATIO: ratio})
        self._read.append((line_format, line_format.pack(ratio, time_ns)))

    def end_read(self, now_ns: int) -> None:
        """All samples of a read were written. ``now_ns``: boot time, for the ring."""
        if not self._read:
            return
        formats, data = zip(*self._read, strict=True)
        self._read.clear()
        if formats != self._formats:
            self.flush(now_ns)
            self._formats = formats
        self._reads.append(b"".join(data))

    def flush(self, now_ns: int) -> None:
        """Put the samples since the last call into the ring."""
        reads, formats = self._reads, self._formats
        if reads:
            whole = formats[0] if len(formats) == 1 else self._whole(formats)
            self._ring.append(whole, b"".join(reads), len(reads) * len(formats), now_ns)
            reads.clear()

    def _whole(self, formats: tuple[LineFormat, ...]) -> LineFormat:
        whole = self._joined.get(formats)
        if whole is None:
            if len(self._joined) == MOST_JOINED:
                self._joined.clear()
            whole = self._joined[formats] = LineFormat.joined(formats)
        return whole

    def _valid(self, reading: Values, series: _Series) -> Fields:
        """The finite values, each of its field's type."""
        valid: dict[str, float | int] = {}
        for name, value in reading.fields.items():
            integer = series.integers.get(name)
            if integer is None:
                if len(series.integers) >= MOST_FIELDS:
                    raise TooMany(f"fields of {printable(reading.measurement)}", MOST_FIELDS)
                integer = series.integers[name] = _is_integer(reading, series, name)
            if not math.isfinite(value) or (
                integer and not -INTEGER_LIMIT <= value < INTEGER_LIMIT
            ):
                self.dropped += 1
            else:
                valid[name] = int(value) if integer else float(value)
        return valid

    def latest(self, oldest_ns: int) -> Iterator[Latest]:
        """The last fields of every series that is no older than ``oldest_ns``."""
        for (measurement, _), series in self._series.items():
            if series.time_ns >= oldest_ns:
                yield Latest(measurement, series.tags, series.fields)

    def last(self, measurement: str, name: str) -> float | None:
        """The last value of a field of the host itself; None if there is none."""
        series = self._series.get((measurement, ()))
        return None if series is None else series.fields.get(name)

    def _forget(self, time_ns: int) -> None:
        """Make room for another series."""
        if abs(time_ns - self._forgot_ns) > FORGOTTEN_NS // 10:  # to look costs
            self._forgot_ns = time_ns
            oldest_ns = time_ns - FORGOTTEN_NS
            self._series = {k: one for k, one in self._series.items() if one.time_ns > oldest_ns}
        if len(self._series) >= MOST_SERIES:
            raise TooMany("series", MOST_SERIES)

    def _new_series(self, reading: Values) -> _Series:
        measurement = reading.measurement
        if not measurement or measurement in OWN_MEASUREMENTS:
            raise SensorFailed(
                f"Values may not use the measurement {measurement!r}; yield Counter or Power for"
                " energy, or choose another name"
            )
        known = MEASUREMENTS.get(measurement)
        catalogued = None if known is None else {metric.field: metric.integer for metric in known}
        start = prefix(measurement, reading.tags, self._host)
        return _Series(dict(reading.tags), start, catalogued)


def prefix(measurement: str, tags: Tags, host: str) -> str:
    """The part of a line that stays, host tag included."""
    return encode_prefix(measurement, make_tags({**tags, "host": host}))


def _format(series: _Series, fields: Fields) -> LineFormat:
    names = tuple(fields)
    if names not in series.formats:
        if len(series.formats) >= MOST_FORMATS:
            series.formats.clear()
        kinds = [(name, series.integers[name]) for name in names]
        series.formats[names] = LineFormat(series.prefix, kinds)
    return series.formats[names]


def _is_integer(reading: Values, series: _Series, name: str) -> bool:
    """How a field is written. Its type never changes, or the store would refuse the line."""
    if series.catalogued is None:
        return name.endswith(("_ns", "_ms"))
    if name in series.catalogued:
        return series.catalogued[name]
    raise SensorFailed(f"the catalogue has no field {name!r} in {reading.measurement!r}")
