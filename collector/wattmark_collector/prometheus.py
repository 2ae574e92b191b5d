"""Scrape one plain Prometheus target."""

import http.client
import ssl
import time
from typing import Final
from urllib.parse import urlsplit

from wattmark_collector.normalise import Normaliser
from wattmark_collector.sources import Batch
from wattmark_collector.targets import Target
from wattmark_core.clock import Clock
from wattmark_core.errors import ExporterError
from wattmark_core.host_name import own_host
from wattmark_core.net import read_secret

MOST_BYTES: Final = 64 * 1024 * 1024
PIECE_BYTES: Final = 65536
ACCEPT: Final = "text/plain;version=0.0.4"
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class PrometheusSource:
    """``sources.Source`` for a page in Prometheus's text format; it has no cursor.

    Samples are stamped with the wall clock midway between request and answer.
    """

    lost = 0
    clock_offset_seconds = None

    def __init__(self, target: Target, clock: Clock) -> None:
        self.host = _host_name(target)
        self._target = target
        self._clock = clock
        self._normaliser = Normaliser(target.url, self.host, target.keep)

    @property
    def dropped(self) -> int:
        """Samples left out since the start."""
        return self._normaliser.dropped

    def read(self) -> Batch:
        """See ``Source``."""
        before_ns = self._clock.realtime_ns()
        text = fetch(self._target)
        time_ns = (before_ns + self._clock.realtime_ns()) // 2
        return Batch(self._normaliser.take(text, time_ns))

    def committed(self, batch: Batch) -> None:
        """There is nothing to remember."""

    def close(self) -> None:
        """There is nothing to close."""


def _host_name(target: Target) -> str:
    """The label, else the name in the address; this machine is called as its exporter calls it."""
    name = target.host or target.host_name
    return own_host() if name in LOOPBACK else name


def fetch(target: Target) -> str:
    """The target's page, within its timeout. Raises ``ExporterError``."""
    deadline = time.monotonic() + target.timeout_seconds
    connection = _connection(target)
    try:
        connection.request("GET", _path(target), headers=_headers(target))
        response = connection.getresponse()
        body = _body(response, deadline, target)
    except (OSError, http.client.HTTPException) as error:
        raise ExporterError(
            f"no target answers at {target.url} ({error or type(error).__name__}); start it or"
            " correct the address"
        ) from error
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise ExporterError(f"target {target.url} answered {response.status} {response.reason}")
    return body.decode("utf-8", "replace")


def _path(target: Target) -> str:
    parts = urlsplit(target.url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _headers(target: Target) -> dict[str, str]:
    headers = {"Accept": ACCEPT, "User-Agent": "wattmark-collector"}
    if target.credentials_file is not None:
        token = read_secret(target.credentials_file, "credentials file", "a token").strip()
        headers["Authorization"] = f"Bearer {token}"
    return headers


def _connection(target: Target) -> http.client.HTTPConnection:
    parts = urlsplit(target.url)
    host, timeout = parts.hostname or "", target.timeout_seconds
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, parts.port, timeout=timeout)
    ca_file = None if target.ca_file is None else str(target.ca_file)
    context = ssl.create_default_context(cafile=ca_file)
    return http.client.HTTPSConnection(host, parts.port, timeout=timeout, context=context)


def _body(response: http.client.HTTPResponse, deadline: float, target: Target) -> bytes:
    """A target that drips, or never ends, does not hold its poller."""
    pieces, size = [], 0
    while piece := response.read1(PIECE_BYTES):
        pieces.append(piece)
        size += len(piece)
        if time.monotonic() > deadline:
            raise ExporterError(f"target {target.url} took over {target.timeout_seconds:g} s")
        if size > MOST_BYTES:
            raise ExporterError(f"target {target.url} answered with over {MOST_BYTES} bytes")
    return b"".join(pieces)
