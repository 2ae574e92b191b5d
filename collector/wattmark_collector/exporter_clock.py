"""How far an exporter's wall clock is from ours, by the time in its answers."""

import http.client
from pathlib import Path
from typing import Final

from wattmark_core.clock import Clock
from wattmark_core.exporter_api import TIME_HEADER, ExporterClient
from wattmark_core.units import ns_to_seconds, seconds_to_ns

LONGEST_NS: Final = seconds_to_ns(0.5)
"""Of a request whose answer counts: the offset is known to half of it."""


class TimedClient(ExporterClient):
    """An ``ExporterClient`` that compares clocks with each answer that has a time."""

    def __init__(
        self, url: str, clock: Clock, *, timeout_seconds: float, token_file: Path | None,
        ca_file: Path | None,
    ) -> None:  # fmt: skip
        super().__init__(
            url, timeout_seconds=timeout_seconds, token_file=token_file, ca_file=ca_file
        )
        self._clock = clock
        self.clock_offset_seconds: float | None = None
        """Exporter less collector, midway of the last request; None if its answers have no time."""

    def _request(self, method: str, path: str) -> tuple[http.client.HTTPResponse, bytes]:
        before_ns = self._clock.realtime_ns()
        response, body = super()._request(method, path)
        after_ns = self._clock.realtime_ns()
        time_ns = response.headers.get(TIME_HEADER, "")
        if time_ns.isascii() and time_ns.isdigit() and 0 <= after_ns - before_ns <= LONGEST_NS:
            self.clock_offset_seconds = ns_to_seconds(int(time_ns) - (before_ns + after_ns) // 2)
        return response, body
