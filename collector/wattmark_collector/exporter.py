"""Poll one Wattmark exporter: its ring from the cursor on."""

import logging
from collections.abc import Iterable, Iterator
from typing import Final

from wattmark_collector.admission import Admission
from wattmark_collector.exporter_clock import TimedClient
from wattmark_collector.host_ownership import HostOwnership
from wattmark_collector.left_out import LeftOut
from wattmark_collector.normalise import NEWEST_NS, OLDEST_NS
from wattmark_collector.page_line import MOST_CHARACTERS, MOST_NAME
from wattmark_collector.series_ownership import Owner
from wattmark_collector.sources import Batch
from wattmark_collector.targets import Target
from wattmark_core.clock import Clock
from wattmark_core.errors import LineFormatError
from wattmark_core.exporter_api import HostReport
from wattmark_core.printable import printable, quoted
from wattmark_core.sample import AnySample, Tags, make_tags
from wattmark_core.series_lines import LineReader
from wattmark_core.units import seconds_to_ns

log = logging.getLogger(__name__)
NAME_CHARACTERS: Final = 80
REPORT_NS: Final = seconds_to_ns(30.0)
"""How often to ask for the state of the sensors, which may fail or come back."""


class ExporterSource:
    """``sources.Source`` for a Wattmark exporter. ``cursor``: where the store's samples end."""

    def __init__(self, target: Target, cursor: str, ownership: HostOwnership, clock: Clock) -> None:
        self.host = target.host
        self.lost = 0
        self._left_out = LeftOut(target.url)
        self._target = target
        self._cursor = cursor
        self._ownership = ownership
        self._clock = clock
        self._report: HostReport | None = None
        self._report_ns = 0
        self._lines = LineReader(self._with_host)
        self._admission = Admission(self._left_out, clock, ownership.series, target.series_limit)
        self._client = TimedClient(
            target.base_url, clock, timeout_seconds=target.timeout_seconds,
            token_file=target.credentials_file, ca_file=target.ca_file,
        )  # fmt: skip

    @property
    def dropped(self) -> int:
        """See ``Source``."""
        return self._left_out.count

    @property
    def clock_offset_seconds(self) -> float | None:
        """See ``Source``."""
        return self._client.clock_offset_seconds

    def read(self) -> Batch:
        """See ``Source``. Raises ``ExporterError`` if another exporter owns the host's sensors."""
        page = self._client.samples(self._cursor)
        report = self._current_report(page.cursor.rpartition(":")[0])
        host = self._target.host or printable(report.host)[:MOST_NAME]
        if host != self.host:
            self.host = host
            self._lines = LineReader(self._with_host)
        self._ownership.take(self._target.url, host, report)
        owner = Owner(self._target.url, bool(self._target.host), report.instance)
        if page.lost:
            self.lost += page.lost
            log.warning("exporter %s: %d samples left its ring before they were fetched",
                        self._target.url, page.lost)  # fmt: skip
        samples = self._admission.taken(self._samples(page.text.split("\n")), owner)
        return Batch(list(samples), page.cursor)

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
        """The one check of lines on their way: what is no sample, or stamped at a time that no ring
        reaches, is left out and counted."""
        read, oldest_ns, newest_ns = self._lines.read, *self._bounds_ns()
        for line in lines:
            if not line:
                continue
            try:
                if len(line) > MOST_CHARACTERS:
                    raise LineFormatError(f"over {MOST_CHARACTERS} characters: {line[:80]!r}")
                sample = read(line)
            except LineFormatError as error:
                name = printable(line[:NAME_CHARACTERS].partition(",")[0])
                self._left_out.add(f"line {name}", printable(str(error)))
                continue
            if oldest_ns <= sample.time_ns <= newest_ns:
                yield sample
            else:
                self._left_out.add(
                    f"time {sample.measurement}",
                    f"{quoted(sample.measurement)} is left out, its time is not of the last day by"
                    " the exporter's own clock",
                )

    def _bounds_ns(self) -> tuple[int, int]:
        """Of times in the page, by the exporter's own clock; none where that is not known."""
        offset_seconds = self._client.clock_offset_seconds
        if offset_seconds is None:
            return -(2**63), 2**63
        now_ns = self._clock.realtime_ns() + seconds_to_ns(offset_seconds)
        return now_ns - OLDEST_NS, now_ns + NEWEST_NS

    def _with_host(self, tags: Tags) -> Tags:
        named = {printable(name): printable(value) for name, value in tags}
        return make_tags({**named, "host": self.host})
