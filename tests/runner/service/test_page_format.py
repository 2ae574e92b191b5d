"""What the page formats in the browser is what Python formats: to the last character."""

import base64
import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from wattmark_core import figures
from wattmark_runner.records.model import RunState
from wattmark_runner.service.page_assets import labels_script

FORMAT = Path(__file__).parents[3] / "runner/wattmark_runner/service/page/format.js"
SECONDS = [None, -1.0, 0.0, 0.49, 0.5, 1.5, 2.5, 59.5, 60.0, 75.4, 599.5, 3599.99, 36_000.0]
SHARES = [None, 0.0, 0.004, 0.005, 0.015, 0.125, 0.285, 0.435, 0.5, 0.87, 0.995, 1.0]
MOMENTS_MS = [None, 0, 999, 1_700_000_000_000, 1_700_000_000_999, 1_709_164_800_000]
SCRIPT = """
async ({ format, labels, seconds, shares, moments }) => {
  const { clock, duration, moment, share } = await import(format);
  const { STATES } = await import(labels);
  return {
    seconds: seconds.map(duration), shares: shares.map(share), moments: moments.map(moment),
    clocks: moments.filter((time) => time !== null).map(clock), states: STATES,
  };
}
"""


def _module(source: str) -> str:
    return f"data:text/javascript;base64,{base64.b64encode(source.encode()).decode()}"


@pytest.fixture(scope="module")
def shown() -> Any:
    """What Debian's Chromium makes of the values, in UTC."""
    program = shutil.which("chromium")
    if program is None:
        pytest.fail("chromium is missing: the page's formats run in it; apt install chromium")
    values = {
        "format": _module(FORMAT.read_text(encoding="utf-8")), "labels": _module(labels_script()),
        "seconds": SECONDS, "shares": SHARES, "moments": MOMENTS_MS,
    }  # fmt: skip
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        made = browser.new_context(timezone_id="UTC").new_page().evaluate(SCRIPT, values)
        browser.close()
    return made


def test_the_pages_formats_are_pythons(shown: Any) -> None:
    """Time left, shares and moments, at every rounding edge; in UTC, which Python names."""
    moments = [figures.moment(None if ms is None else ms * 1_000_000) for ms in MOMENTS_MS]
    assert shown["seconds"] == [figures.duration(seconds) for seconds in SECONDS]
    assert shown["shares"] == [figures.share(ratio) for ratio in SHARES]
    assert shown["moments"] == [text.removesuffix(" UTC") for text in moments]
    assert shown["clocks"] == [text.split()[1] for text in moments if text != figures.MISSING]


def test_the_page_knows_the_states_that_there_are(shown: Any) -> None:
    """In the order in which a run takes them."""
    assert shown["states"] == list(RunState)
