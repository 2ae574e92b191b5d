"""What is wrong with an answer that an exporter or a target gave over HTTP."""

import http.client
import time
from typing import Final

from wattmark_core.errors import ExporterError
from wattmark_core.printable import printable
from wattmark_core.retry_after import wait_seconds

MOST_BYTES: Final = 64 * 1024 * 1024
"""Of an answer; ten minutes of a busy exporter's ring are under 10 MiB."""
_GZIP: Final = b"\x1f\x8b"
_SHOWN: Final = 200
_ERRORS: Final = 400


def refusal(who: str, response: http.client.HTTPResponse, words: str) -> ExporterError:
    """The error that the status means: ``who answered 503 …``; with the wait that it asks for."""
    wait = wait_seconds(response.status, response.getheader("Retry-After"), time.time())
    asked = "" if wait is None else f"; it asks for {wait:.0f} s without a request"
    error = ExporterError(f"{who} answered {response.status}{words}{asked}")
    error.wait_seconds = wait
    return error


def check_answer(who: str, what: str, response: http.client.HTTPResponse, body: bytes) -> None:
    """Raise ``ExporterError`` for an error, for too long a body, and for one that is packed, which
    nobody asked for. ``what`` was asked, for the message."""
    if len(body) > MOST_BYTES:
        raise ExporterError(f"{who} answered with over {MOST_BYTES} bytes; let it show less")
    if response.status >= _ERRORS:
        text = printable(body[:_SHOWN].strip())
        raise refusal(who, response, f" to {what}: {text[:_SHOWN]}")
    coding = response.getheader("Content-Encoding", "").strip().lower()
    coding = "gzip" if body.startswith(_GZIP) else coding
    if coding not in {"", "identity"}:
        raise ExporterError(
            f"{who} answers {printable(coding[:_SHOWN])} though none was asked for; switch its"
            " compression off, or that of a proxy before it"
        )
