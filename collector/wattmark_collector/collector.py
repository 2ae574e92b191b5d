"""The pollers of a target file, its reload, and the store's upkeep."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Final

from wattmark_collector.config import fitting, further_files, load_targets
from wattmark_collector.exporter import ExporterSource
from wattmark_collector.health import Health
from wattmark_collector.host_ownership import HostOwnership
from wattmark_collector.poller import Poller, StoreHealth
from wattmark_collector.prometheus import PrometheusSource
from wattmark_collector.sink import Sink
from wattmark_collector.sources import Source
from wattmark_collector.targets import Target
from wattmark_core.clock import Clock
from wattmark_core.errors import ConfigurationError, StoreError
from wattmark_core.sample import Sample

log = logging.getLogger(__name__)
TURN_SECONDS: Final = 2.0
TRIED_SECONDS: Final = 0.1
SELF_METRICS_SECONDS: Final = 10.0
ROLL_UP_SECONDS: Final = 60.0
PRUNE_SECONDS: Final = 3600.0
PARTING_SECONDS: Final = 3.0
"""How long to wait at the end for batches in hand; a target that hangs has none."""


class Collector:
    """Polls the targets of the file into the sink. Raises ``ConfigurationError`` when the file
    cannot be used at the start; a bad file later leaves the targets as they are. ``self_metrics``
    makes a sample of the collector itself: every 10 s of all its fields, in between of its CPU
    time."""

    def __init__(
        self, config: Path, sink: Sink, health: Health, clock: Clock,
        self_metrics: Callable[[bool], Sample] | None = None,
    ) -> None:  # fmt: skip
        self._config = config
        self._sink = sink
        self._health = health
        self._clock = clock
        self._self_metrics = self_metrics
        self._ownership = HostOwnership(clock)
        self._store_health = StoreHealth()
        self._pollers: dict[Target, Poller] = {}
        self._patterns = further_files(config)
        self._signature = _signature(config, self._patterns)
        self._targets = load_targets(config)
        self._next_roll_up = time.monotonic() + ROLL_UP_SECONDS
        self._next_prune = self._next_roll_up
        self._next_self_metrics = time.monotonic()

    def start(self, stop: Event) -> None:
        """Start the pollers and wait until each has tried its target once, or ``stop``."""
        self._apply(self._targets)
        for poller in self._pollers.values():
            while not (stop.is_set() or poller.tried.wait(TRIED_SECONDS)):
                pass

    def run(self, stop: Event) -> None:
        """Reload the file when it changes and look after the store, until ``stop``."""
        self._write_self_metrics()
        while not stop.wait(TURN_SECONDS):
            self._reload()
            self._write_self_metrics()
            self._maintain()

    def once(self, stop: Event) -> bool:
        """One poll of each target, at the same time; were all of them up?"""
        self.start(stop)
        pollers = list(self._pollers.values())
        self.stop()
        self._roll_up()
        return all(poller.up for poller in pollers)

    def stop(self) -> None:
        """Finish the batches in hand."""
        self._end(list(self._pollers))

    def _reload(self) -> None:
        if _signature(self._config, self._patterns) == self._signature:
            return
        self._patterns = further_files(self._config)
        self._signature = _signature(self._config, self._patterns)
        try:
            targets = load_targets(self._config)
        except ConfigurationError as error:
            log.error("%s; the targets stay as they were", error)
            return
        self._apply(targets)
        log.info("target file %s read again: %d targets", self._config, len(targets))

    def _apply(self, targets: tuple[Target, ...]) -> None:
        self._end([target for target in self._pollers if target not in targets])
        for target in targets:
            if target not in self._pollers:
                poller = Poller(
                    target, self._source(target), self._sink, self._health, self._store_health,
                    self._clock,
                )  # fmt: skip
                self._pollers[target] = poller
                poller.start()

    def _end(self, targets: list[Target]) -> None:
        pollers = [self._pollers.pop(target) for target in targets]
        for poller in pollers:
            poller.stop()
        deadline = time.monotonic() + PARTING_SECONDS
        for poller in pollers:
            poller.join(max(0.0, deadline - time.monotonic()))

    def _source(self, target: Target) -> Source:
        if target.is_exporter:
            cursor = self._sink.cursor(target.url)
            return ExporterSource(target, cursor, self._ownership, self._clock)
        return PrometheusSource(target, self._clock, self._ownership.series)

    def _maintain(self) -> None:
        now = time.monotonic()
        if now >= self._next_roll_up:
            self._next_roll_up = now + ROLL_UP_SECONDS
            self._roll_up()
            if now >= self._next_prune:
                self._next_prune = now + PRUNE_SECONDS
                self._prune()

    def _roll_up(self) -> None:
        self._upkeep("roll-up", lambda: self._sink.roll_up(self._clock.realtime_ns()))

    def _prune(self) -> None:
        self._upkeep("pruning", lambda: self._sink.prune(self._clock.realtime_ns()))

    def _write_self_metrics(self) -> None:
        make, now = self._self_metrics, time.monotonic()
        whole = now >= self._next_self_metrics
        if whole:
            self._next_self_metrics = now + SELF_METRICS_SECONDS
        if make is not None:
            self._upkeep("self-metrics", lambda: self._sink.write([make(whole)]))

    def _upkeep(self, name: str, work: Callable[[], int]) -> None:
        try:
            work()
        except StoreError as error:
            self._store_health.failed(name, error)
        else:
            self._store_health.ok(name)


def _signature(path: Path, patterns: tuple[Path, ...]) -> tuple[tuple[Path, int, int, int], ...]:
    """Changes when the file does, or one that fits the patterns; empty while there is none."""
    signature = []
    for file in (path, *fitting(patterns)):
        try:
            status = file.stat()
        except OSError:
            continue
        signature.append((file, status.st_mtime_ns, status.st_size, status.st_ino))
    return tuple(signature)
