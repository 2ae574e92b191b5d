"""When was a child stopped by a signal? The kernel tells its parent of each stop and continuation.

``waitid(2)`` with WSTOPPED and WCONTINUED waits for either without any cost, and leaves the child's
end to those who wait for that.
"""

import os
import threading
import time
from typing import Final

CHANGES: Final = os.WSTOPPED | os.WCONTINUED


class StopWatch:
    """Watches one child of this process, in a thread that sleeps until the child is stopped. It
    ends when somebody has waited for the child's end."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._stops: list[tuple[int, int | None]] = []
        """From and to, ns; the last may go on."""
        threading.Thread(target=self._watch, name="wattmark-stops", daemon=True).start()

    def seconds(self, start_ns: int, end_ns: int) -> float:
        """How long it was stopped between two instants of CLOCK_BOOTTIME, s."""
        within = [
            min(end_ns, end_ns if last is None else last) - max(start_ns, first)
            for first, last in list(self._stops)
        ]
        return sum(max(0, length) for length in within) / 1e9

    def _watch(self) -> None:
        while True:
            try:
                change = os.waitid(os.P_PID, self._pid, CHANGES)
            except ChildProcessError:
                return
            now_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            if change is not None and change.si_code == os.CLD_CONTINUED:
                first_ns = self._stops.pop()[0] if self._stopped() else now_ns
                self._stops.append((first_ns, now_ns))
            elif not self._stopped():
                self._stops.append((now_ns, None))

    def _stopped(self) -> bool:
        return bool(self._stops) and self._stops[-1][1] is None
