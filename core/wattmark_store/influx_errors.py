"""What InfluxDB's refusals mean: worth another try, or never."""

import json
from typing import Final

from wattmark_core.errors import StoreError, StoreUnavailable
from wattmark_store.influx_url import InfluxLocation

AWAY_STATUS: Final = frozenset({401, 403, 404, 408, 429})
"""Beside all of 500 and above: the same call succeeds once somebody has put the server right."""
UNPARSED: Final = "unable to parse '"
"""Before each line that cannot be parsed, in the answer to a write."""
RIGHTS_WANTED: Final = ("authoriz", "insufficient permissions")
DATABASE_WANTED: Final = ("database not found", "default retention policy not set")
"""InfluxDB's words for errors of statements. 2.x has no more for whoever may not read a database
than for one that is not there."""


class MalformedLines(StoreError):
    """InfluxDB cannot parse some ``lines`` of a write, of which ``text`` names each."""

    def __init__(self, message: str, text: str) -> None:
        super().__init__(message)
        told = (each.partition(UNPARSED)[2] for each in text.split("\n"))
        self.lines = frozenset(each.rpartition("': ")[0] for each in told)


def refusal(status: int, body: bytes | str | None, location: InfluxLocation) -> StoreError:
    """The error that an answer means, in one line with what to do; 200: that of a statement."""
    text = _told(body.decode("utf-8", "replace") if isinstance(body, bytes) else body or "")
    where = f"InfluxDB at {location.url}"
    user = f"user {location.user}" if location.user else "nobody without a password"
    said = " ".join(text.split())[:300]
    # A refused line (400) is repeated in the answer, whatever it is called.
    if status in {401, 403} or (status == 200 and any(w in said for w in RIGHTS_WANTED)):
        return StoreUnavailable(
            f"{where} refuses {user} ({said}); correct --store-password-file, or the user's rights"
        )
    if status == 404 or (status == 200 and any(w in said for w in DATABASE_WANTED)):
        return StoreUnavailable(f"{where}: {said}; make its databases and let {user} use them, see"
                         " influxdb/README.md")  # fmt: skip
    if status in AWAY_STATUS or status >= 500:
        return StoreUnavailable(f"{where} cannot answer now: {status} {said}; see its log")
    if status == 400 and UNPARSED in text:
        return MalformedLines(f"{where} refuses: {said}", text)
    return StoreError(f"{where} refuses: {said}")


def _told(text: str) -> str:
    """The error in an answer's body: 1.x calls it ``error``, 2.x ``message``."""
    try:
        told = json.loads(text)
    except ValueError:
        return text
    if not isinstance(told, dict):
        return text
    return str(told.get("error") or told.get("message") or text)
