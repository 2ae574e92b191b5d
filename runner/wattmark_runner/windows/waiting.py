"""Waiting that can be cancelled."""

import threading
import time
from collections.abc import Callable
from typing import Final

from wattmark_runner.errors import Cancelled

TICK_SECONDS: Final = 0.5


def pause(seconds: float, report: Callable[[float], None], cancel: threading.Event | None) -> None:
    """Sleep, and report the fraction done. Raises ``Cancelled`` as soon as ``cancel`` is set."""
    waiter = cancel or threading.Event()
    start = time.monotonic()
    while (left := start + seconds - time.monotonic()) > 0:
        report(1.0 - left / seconds)
        if waiter.wait(min(left, TICK_SECONDS)):
            raise Cancelled
