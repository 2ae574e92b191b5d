"""The README's curl lines do what it says, word for word."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINES = [
    line
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    if language == "sh" and "curl" in block
    for line in block.splitlines()
]
MARK = "-- line --"
ADDRESS = "http://127.0.0.1:8080"
"""Where it is unless another is given: another program may listen on it."""


@pytest.mark.slow
def test_every_curl_line_works(tmp_path: Path) -> None:
    """One after the other in one shell against `wattmark serve`, as a reader would type them, but
    on a free port."""
    assert sum(ADDRESS in line for line in LINES) >= 1
    assert sum("curl" in line for line in LINES) >= 9
    serving = subprocess.Popen(
        [sys.executable, "-m", "wattmark_cli", "serve", "--listen", "127.0.0.1:0"],
        cwd=tmp_path, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "WATTMARK_CACHE": str(tmp_path / "cache")},
    )  # fmt: skip
    try:
        assert serving.stdout is not None
        ready = serving.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", ready)
        assert found is not None, serving.communicate(timeout=30)[1]
        typed = [line.replace(ADDRESS, found[0]) for line in LINES]
        script = f"\necho; echo '{MARK}'\n".join(["set -eu -o pipefail", *typed])
        done = subprocess.run(
            ["bash", "-c", script], text=True, capture_output=True, timeout=300, check=False
        )
    finally:
        serving.terminate()
        serving.communicate(timeout=30)
    assert done.returncode == 0, done.stderr
    answers = dict(zip(LINES, done.stdout.split(MARK)[1:], strict=True))
    assert not any("application/problem" in a or '"status":4' in a for a in answers.values())

    def answer(part: str) -> str:
        found: str = next(text for line, text in answers.items() if part in line)
        return found

    assert '"name":"digits"' in answer("/workloads")
    assert '"energy":' in answer("/sensors")
    assert '"state":"queued"' in answer('"workload": "digits"')
    assert 'event: state\ndata: {"state": "done"' in answer("/events")
    assert '"accuracy^2/energy"' in answer("$RUN/score")
    assert answer("format=csv").strip().startswith("run_id,host,model")
    assert '"state":"closed"' in answer("-X PATCH")
    assert '"inferences":10000' in answer("-X PATCH")
