"""A store with moods, and the spool before it."""

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from wattmark_collector.health import Health
from wattmark_collector.self_metrics import self_sample
from wattmark_collector.spool import SpooledStore
from wattmark_core.clock import SystemClock
from wattmark_core.errors import StoreError
from wattmark_core.sample import AnySample, Sample, make_tags
from wattmark_store.sqlite import SqliteStore

MINUTE_NS = 60_000_000_000
URL = "http://h:9109/samples"
WaitFor = Callable[[Callable[[], object]], None]


class Moody(SqliteStore):
    """A store that can be away, broken, or refuse samples, as a test sets it; ``tries`` so far."""

    error: Exception | None = None
    bad: Callable[[AnySample], bool] = staticmethod(lambda _: False)
    tries = 0
    roll_up_error: Exception | None = None
    roll_ups = 0
    steps_seconds: tuple[float, ...] = ()

    def roll_up(self, now_ns: int) -> int:
        self.roll_ups += 1
        if self.roll_up_error is not None:
            raise self.roll_up_error
        return super().roll_up(now_ns)

    def rolling_up(self, now_ns: int) -> Iterator[int]:
        for seconds in self.steps_seconds:
            time.sleep(seconds)
            yield 0
        yield from super().rolling_up(now_ns)

    def write(self, samples: Iterable[AnySample], *, target: str = "", cursor: str = "") -> int:
        self.tries += 1
        if self.error is not None:
            raise self.error
        batch = list(samples)
        if any(map(self.bad, batch)):
            raise StoreError("store: a field has another type there")
        return super().write(batch, target=target, cursor=cursor)


def make(
    store: SqliteStore, folder: Path, limit_bytes: int = 1 << 20, health: Health | None = None
) -> SpooledStore:
    """A spool before the store."""
    clock = SystemClock()
    made = self_sample("h1", clock)
    return SpooledStore(store, folder, health or Health(), clock, made, limit_bytes)


def sample(number: int, measurement: str = "m", **fields: float) -> Sample:
    """Sample ``number``; its time is its number."""
    return Sample(measurement, make_tags({"host": "h1"}), fields or {"value": 1.5}, number)


def times(store: SqliteStore, measurement: str = "m") -> list[int]:
    """What is in the store."""
    return [t for data in store.series(measurement, 0, 2**62, {}) for t in data.times_ns]
