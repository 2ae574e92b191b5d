"""One GET of a Prometheus target's page."""

import http.client
import time
from typing import Final
from urllib.parse import urlsplit

from wattmark_collector.page import Page
from wattmark_collector.targets import Target
from wattmark_core.errors import ExporterError
from wattmark_core.http_answer import MOST_BYTES, check_answer, refusal
from wattmark_core.http_client import connection_to
from wattmark_core.net import read_token
from wattmark_core.printable import printable, quoted

PIECE_BYTES: Final = 65536
ACCEPT: Final = "text/plain;version=0.0.4"


def fetch(target: Target) -> Page:
    """The target's page, within its timeout. Raises ``ExporterError``."""
    deadline = time.monotonic() + target.timeout_seconds
    connection = _connection(target)
    try:
        connection.request("GET", _path(target), headers=_headers(target))
        response = connection.getresponse()
        if response.status != http.client.OK:
            raise refusal(f"target {target.url}", response, _words(response))
        body = _body(response, deadline, target)
    except (OSError, http.client.HTTPException) as error:
        words = printable(str(error))[:200] or type(error).__name__
        raise ExporterError(
            f"no target answers at {target.url} ({words}); start it or correct the address"
        ) from error
    finally:
        connection.close()
    check_answer(f"target {target.url}", _path(target), response, body)
    counted = response.chunked or response.getheader("Content-Length") is not None
    content_type = printable(response.getheader("Content-Type", ""))
    return Page(body.decode("utf-8", "surrogateescape"), content_type, whole=counted)


def _words(response: http.client.HTTPResponse) -> str:
    """What it says beside the status, and where it sends whom it does not answer."""
    place = response.getheader("Location")
    where = "" if place is None else f", it is at {quoted(place)}; correct the address"
    return f" {printable(response.reason)[:100]}{where}"


def _path(target: Target) -> str:
    parts = urlsplit(target.url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _headers(target: Target) -> dict[str, str]:
    headers = {"Accept": ACCEPT, "Accept-Encoding": "identity", "User-Agent": "wattmark-collector"}
    if target.credentials_file is not None:
        token = read_token(target.credentials_file, "credentials file")
        headers["Authorization"] = f"Bearer {token}"
    return headers


def _connection(target: Target) -> http.client.HTTPConnection:
    parts = urlsplit(target.url)
    return connection_to(
        parts.scheme, parts.hostname or "", parts.port, timeout_seconds=target.timeout_seconds,
        ca_file=target.ca_file,
    )  # fmt: skip


def _body(response: http.client.HTTPResponse, deadline: float, target: Target) -> bytes:
    """A target that drips, or never ends, does not hold its poller."""
    pieces, size = [], 0
    while piece := response.read1(PIECE_BYTES):
        pieces.append(piece)
        size += len(piece)
        if time.monotonic() > deadline:
            raise ExporterError(f"target {target.url} took over {target.timeout_seconds:g} s")
        if size > MOST_BYTES:
            break
    if response.length and size <= MOST_BYTES:
        raise ExporterError(f"target {target.url} ended {response.length} bytes too early; see its"
                            " log")  # fmt: skip
    return b"".join(pieces)
