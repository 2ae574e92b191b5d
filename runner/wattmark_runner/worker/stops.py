"""Was a child stopped by a signal, and continued? The kernel notes that for its parent.

``waitid(2)``: WCONTINUED and WSTOPPED report a change of state once, and leave the child's end to
those who wait for that.
"""

import os


def was_stopped(pid: int | None = None) -> bool:
    """Since it was asked last, a child, or any (None). A child that has ended was not."""
    found = False
    kind, number = (os.P_ALL, 0) if pid is None else (os.P_PID, pid)
    try:
        while os.waitid(kind, number, os.WSTOPPED | os.WCONTINUED | os.WNOHANG) is not None:
            found = True
    except ChildProcessError:
        pass  # none is left
    return found
