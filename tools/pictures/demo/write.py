"""Write the lab into an InfluxDB 1.x."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from tools.pictures.asking import Server
from tools.pictures.demo import results, samples

BATCH: Final = 20_000
DATABASES: Final = ("telemetry", "telemetry_1m", "results", *samples.BUCKETS)


def write(server: Server, end_s: int, *, step_s: int = 1, days: int = 7) -> None:
    """What was measured until ``end_s``, Unix s, into databases that exist: an hour's samples
    ``step_s`` apart, one-minute values of some days, power of a month, and results of a week."""
    _write(server, "telemetry", samples.raw(end_s, step_s))
    _write(server, "telemetry_1m", samples.minutes(end_s, days))
    for database in samples.BUCKETS:
        _write(server, database, samples.power(database, end_s))
    _write(server, "results", results.lines(end_s))


def _write(server: Server, database: str, lines: Iterable[str]) -> None:
    for batch in _batches(iter(lines)):
        server.write(database, batch)


def _batches(lines: Iterator[str]) -> Iterator[list[str]]:
    while batch := list(islice(lines, BATCH)):
        yield batch
