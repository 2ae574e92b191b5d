"""Writes the values of a sensor as lines, and remembers the last ones for ``/metrics``."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from wattmark_core.catalogue import MEASUREMENTS
from wattmark_core.errors import SensorFailed
from wattmark_core.line_protocol import encode_prefix, escape
from wattmark_core.sample import make_tags
from wattmark_exporters.readings import Values

OWN_MEASUREMENTS: Final = frozenset(
    {"energy", "power", "sensor", "exporter", "target", "window", "score"}
)
"""Made by the exporter's engine, the collector or the runner: no sensor may yield them."""

Tags = Mapping[str, str]
Fields = Mapping[str, float | int]


@dataclass(frozen=True, slots=True)
class Latest:
    """The last fields of one series."""

    measurement: str
    tags: Tags
    fields: Fields


@dataclass(slots=True)
class _Series:
    tags: Tags
    prefix: str
    integers: Mapping[str, bool] | None
    """Which fields the catalogue knows, and whether they are integers; None: a user's series."""
    names: dict[str, tuple[str, bool]] = field(default_factory=dict)
    fields: Fields = field(default_factory=dict)
    time_ns: int = 0


class ValueWriter:
    """All ``Values`` of one sensor. ``dropped`` counts values that were not finite; ``moved``
    tells whether any has changed."""

    def __init__(self, host: str) -> None:
        self.dropped = 0
        self.moved = False
        self._host = host
        self._series: dict[tuple[str, tuple[tuple[str, str], ...]], _Series] = {}

    def line(self, reading: Values, time_ns: int) -> str | None:
        """The line of a reading; None if no finite value is left.

        Raises ``SensorFailed`` for a measurement or field that a sensor may not use.
        """
        key = (reading.measurement, tuple(reading.tags.items()))
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = self._new_series(reading)
        texts = []
        kept: dict[str, float | int] = {}
        for name, value in reading.fields.items():
            if not math.isfinite(value):
                self.dropped += 1
                continue
            escaped, integer = series.names.get(name) or _new_name(reading, series, name)
            kept[name] = typed = int(value) if integer else float(value)
            texts.append(f"{escaped}={typed}i" if integer else f"{escaped}={typed!r}")
        if not texts:
            return None
        self.moved = self.moved or (bool(series.fields) and series.fields != kept)
        series.fields, series.time_ns = kept, time_ns
        return f"{series.prefix} {','.join(texts)} {time_ns}"

    def gpu_tags(self, device: str) -> Tags:
        """The tags under which the sensor gives the values of a GPU."""
        for (measurement, _), series in self._series.items():
            if measurement == "gpu" and series.tags.get("device") == device:
                return series.tags
        return {"device": device}

    def latest(self, oldest_ns: int) -> Iterator[Latest]:
        """The last fields of every series that is no older than ``oldest_ns``."""
        for (measurement, _), series in self._series.items():
            if series.time_ns >= oldest_ns:
                yield Latest(measurement, series.tags, series.fields)

    def _new_series(self, reading: Values) -> _Series:
        measurement = reading.measurement
        if not measurement or measurement in OWN_MEASUREMENTS:
            raise SensorFailed(
                f"Values may not use the measurement {measurement!r}; yield Counter or Power for"
                " energy, or choose another name"
            )
        known = MEASUREMENTS.get(measurement)
        integers = None if known is None else {metric.field: metric.integer for metric in known}
        return _Series(dict(reading.tags), prefix(measurement, reading.tags, self._host), integers)


def prefix(measurement: str, tags: Tags, host: str) -> str:
    """The part of a line that stays, host tag included."""
    return encode_prefix(measurement, make_tags({**tags, "host": host}))


def _new_name(reading: Values, series: _Series, name: str) -> tuple[str, bool]:
    """How a field is written. Its type never changes, or the store would refuse the line."""
    if series.integers is None:
        integer = name.endswith(("_ns", "_ms"))
    elif name in series.integers:
        integer = series.integers[name]
    else:
        raise SensorFailed(f"the catalogue has no field {name!r} in {reading.measurement!r}")
    series.names[name] = (escape(name), integer)
    return series.names[name]
