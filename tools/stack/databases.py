"""What the stack's InfluxDB holds, how long, and who may do what there.

``influxdb/init.sh`` says the same to 2.7 and later; a test holds the two together.
"""

import re
from typing import Final

from tools.stack.compose import StackError
from tools.stack.settings import setting

SAMPLES: Final = ("telemetry", "telemetry_1m", "power_10s", "power_1m", "power_10m", "power_1h")
DATABASES: Final = (*SAMPLES, "results")
FOR_EVER: Final = "0"
SHORT: Final = "14d"
LONG: Final = "730d"
KEPT_LONG: Final = ("telemetry_1m", "power_1m", "power_10m", "power_1h")
READS: Final = {
    "collector": SAMPLES, "runner": ("telemetry", "telemetry_1m", "results"), "grafana": DATABASES,
}  # fmt: skip
WRITES: Final = {"collector": SAMPLES, "runner": ("results",), "grafana": ()}
USERS: Final = tuple(READS)
HOURS: Final = {"h": 1, "d": 24, "w": 168}


def retention() -> str:
    """``WATTMARK_RETENTION``. Raises ``StackError`` where it is no time."""
    text = setting("WATTMARK_RETENTION", LONG)
    if not re.fullmatch(r"0|[1-9][0-9]*[hdw]", text):
        raise StackError(
            f"WATTMARK_RETENTION={text} is no time like 730d (h, d or w; 0 keeps for ever)"
        )
    return text


def retentions() -> dict[str, str]:
    """Of each database how long; 0 is for ever."""
    long = retention()
    return {
        name: long if name in KEPT_LONG else FOR_EVER if name == "results" else SHORT
        for name in DATABASES
    }


def hours(text: str) -> int:
    """Of ``14d``, or of what a server says: ``336h0m0s``; 0 is for ever."""
    matched = re.match(r"(\d+)([hdw])", text)
    return int(matched[1]) * HOURS[matched[2]] if matched else 0
