"""``python -m tools.tests``: all tests, most of them side by side, the others alone afterwards.

What failed beside others is tried once more without them, because many tests wait for processes for
a limited time: it fails for good if it fails there, too.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

FAILED: Final = 1
"""pytest's exit status where tests failed."""
NOTHING_RAN: Final = 5
"""And where none was collected."""
MOST: Final = 8


def main(options: Sequence[str]) -> int:
    """``options`` go to pytest. The exit status of the part that failed, else 0."""
    # Tests mostly wait for what they start: two for each CPU.
    count = min(MOST, 2 * (os.cpu_count() or 1))
    beside = ["-n", str(count), "--dist=loadscope", "--no-loadscope-reorder", "--alone=without"]
    ended = [_pytest(*beside, *options)]
    if ended == [FAILED]:
        sys.stdout.write("\nWhat failed beside other tests, once more without them:\n")
        sys.stdout.flush()
        ended = [_pytest("--last-failed", "--alone=without", *options)]
    ended.append(_pytest("--alone=only", *options))
    failed = [status for status in ended if status not in {0, NOTHING_RAN}]
    return max(failed, default=0 if 0 in ended else NOTHING_RAN)


def _pytest(*options: str) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *options], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
