"""Can the service measure? What ``/readyz`` answers."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from wattmark_core.clock import SystemClock
from wattmark_core.errors import WattmarkError
from wattmark_core.exporter_api import HostReport
from wattmark_core.units import ns_to_seconds, seconds_to_ns
from wattmark_runner.service.context import AppContext
from wattmark_runner.windows.measured_host import measured_host

log = logging.getLogger(__name__)

FRESH_SECONDS: Final = 30.0
"""How old the newest sample in the store may be. A collector polls every 1 or 2 s."""
REMEMBERED_SECONDS: Final = 1.0
"""Anybody may ask, as often as he likes: so long an answer stands."""
LEAST_FREE_BYTES: Final = 64 * 2**20
LEAST_FREE_SHARE: Final = 0.05
"""Of a small disk."""


class Readiness:
    """Any thread may ask."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._asked_at = float("-inf")
        self._problems: dict[str, str] = {}
        self._logged: frozenset[str] = frozenset()

    def problems(self) -> Mapping[str, str]:
        """What stands in the way, by name: ``exporter``, ``samples``, ``store``, ``run records``,
        ``disk``; empty: nothing. Anybody may read it: the particulars are in the log."""
        with self._lock:
            if time.monotonic() - self._asked_at >= REMEMBERED_SECONDS:
                self._problems = dict(self._look())
                self._asked_at = time.monotonic()
                self._log()
            return self._problems

    def _look(self) -> Iterator[tuple[str, str]]:
        reports: list[HostReport] = []
        yield from self._try(
            "exporter", "does not answer, or is another machine's; start it",
            lambda: reports.append(
                measured_host(self._context.exporter_url, self._context.store)
            ),
        )  # fmt: skip
        for report in reports:
            ages: list[float | None] = []
            yield from self._try(
                "store", "cannot be read", lambda: ages.append(self._age(report))  # noqa: B023 - called at once
            )  # fmt: skip
            yield from (("samples", text) for age in ages if (text := _stale(report, age)))
        yield from self._try("run records", "cannot be read", self._context.database.counts)
        if kept := len(self._context.database.kept):
            yield "run records", f"the last state of {kept} runs waits to be written"
        for folder in dict.fromkeys((self._context.data, *self._context.folders)):
            if text := _too_full(folder):
                yield "disk", text

    def _try(
        self, name: str, problem: str, call: Callable[[], object]
    ) -> Iterator[tuple[str, str]]:
        try:
            call()
        except WattmarkError as error:
            if name not in self._logged:
                log.warning("not ready: %s: %s", name, error)
            yield name, problem

    def _age(self, report: HostReport) -> float | None:
        """Of the newest energy sample of the exporter, s; None if none came of late."""
        now_ns = SystemClock().boottime_ns() + report.offset_ns
        start_ns = now_ns - seconds_to_ns(_fresh_seconds(report))
        tags = {"host": report.host}
        offered = [set(series.tags.items()) for series in report.energy]
        found = self._context.store.edges("energy", start_ns, now_ns, tags, neighbours=1)
        times = [
            time_ns for data in found if any(own <= set(data.tags) for own in offered)
            for time_ns in data.times_ns
        ]  # fmt: skip
        return ns_to_seconds(now_ns - max(times)) if times else None

    def _log(self) -> None:
        names = frozenset(self._problems)
        for name in names - self._logged:
            log.warning("not ready: %s: %s", name, self._problems[name])
        if self._logged and not names:
            log.warning("ready again")
        self._logged = names


def _fresh_seconds(report: HostReport) -> float:
    """How old the newest sample may be: of slow counters alone, three of their periods."""
    quickest = min((one.interval_seconds for one in report.energy), default=0.0)
    return max(FRESH_SECONDS, 3.0 * quickest)


def _stale(report: HostReport, age: float | None) -> str:
    if not report.energy:
        return "the exporter has no sensor of energy"
    if age is None or age > _fresh_seconds(report):
        newest = "none came of late" if age is None else f"the newest is {age:.0f} s old"
        return f"{newest}; see to the collector, and whether its store takes them"
    return ""


def _too_full(folder: Path) -> str:
    try:
        disk = os.statvfs(folder)
    except OSError as error:
        return f"it cannot be looked at: {error.strerror}"
    free, size = disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
    if free < min(LEAST_FREE_BYTES, LEAST_FREE_SHARE * size):
        return f"{free / 1e6:.1f} MB are free; make room"
    if disk.f_files and not disk.f_favail:
        return "no file can be made any more; delete some"
    return ""
