"""One poll of an exporter, against a small server that speaks its contract."""

import json
import logging
from collections.abc import Iterator
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar

import pytest

from wattmark_collector.exporter import ExporterSource
from wattmark_collector.host_ownership import HostOwnership
from wattmark_collector.targets import Target
from wattmark_core.exporter_api import CURSOR_HEADER, LOST_HEADER, TIME_HEADER, HostReport
from wattmark_core.sample import Sample
from wattmark_core.testing import FakeClock

LINES = "m,host=h1 f=1.0 5\nnot a line\nm,host=h1 f=1i 9223372036854775808\nm f=2.0 6\n"
REPORT = HostReport("h1", "b", "i", 0, ())


class Handler(BaseHTTPRequestHandler):
    """An exporter whose ring always holds the same lines."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[str]] = []
    ahead_seconds: ClassVar[float | None] = None

    def do_GET(self) -> None:
        self.asked.append(self.path)
        report = self.path == "/sensors"
        body = (json.dumps(asdict(REPORT)) if report else LINES).encode()
        self.send_response(200)
        self.send_header(CURSOR_HEADER, "i:9")
        self.send_header(LOST_HEADER, "3")
        if self.ahead_seconds is not None:
            told_ns = FakeClock().realtime_ns() + round(self.ahead_seconds * 1e9)
            self.send_header(TIME_HEADER, str(told_ns))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def source() -> Iterator[ExporterSource]:
    """The source of that exporter, which goes on from ``i:2``."""
    Handler.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        clock = FakeClock()
        target = Target("t", f"http://127.0.0.1:{server.server_port}/samples", 1.0, 5.0)
        made = ExporterSource(target, "i:2", HostOwnership(clock), clock)
        yield made
        made.close()
        server.shutdown()
        thread.join()


def test_bad_lines_are_dropped_and_counted(
    source: ExporterSource, caplog: pytest.LogCaptureFixture
) -> None:
    """The rest is taken; what was lost is counted and told; the host is the exporter's."""
    with caplog.at_level(logging.WARNING):
        batch = source.read()
    assert batch.samples == [
        Sample("m", (("host", "h1"),), {"f": 1.0}, 5),
        Sample("m", (("host", "h1"),), {"f": 2.0}, 6),
    ]
    assert (batch.cursor, source.dropped, source.lost, source.host) == ("i:9", 2, 3, "h1")
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2
    assert "3 samples left its ring" in told[0]
    assert "not a line of samples" in told[1]


def test_the_cursor_goes_on_after_the_commit_only(source: ExporterSource) -> None:
    """A batch that did not get into the store is fetched again."""
    source.read()
    batch = source.read()
    source.committed(batch)
    source.read()
    pages = [path for path in Handler.asked if path.startswith("/samples")]
    assert pages == ["/samples?after=i%3A2"] * 2 + ["/samples?after=i%3A9"]
    assert Handler.asked.count("/sensors") == 1


def test_the_clock_offset_is_known_where_the_exporter_tells_its_time(
    source: ExporterSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Missing otherwise, not zero."""
    source.read()
    assert source.clock_offset_seconds is None
    monkeypatch.setattr(Handler, "ahead_seconds", -2.5)
    source.read()
    assert source.clock_offset_seconds == -2.5
