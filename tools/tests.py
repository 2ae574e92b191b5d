"""``python -m tools.tests``: all tests, most of them side by side, the others alone afterwards.

What failed beside others is tried once more without them, because many tests wait for processes for
a limited time: it fails for good if it fails there, too. Several may run at once on one machine:
the tests that need it for themselves wait until no others are under way.
"""

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

FAILED: Final = 1
"""pytest's exit status where tests failed."""
NOTHING_RAN: Final = 5
"""And where none was collected."""
MOST: Final = 8
LOCK: Final = Path(tempfile.gettempdir()) / "wattmark-tests.lock"
LONG: Final = "--long"


def main(options: Sequence[str]) -> int:
    """``options`` go to pytest; the exit status of the part that failed, else 0. ``--long`` as the
    first: the tests that have a long version at their full length, and no others."""
    if options[:1] == [LONG]:
        os.environ["WATTMARK_LONG"] = "1"
        with _machine(alone=True):
            return _pytest("-m", "long", *options[1:])
    ended = [_side_by_side(options)]
    with _machine(alone=True):
        ended.append(_pytest("--alone=only", *options))
    failed = [status for status in ended if status not in {0, NOTHING_RAN}]
    return max(failed, default=0 if 0 in ended else NOTHING_RAN)


def _side_by_side(options: Sequence[str]) -> int:
    # Tests mostly wait for what they start: two for each CPU.
    count = min(MOST, 2 * (os.cpu_count() or 1))
    beside = ["-n", str(count), "--dist=loadscope", "--no-loadscope-reorder", "--alone=without"]
    with _machine(alone=False):
        ended = _pytest(*beside, *options)
        if ended == FAILED:
            _say("What failed beside other tests, once more without them:")
            ended = _pytest("--last-failed", "--alone=without", *options)
    return ended


@contextmanager
def _machine(*, alone: bool) -> Iterator[None]:
    """Hold the machine, for one's own tests ``alone`` or beside those of others."""
    with LOCK.open("w") as lock:
        LOCK.chmod(0o666)
        how = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
        try:
            fcntl.flock(lock, how | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("Waiting until no other tests run on this machine …")
            fcntl.flock(lock, how)
        yield


def _say(text: str) -> None:
    sys.stdout.write(f"\n{text}\n")
    sys.stdout.flush()


def _pytest(*options: str) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *options], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
