"""Does a child process stand still, stopped by a signal or a debugger?

A worker in that state says nothing, keeps all that it holds, and would be waited for for ever.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

STATES: Final = ([b"t"], [b"T"])
"""In ``/proc/PID/stat``: stopped by a debugger, and by a signal (proc_pid_stat(5))."""
LOOK_SECONDS: Final = 5.0
"""Between looks at what a worker has started: each takes some 0.1 ms."""


class StandingStill:
    """Watches a child of this process and what that has started.

    ``stops``: how often one was seen to stand still. Of the child itself the kernel tells also a
    stop that is over when it is asked (waitid(2)); of the others one of 5 s and more is seen.
    """

    def __init__(
        self, pid: int, *, procfs: Path = Path("/proc"), look_seconds: float = LOOK_SECONDS
    ) -> None:
        self.stops = 0
        self._look_seconds = look_seconds
        self._pid = pid
        self._procfs = procfs
        self._is_stopped = False
        self._are_stopped = False
        self._looked_at = time.monotonic()
        self._since: float | None = None

    def look(self) -> float:
        """For how long it stands still now, s; 0: it goes on."""
        now = time.monotonic()
        before = self._are_stopped
        self._ask_kernel()
        if now - self._looked_at >= self._look_seconds:
            self._looked_at = now
            self._are_stopped = any(map(self._stands, self._started(self._pid)))
            self.stops += self._are_stopped and not before
        if not (self._is_stopped or self._are_stopped):
            self._since = None
            return 0.0
        self._since = now if self._since is None else self._since
        return now - self._since

    def _ask_kernel(self) -> None:
        """All that has happened since, in order."""
        which = os.WSTOPPED | os.WCONTINUED | os.WNOHANG
        while True:
            try:
                what = os.waitid(os.P_PID, self._pid, which)
            except ChildProcessError:  # it has ended
                self._is_stopped = False
                return
            if what is None:
                return
            stopped = what.si_code in {os.CLD_STOPPED, os.CLD_TRAPPED}
            self.stops += stopped or not self._is_stopped
            self._is_stopped = stopped

    def _started(self, pid: int) -> Iterator[int]:
        """What a process has started, and that in turn; kernels without such a list name none."""
        for path in (self._procfs / str(pid) / "task").glob("*/children"):
            try:
                children = [int(word) for word in path.read_text(encoding="ascii").split()]
            except (OSError, ValueError):
                continue  # it ends just now
            for child in children:
                yield child
                yield from self._started(child)

    def _stands(self, pid: int) -> bool:
        try:
            text = (self._procfs / str(pid) / "stat").read_bytes()
        except OSError:
            return False
        return text.rpartition(b")")[2].split()[:1] in STATES
