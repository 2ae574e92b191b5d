"""``wattmark-collector back-fill``: power of a time before a collector made it."""

import argparse
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from typing import Final

from wattmark_collector.options import add_store
from wattmark_core.clock import Clock
from wattmark_core.errors import ConfigurationError
from wattmark_core.units import NS_PER_S
from wattmark_store import BackFilled, open_store

COMMAND: Final = "back-fill"


def main(arguments: list[str], clock: Clock) -> int:
    """A line for each day that is done. The exit status is 0; raises ``WattmarkError``."""
    options = _parser().parse_args(arguments)
    since_ns = _since_ns(options.since)
    with closing(open_store(options.store, options.store_password_file, options.store_ca)) as store:
        if not isinstance(store, BackFilled):
            raise ConfigurationError(f"store {options.store} holds no power; only InfluxDB's does")
        began, points = time.monotonic(), 0
        for day in store.back_fill(clock.realtime_ns(), since_ns, older=options.older):
            points += day.points
            date = datetime.fromtimestamp(day.start_ns // NS_PER_S, UTC).date()
            _print(f"{date}: {day.points} minutes were missing; day {day.days} of {day.of_days}")
        _print(f"power is there: {points} minutes made in {time.monotonic() - began:.0f} s")
    return 0


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"wattmark-collector {COMMAND}",
        description="Make the power that dashboards show over days (power_1m, power_10m, power_1h)"
        " of one-minute values from before the collector made it. What is stored stays: it may be"
        " stopped, and done again.",
    )
    add_store(parser)
    parser.add_argument("--since", metavar="DATE",
                        help="first day to fill, YYYY-MM-DD in UTC (default: that of the first"
                        " one-minute value)",
                        )  # fmt: skip
    parser.add_argument("--older", action="store_true",
                        help="leave out the days after the first that has power: only finish"
                        " what was stopped",
                        )  # fmt: skip
    return parser


def _since_ns(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise ConfigurationError(f"--since {text!r} is not a date such as 2026-11-30") from error
    return int(day.timestamp()) * NS_PER_S
