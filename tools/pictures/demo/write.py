"""Write the lab into an InfluxDB 1.x."""

import urllib.request
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from benchmarks import influxd
from tools.pictures.demo import results, samples

BATCH: Final = 20_000


def write(address: str, end_s: int) -> None:
    """All databases of the stack, full of what was measured until ``end_s``, Unix s."""
    for database in ("telemetry", "telemetry_1m", "results", *samples.BUCKETS):
        influxd.query(address, f"CREATE DATABASE {database}")
    _write(address, "telemetry", samples.raw(end_s))
    _write(address, "telemetry_1m", samples.minutes(end_s))
    for database in samples.BUCKETS:
        _write(address, database, samples.power(database, end_s))
    _write(address, "results", results.lines(end_s))


def _write(address: str, database: str, lines: Iterable[str]) -> None:
    for batch in _batches(iter(lines)):
        body = "\n".join(batch).encode()
        url = f"http://{address}/write?db={database}"
        urllib.request.urlopen(url, body, timeout=60.0).close()


def _batches(lines: Iterator[str]) -> Iterator[list[str]]:
    while batch := list(islice(lines, BATCH)):
        yield batch
