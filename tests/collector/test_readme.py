"""The room's page: what it lists is what there is."""

import re
import subprocess
import sys
from pathlib import Path

from wattmark_core.catalogue import MEASUREMENTS

README = (Path(__file__).parents[2] / "collector/README.md").read_text(encoding="utf-8")


def test_metrics_are_those_of_the_catalogue() -> None:
    """All that the collector says of targets and of itself, word for word."""
    rows = re.findall(r"^\| `(?:up|scrape_\w+|wattmark_\w+)` .*$", README, re.MULTILINE)
    assert rows == [
        f"| `{m.name}` | {m.kind} | {m.unit} | `{m.measurement}.{m.field}` | {m.meaning} |"
        for measurement in ("target", "collector")
        for m in MEASUREMENTS[measurement]
    ]


def test_options_are_all_there() -> None:
    """The page names every option of the program, and no other."""
    done = subprocess.run(
        [sys.executable, "-m", "wattmark_collector", "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    options = set(re.findall(r"--[a-z-]+", done.stdout)) - {"--help"}
    assert set(re.findall(r"^\| `(--[a-z-]+)", README, re.MULTILINE)) == options
