"""What the page formats in the browser is what Python formats: to the last character."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from wattmark_core import figures
from wattmark_runner.records.model import RunState
from wattmark_runner.service.page_assets import labels_script

FORMAT = Path(__file__).parents[3] / "runner/wattmark_runner/service/page/format.js"
SECONDS = [None, -1.0, 0.0, 0.49, 0.5, 1.5, 2.5, 59.5, 60.0, 75.4, 599.5, 3599.99, 36_000.0]
SHARES = [None, 0.0, 0.004, 0.005, 0.015, 0.125, 0.285, 0.435, 0.5, 0.87, 0.995, 1.0]
MOMENTS_MS = [None, 0, 999, 1_700_000_000_000, 1_700_000_000_999, 1_709_164_800_000]
SCRIPT = """
import {{ clock, duration, moment, share }} from "{module}";
import {{ STATES }} from "{labels}";
const {{ seconds, shares, moments }} = JSON.parse(process.argv[1]);
console.log(JSON.stringify({{
  seconds: seconds.map(duration), shares: shares.map(share), moments: moments.map(moment),
  clocks: moments.filter((time) => time !== null).map(clock), states: STATES,
}}));
"""


@pytest.fixture(scope="module")
def node() -> str:
    """Debian's node."""
    program = shutil.which("node")
    if program is None:
        pytest.fail("node is missing: the page's formats are compared in it; apt install nodejs")
    return program


def test_the_pages_formats_are_pythons(node: str, tmp_path: Path) -> None:
    """Time left, shares and moments, at every rounding edge; in UTC, which Python names."""
    module, labels = tmp_path / "format.mjs", tmp_path / "labels.mjs"
    module.write_bytes(FORMAT.read_bytes())
    labels.write_text(labels_script(), encoding="utf-8")
    values = {"seconds": SECONDS, "shares": SHARES, "moments": MOMENTS_MS}
    done = subprocess.run(
        [node, "--input-type=module", "-e", SCRIPT.format(module=module, labels=labels),
         json.dumps(values)],
        capture_output=True, text=True, timeout=60, check=True, env={"TZ": "UTC"},
    )  # fmt: skip
    shown = json.loads(done.stdout)
    moments = [figures.moment(None if ms is None else ms * 1_000_000) for ms in MOMENTS_MS]
    assert shown["seconds"] == [figures.duration(seconds) for seconds in SECONDS]
    assert shown["shares"] == [figures.share(ratio) for ratio in SHARES]
    assert shown["moments"] == [text.removesuffix(" UTC") for text in moments]
    assert shown["clocks"] == [text.split()[1] for text in moments if text != figures.MISSING]
    assert shown["states"] == list(RunState)
