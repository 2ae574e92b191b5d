"""The report: one file, offline, honest."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from wattmark_cli.charts import power_curve
from wattmark_store import SeriesData

Wattmark = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def page(wattmark: Wattmark, data: Path, tmp_path: Path) -> str:
    """The report of the three runs, by the real command."""
    done = wattmark("report", "--data", str(data), "-o", "r.html")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "report   r.html\n"
    return (tmp_path / "r.html").read_text(encoding="utf-8")


def test_nothing_is_loaded_from_anywhere(page: str) -> None:
    """No address, no script, no link: the file is whole."""
    assert re.findall(r"https?://|<script|<link|@import|url\(", page) == []


def test_names_are_escaped(page: str) -> None:
    """A model's name is text, wherever it stands."""
    assert "<b>&" not in page
    assert page.count("&lt;b&gt;&amp;&#34;quoted&#34;") >= 4


def test_measured_and_estimated_stand_apart(page: str) -> None:
    """Two tables; the estimate is called one at the top, in its title and beside its counter."""
    titles = re.findall(r"<h2>(.*?)</h2>", page)
    assert titles[:2] == [
        "digits · boundary cpu · measured energy",
        "digits · boundary cpu · ESTIMATED energy, relative only",
    ]
    assert "<strong>Energy is estimated, not measured</strong>" in page
    assert "package socket0: estimated from estimate" in page


def test_invalid_scores_are_listed_unranked(page: str) -> None:
    """No rank and no number; what is missing is a dash, never a zero."""
    row = re.search(r"<tr><td>–</td>\s*<td class=\"l\"><strong>broken.*?</tr>", page, re.DOTALL)
    assert row is not None
    assert "invalid" in row[0]
    assert ">0" not in row[0]


def test_checks_stand_beside_their_limits(page: str) -> None:
    """Value, limit and unit of each check of each run."""
    assert len(re.findall(r"<td>10 s</td><td>30 s</td>", page)) == 3


def test_power_is_not_drawn_across_epochs() -> None:
    """Between two epochs there is no power: the curve breaks."""
    data = SeriesData(
        "energy", (), [0, 10**9, 2 * 10**9, 3 * 10**9],
        {"joules": [0.0, 50.0, 0.0, 20.0], "epoch": [1, 1, 2, 2]},
    )  # fmt: skip
    curve = power_curve("x", data)
    assert curve.points == ((10**9, 50.0), None, (3 * 10**9, 20.0))


def test_a_browser_shows_it(page: str, tmp_path: Path) -> None:
    """Chromium lays the page out: the tables, a curve per run, the bars."""
    chromium = shutil.which("chromium")
    assert chromium, "no chromium: as root, apt-get install chromium"
    done = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", f"file://{tmp_path}/r.html"],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert len(done.stdout) > 0.9 * len(page)
    assert done.stdout.count("<svg") == 5  # three curves, bars of the two groups
    assert done.stdout.count('class="line s0"') == 3


def test_one_run_as_json(wattmark: Wattmark, data: Path) -> None:
    """--run picks runs, --json tells what was written."""
    done = wattmark("report", "--data", str(data), "--run", "run-guessed", "--json")
    assert json.loads(done.stdout) == {"report": "report.html", "runs": ["run-guessed"]}


def test_an_unknown_run_is_one_line(wattmark: Wattmark, data: Path) -> None:
    """It says how many runs there are."""
    done = wattmark("report", "--data", str(data), "--run", "nope")
    assert done.returncode == 2
    assert done.stderr == f"wattmark: no run 'nope' in {data}; it holds 3 runs\n"
