"""Waiting that can be called off."""

import threading
import time
from collections.abc import Callable
from typing import Final

TICK_SECONDS: Final = 0.5


class Cancelled(Exception):
    """Somebody asked for an end."""


def pause(seconds: float, tell: Callable[[float], None], cancel: threading.Event | None) -> None:
    """Sleep, telling the fraction done. Raises ``Cancelled`` as soon as ``cancel`` is set."""
    waiter = cancel or threading.Event()
    start = time.monotonic()
    while (left := start + seconds - time.monotonic()) > 0:
        tell(1.0 - left / seconds)
        if waiter.wait(min(left, TICK_SECONDS)):
            raise Cancelled
