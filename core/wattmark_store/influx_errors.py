"""What InfluxDB's refusals mean: worth another try, or never."""

import json
from typing import Final

from wattmark_core.errors import StoreError, StoreUnavailable
from wattmark_store.influx_url import InfluxLocation

AWAY_STATUS: Final = frozenset({401, 403, 404, 408, 429})
"""Beside all of 500 and above: the same call succeeds once the server is put right."""
UNPARSED: Final = "unable to parse '"
"""Before each line that cannot be parsed, in the answer to a write."""
RIGHTS_MISSING: Final = ("authoriz", "insufficient permissions")
DATABASE_MISSING: Final = ("database not found", "default retention policy not set")
"""InfluxDB's words for errors of statements. 2.x has no others for a user who may not read a
database than for a database that does not exist."""


class MalformedLines(StoreError):
    """InfluxDB cannot parse some ``lines`` of a write, of which ``text`` names each."""

    def __init__(self, message: str, text: str) -> None:
        super().__init__(message)
        parts = (part.partition(UNPARSED)[2] for part in text.split("\n"))
        self.lines = frozenset(part.rpartition("': ")[0] for part in parts)


def refusal(status: int, body: bytes | str | None, location: InfluxLocation) -> StoreError:
    """The error that an answer means, in one line with what to do; 200: that of a statement."""
    text = _error_text(body.decode("utf-8", "replace") if isinstance(body, bytes) else body or "")
    where = f"InfluxDB at {location.url}"
    user = f"user {location.user}" if location.user else "nobody without a password"
    words = " ".join(text.split())[:300]
    # A refused line (400) is repeated in the answer, whatever it is called.
    if status in {401, 403} or (status == 200 and any(w in words for w in RIGHTS_MISSING)):
        return StoreUnavailable(
            f"{where} refuses {user} ({words}); correct --store-password-file, or the user's rights"
        )
    if status == 404 or (status == 200 and any(w in words for w in DATABASE_MISSING)):
        return StoreUnavailable(f"{where}: {words}; make its databases and let {user} use them, see"
                         " influxdb/README.md")  # fmt: skip
    if status in AWAY_STATUS or status >= 500:
        return StoreUnavailable(f"{where} cannot answer now: {status} {words}; see its log")
    if status == 400 and UNPARSED in text:
        return MalformedLines(f"{where} refuses: {words}", text)
    return StoreError(f"{where} refuses: {words}")


def _error_text(text: str) -> str:
    """The error in an answer's body: 1.x calls it ``error``, 2.x ``message``."""
    try:
        answer = json.loads(text)
    except ValueError:
        return text
    if not isinstance(answer, dict):
        return text
    return str(answer.get("error") or answer.get("message") or text)
