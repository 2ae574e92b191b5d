"""``python -m tools.tests``: several at once on one machine."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools import tests

ROOT = Path(__file__).resolve().parents[2]
ALONE = """
import sys
from pathlib import Path
from tools import tests

setattr(tests, "LOCK", Path(sys.argv[1]))
with tests._machine(alone=True):
    print("alone", flush=True)
"""


def test_those_that_measure_time_wait_for_all_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two that need no quiet run beside each other; one that does begins when both are over, and
    says meanwhile that it waits."""
    monkeypatch.setattr(tests, "LOCK", tmp_path / "lock")
    with tests._machine(alone=False), tests._machine(alone=False):
        waiting = subprocess.Popen(
            [sys.executable, "-c", ALONE, tests.LOCK], cwd=ROOT, text=True, stdout=subprocess.PIPE
        )
        assert waiting.stdout is not None
        assert waiting.stdout.readline() == "\n"
        assert waiting.stdout.readline().startswith("Waiting until no other tests run")
        assert waiting.poll() is None
    assert waiting.communicate(timeout=20)[0] == "alone\n"
