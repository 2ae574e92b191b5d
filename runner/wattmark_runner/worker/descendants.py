"""All that this process has started, and what that has started in turn."""

import contextlib
import ctypes
import os
import resource
import signal
import time
from collections.abc import Callable
from typing import Final

import psutil

PAUSE_SECONDS: Final = 0.01
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
_LIBC: Final = ctypes.CDLL(None)


def adopt() -> None:
    """From now on descendants whose parent ends become this process's children.

    So none can leave by ending its parent, not even with a session of its own.
    """
    _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def dying_with(parent: int) -> Callable[[], None]:
    """What a child is to call first, so that it ends when its parent, which may be killed, does."""

    def die_with_parent() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it ended before the call
            os._exit(1)

    return die_with_parent


def kill() -> None:
    """Kill them all, also those that they start meanwhile."""
    while alive := [process for process in _all() if _runs(process)]:
        for process in alive:
            with contextlib.suppress(psutil.Error):
                process.kill()
        time.sleep(PAUSE_SECONDS)


def cpu_seconds() -> float:
    """CPU time of them all, also of those that have ended, s."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = usage.ru_utime + usage.ru_stime
    for process in _all():
        with contextlib.suppress(psutil.Error):
            total += sum(process.cpu_times()[:4])  # its own, and of its children that have ended
    return total


def _all() -> list[psutil.Process]:
    """None is the usual case, and asking the kernel is cheaper than reading /proc."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return []
    return psutil.Process().children(recursive=True)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() not in {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}
    except psutil.Error:
        return False
