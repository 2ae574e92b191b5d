"""Poll one Wattmark exporter: its ring from the cursor on."""

import logging
from collections.abc import Iterable, Iterator
from typing import Final

from wattmark_collector.exporter_clock import TimedClient
from wattmark_collector.host_ownership import HostOwnership
from wattmark_collector.sources import Batch
from wattmark_collector.targets import Target
from wattmark_core.clock import Clock
from wattmark_core.errors import LineFormatError
from wattmark_core.exporter_api import HostReport
from wattmark_core.sample import AnySample, Tags, make_tags
from wattmark_core.series_lines import LineReader
from wattmark_core.units import seconds_to_ns

log = logging.getLogger(__name__)
REPORT_NS: Final = seconds_to_ns(30.0)
"""How often to ask for the state of the sensors, which may fail or come back."""


class ExporterSource:
    """``sources.Source`` for a Wattmark exporter. ``cursor``: where the store's samples end."""

    def __init__(self, target: Target, cursor: str, ownership: HostOwnership, clock: Clock) -> None:
        self.host = target.host
        self.dropped = 0
        self.lost = 0
        self._target = target
        self._cursor = cursor
        self._ownership = ownership
        self._clock = clock
        self._report: HostReport | None = None
        self._report_ns = 0
        self._lines = LineReader(self._with_host)
        self._client = TimedClient(
            target.base_url, clock, timeout_seconds=target.timeout_seconds,
            token_file=target.credentials_file, ca_file=target.ca_file,
        )  # fmt: skip

    @property
    def clock_offset_seconds(self) -> float | None:
        """See ``Source``."""
        return self._client.clock_offset_seconds

    def read(self) -> Batch:
        """See ``Source``. Raises ``ExporterError`` if another exporter owns the host's sensors."""
        page = self._client.samples(self._cursor)
        report = self._current_report(page.cursor.rpartition(":")[0])
        host = self._target.host or report.host
        if host != self.host:
            self.host = host
            self._lines = LineReader(self._with_host)
        self._ownership.take(self._target.url, host, report)
        if page.lost:
            self.lost += page.lost
            log.warning("exporter %s: %d samples left its ring before they were fetched",
                        self._target.url, page.lost)  # fmt: skip
        return Batch(list(self._samples(page.text.split("\n"))), page.cursor)

    def committed(self, batch: Batch) -> None:
        """See ``Source``."""
        self._cursor = batch.cursor

    def close(self) -> None:
        """See ``Source``."""
        self._client.close()
        self._ownership.release(self._target.url)

    def _current_report(self, instance: str) -> HostReport:
        now_ns = self._clock.monotonic_ns()
        report = self._report
        if report is None or report.instance != instance or now_ns - self._report_ns > REPORT_NS:
            report = self._report = self._client.sensors()
            self._report_ns = now_ns
        return report

    def _samples(self, lines: Iterable[str]) -> Iterator[AnySample]:
        """The one check of lines on their way: what is no sample is left out and counted."""
        read = self._lines.read
        for line in lines:
            if line:
                try:
                    yield read(line)
                except LineFormatError as error:
                    if not self.dropped:
                        log.warning("exporter %s: %s", self._target.url, error)
                    self.dropped += 1

    def _with_host(self, tags: Tags) -> Tags:
        return make_tags({**dict(tags), "host": self.host})
