"""``Retry-After`` as InfluxDB's answers have it."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from wattmark_core.errors import StoreUnavailable
from wattmark_core.retry_after import wait_seconds
from wattmark_core.sample import Sample


@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [
        (429, "7", 7.0), (503, " 7 ", 7.0), (503, "Sat, 28 Nov 2026 10:00:30 GMT", 30.0),
        (503, "Sat, 28 Nov 2026 09:00:00 GMT", 0.0), (503, "Sat, 28 Nov 2036 10:00:00 GMT", 300.0),
        (503, "Sat, 99 Nov 2026 10:00:30 GMT", None), (500, "7", None), (200, "7", None),
        (503, None, None), (503, "", None), (503, "7s", None), (503, "1e3", None),
        (503, "9" * 5000, 300.0),
    ],
)  # fmt: skip
def test_the_wait_is_bounded(status: int, header: str | None, seconds: float | None) -> None:
    """Seconds or a date, of 429 and 503, five minutes at most."""
    now_seconds = 1_795_860_000.0  # Sat, 28 Nov 2026 10:00:00 GMT
    assert wait_seconds(status, header, now_seconds) == seconds


@pytest.fixture
def busy() -> Iterator[str]:
    """A server that is overloaded; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(429)
            self.send_header("Retry-After", "17")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_influxdb_may_ask_for_it(busy: str) -> None:
    """It is known to whoever tries again."""
    pytest.importorskip("influxdb_client", reason="needs the extra influxdb")
    from wattmark_store import open_store

    store = open_store(f"influxdb://{busy}", None, None)
    with pytest.raises(StoreUnavailable) as caught:
        store.write([Sample("m", (), {"f": 1.0}, 5)])
    assert caught.value.wait_seconds == 17.0
    store.close()
