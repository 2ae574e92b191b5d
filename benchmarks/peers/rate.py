"""How often a peer really measured: it says so when it is terminated."""

import signal
import sys
import time
from collections.abc import Callable


def ready(rounds: Callable[[], int]) -> None:
    """Say READY; on SIGTERM write rounds per second since, and end."""
    start, before = time.monotonic(), rounds()

    def end(*_: object) -> None:
        sys.stdout.write(f"{(rounds() - before) / (time.monotonic() - start)}\n")
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    sys.stdout.write("READY\n")
    sys.stdout.flush()
