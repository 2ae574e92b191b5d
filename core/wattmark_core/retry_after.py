"""How long a server asks to be left alone: ``Retry-After`` (RFC 9110, section 10.2.3)."""

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

MOST_SECONDS: Final = 300.0
"""Longer waits are cut to this: an exporter's ring holds ten minutes."""
ASKED_STATUS: Final = frozenset({429, 503})
"""Answers whose ``Retry-After`` is heeded."""
_MOST_DIGITS: Final = 9


def wait_seconds(status: int, header: str | None, now_seconds: float) -> float | None:
    """The wait that an answer asks for, from 0 to ``MOST_SECONDS``; None if it asks for none.

    ``header``: seconds, or a date of HTTP. ``now_seconds``: Unix time.
    """
    if status not in ASKED_STATUS or header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        seconds = float(text) if len(text) <= _MOST_DIGITS else MOST_SECONDS
    else:
        try:
            until = parsedate_to_datetime(text)
        except (ValueError, TypeError, OverflowError):
            return None
        if until.tzinfo is None:
            until = until.replace(tzinfo=UTC)
        seconds = until.timestamp() - now_seconds
    return min(max(seconds, 0.0), MOST_SECONDS)
