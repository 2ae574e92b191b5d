"""The pollers of a target file, its reload, and the store's upkeep."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Final

from wattmark_collector.claims import Claims
from wattmark_collector.config import load_targets
from wattmark_collector.exporter import ExporterSource
from wattmark_collector.poller import Poller, StoreHealth
from wattmark_collector.prometheus import PrometheusSource
from wattmark_collector.sources import Source
from wattmark_collector.targets import Target
from wattmark_core.clock import Clock
from wattmark_core.errors import ConfigurationError, StoreError
from wattmark_store import Maintained, Store

log = logging.getLogger("wattmark_collector")
TURN_SECONDS: Final = 1.0
TRIED_SECONDS: Final = 0.1
ROLL_UP_SECONDS: Final = 60.0
PRUNE_SECONDS: Final = 3600.0
PARTING_SECONDS: Final = 3.0
"""How long to wait at the end for batches in hand; a target that hangs has none."""


class Collector:
    """Polls the targets of the file into the store. Raises ``ConfigurationError`` when the file
    cannot be used at the start; a bad file later leaves the targets as they are."""

    def __init__(self, config: Path, store: Store, clock: Clock) -> None:
        self._config = config
        self._store = store
        self._clock = clock
        self._claims = Claims(clock)
        self._health = StoreHealth()
        self._pollers: dict[Target, Poller] = {}
        self._signature = _signature(config)
        self._targets = load_targets(config)
        self._next_roll_up = time.monotonic() + ROLL_UP_SECONDS
        self._next_prune = self._next_roll_up

    def start(self, stop: Event) -> None:
        """Start the pollers and wait until each has tried its target once, or ``stop``."""
        self._apply(self._targets)
        for poller in self._pollers.values():
            while not (stop.is_set() or poller.tried.wait(TRIED_SECONDS)):
                pass

    def run(self, stop: Event) -> None:
        """Reload the file when it changes and look after the store, until ``stop``."""
        while not stop.wait(TURN_SECONDS):
            self._reload()
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
        signature = _signature(self._config)
        if signature == self._signature:
            return
        self._signature = signature
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
                    target, self._source(target), self._store, self._health, self._clock
                )
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
            cursor = self._store.cursor(target.url)
            return ExporterSource(target, cursor, self._claims, self._clock)
        return PrometheusSource(target, self._clock)

    def _maintain(self) -> None:
        now = time.monotonic()
        if now >= self._next_roll_up:
            self._next_roll_up = now + ROLL_UP_SECONDS
            self._roll_up()
            if now >= self._next_prune:
                self._next_prune = now + PRUNE_SECONDS
                self._prune()

    def _roll_up(self) -> None:
        if isinstance(self._store, Maintained):
            self._upkeep("roll-up", self._store.roll_up)

    def _prune(self) -> None:
        if isinstance(self._store, Maintained):
            self._upkeep("pruning", self._store.prune)

    def _upkeep(self, name: str, work: Callable[[int], int]) -> None:
        try:
            work(self._clock.realtime_ns())
        except StoreError as error:
            self._health.failed(name, error)
        else:
            self._health.ok(name)


def _signature(path: Path) -> tuple[int, int, int] | None:
    """Changes when the file does; None while there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
