"""One thread per target: poll when due, write, log changes once."""

import logging
import math
import time
from threading import Event, Lock, Thread

from wattmark_collector.health import Health, TargetHealth, target_fields
from wattmark_collector.sink import Origin, Sink
from wattmark_collector.sources import Batch, Source
from wattmark_collector.targets import Target
from wattmark_core.clock import Clock
from wattmark_core.errors import ExporterError, StoreError, WattmarkError
from wattmark_core.printable import printable
from wattmark_core.sample import AnySample, Sample, make_tags

log = logging.getLogger(__name__)


class StoreHealth:
    """Logs once that the store refuses, and its recovery; all pollers share it.

    A full disk may take small batches and refuse large ones: the store has recovered when all
    those that were refused have been written.
    """

    def __init__(self) -> None:
        self._refused: set[str] = set()
        self._lock = Lock()

    def failed(self, writer: str, error: StoreError) -> None:
        """A write of ``writer`` was refused."""
        with self._lock:
            if not self._refused:
                log.error("%s; polling goes on, exporters keep their samples for minutes", error)
            self._refused.add(writer)

    def ok(self, writer: str) -> None:
        """A write of ``writer`` succeeded."""
        with self._lock:
            if self._refused == {writer}:
                log.info("the store takes samples again")
            self._refused.discard(writer)

    def forget(self, writer: str) -> None:
        """Drop a writer that has ended."""
        with self._lock:
            self._refused.discard(writer)


class Poller(Thread):
    """Polls one target until ``stop``; ``tried`` is set after the first poll.

    The cursor goes into the store with the samples and is advanced after the commit only, so that
    a batch that fails is fetched again.
    """

    def __init__(
        self, target: Target, source: Source, sink: Sink, health: Health, store_health: StoreHealth,
        clock: Clock,
    ) -> None:  # fmt: skip
        super().__init__(name=f"poll {target.url}", daemon=True)
        self.target = target
        self.tried = Event()
        self.up = False
        self._source = source
        self._sink = sink
        self._health = health
        self._store_health = store_health
        self._clock = clock
        self._stopping = Event()
        self._reason: str | None = None

    def run(self) -> None:
        """Poll at whole multiples of the interval after the start; what is missed is left out."""
        started = time.monotonic()
        interval = self.target.interval_seconds
        try:
            while not self._stopping.is_set():
                asked_seconds = self.poll()
                passed = time.monotonic() - started
                self._stopping.wait(next_due(passed + asked_seconds, interval) - passed)
        finally:
            self.tried.set()
            self._source.close()
            self._store_health.forget(self.target.url)
            self._health.forget(self.target.url)

    def stop(self) -> None:
        """Finish the batch in hand, then end."""
        self._stopping.set()

    def poll(self) -> float:
        """Poll once and write what came; errors are logged when they begin and when they end. For
        how many s the target asks to be left alone."""
        started, asked_seconds = time.monotonic(), 0.0
        reason = None
        try:
            batch = self._source.read()
        except WattmarkError as error:
            batch, reason = Batch([]), str(error)
            if isinstance(error, ExporterError):
                asked_seconds = error.wait_seconds or 0.0
        except Exception as error:  # noqa: BLE001 - whatever a target answers, polling goes on
            reason = f"target {self.target.url} failed: {type(error).__name__}: {error}"
            batch = Batch([])
        self._log(None if reason is None else printable(reason))
        self.up = reason is None
        self._write(batch, time.monotonic() - started, asked_seconds)
        self.tried.set()
        return asked_seconds

    def _write(self, batch: Batch, seconds: float, asked_seconds: float) -> None:
        url = self.target.url
        health = self._target_health(seconds)
        self._health.polled(url, health, self.target.interval_seconds + asked_seconds)
        samples: list[AnySample] = [*batch.samples, self._own_sample(health)]
        origin = Origin(url, max((sample.time_ns for sample in batch.samples), default=None))
        target = url if batch.cursor else ""
        try:
            self._sink.write(samples, target=target, cursor=batch.cursor, origin=origin)
        except StoreError as error:
            if not self._stopping.is_set():
                self._store_health.failed(url, error)
            return
        except Exception as error:  # whatever it is, it must not end the polling
            log.exception("samples of %s cannot be written", url)
            self._store_health.failed(url, StoreError(f"{type(error).__name__}: {error}"))
            return
        if self.up:
            self._source.committed(batch)
        self._store_health.ok(url)

    def _target_health(self, seconds: float) -> TargetHealth:
        source = self._source
        return TargetHealth(
            source.host, self.up, seconds, source.dropped, source.lost,
            source.clock_offset_seconds if self.up else None,
        )  # fmt: skip

    def _own_sample(self, health: TargetHealth) -> Sample:
        now_ns = self._clock.realtime_ns()
        lag_seconds = self._health.lag_seconds(self.target.url, now_ns)
        tags = make_tags({"target": self.target.url, "host": health.host})
        return Sample("target", tags, target_fields(health, lag_seconds), now_ns)

    def _log(self, reason: str | None) -> None:
        if reason is not None and self._reason is None:
            log.error("%s", reason)
        if reason is None and self._reason is not None:
            log.info("target %s is back", self.target.url)
        self._reason = reason


def next_due(passed_seconds: float, interval_seconds: float) -> float:
    """The next multiple of the interval, s after the start."""
    return (math.floor(passed_seconds / interval_seconds) + 1) * interval_seconds
