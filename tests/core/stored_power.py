"""Loads for the tests of power stored ready, and what a server holds of it."""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from wattmark_core.sample import Sample, Tags, make_tags

S: Final = 1_000_000_000
T0: Final = 1_700_000_400 * S // (3600 * S) * 3600 * S  # a full hour
LATER: Final = T0 + 3600 * S
Shown = dict[tuple[str, int], tuple[float, float]]


def energy_tags(
    domain: str = "package", device: str = "socket0", source: str = "rapl",
    method: str = "counter", host: str = "h",
) -> Tags:  # fmt: skip
    """Tags of a counter."""
    return make_tags({"host": host, "domain": domain, "device": device, "source": source,
                      "method": method})  # fmt: skip


def load(
    watts: float, start: float, end: float, step: float = 0.5, *, tags: Tags | None = None,
    epoch: int = 7,
) -> list[Sample]:  # fmt: skip
    """Samples of a constant load from ``start`` to ``end``, seconds after T0."""
    instants = [start + n * step for n in range(int((end - start) / step) + 1)]
    return [
        Sample("energy", tags or energy_tags(), {"joules": watts * (t - start), "epoch": epoch},
               T0 + round(t * S))
        for t in instants
    ]  # fmt: skip


def shown(influx: Any, database: str) -> Shown:
    """Watts and seconds by "host domain source method" and second after T0."""
    found: Shown = {}
    for name, time, point in _points(influx, database):
        assert point["joules"] == pytest.approx(point["watts"] * point["seconds"])
        found[name, time] = point["watts"], point["seconds"]
    return found


def counters(influx: Any, database: str) -> dict[tuple[str, int], int | None]:
    """How many counters each point is made of, by its field ``parts``."""
    return {(name, time): point["parts"] for name, time, point in _points(influx, database)}


def _points(influx: Any, database: str) -> Iterator[tuple[str, int, dict[str, Any]]]:
    for row in influx.query(database, "SELECT * FROM power GROUP BY *").get("series", []):
        tags = row["tags"]
        name = " ".join(tags[n] for n in ("host", "domain", "source", "method") if tags.get(n))
        for time_ns, *values in row["values"]:
            yield name, (time_ns - T0) // S, dict(zip(row["columns"][1:], values, strict=True))


def times(found: Shown, name: str) -> list[int]:
    """When a series has points, seconds after T0."""
    return sorted(time for series, time in found if series == name)
