"""The report: one file, offline, honest."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from wattmark_cli.report import write_report
from wattmark_core.catalogue import Method
from wattmark_core.results import Boundary, Score, Verdict
from wattmark_runner.records.database import RunDatabase
from wattmark_runner.views.charts import score_chart
from wattmark_store.sqlite import SqliteStore

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
        "digits · boundary cpu · ESTIMATED energy, relative only · host1",
    ]
    assert "<strong>Energy is estimated, not measured</strong>" in page
    assert "package socket0: ESTIMATED from estimate" in page


def test_invalid_scores_are_listed_unranked(page: str) -> None:
    """No rank and no number; what is missing is a dash, never a zero."""
    row = re.search(
        r"<tr><td class=\"n\">–</td>\s*<th [^>]*><a [^>]*>broken.*?</tr>", page, re.DOTALL
    )
    assert row is not None
    assert "invalid" in row[0]
    assert ">0" not in row[0]


def test_nothing_measured_is_a_dash(page: str) -> None:
    """No interval, no CPU time, no end: dashes, and no unit without its number."""
    assert "<dt>ended</dt><dd>–</dd>" in page
    assert "– mWh" not in page
    assert "None" not in page


def test_the_head_says_where_and_how(page: str) -> None:
    """Host, CPU, kernel, energy sources by method, and the boundary in words."""
    head = page[page.index("<header>") : page.index("</header>")]
    assert "<strong>host1</strong>" in head
    assert "<dt>CPU</dt><dd>Test CPU</dd>" in head
    assert "<dt>kernel</dt><dd>6.1</dd>" in head
    assert "package socket0: counter from rapl" in head
    assert "package socket0: ESTIMATED from estimate" in head
    assert "memory where it has a counter" in head


def test_a_name_leads_to_its_run(page: str) -> None:
    """Every link in a table ends at an element of this very file."""
    targets = re.findall(r'href="#([^"]+)"', page)
    assert len(targets) == 3
    assert all(f'<details id="{target}"' in page for target in targets)


def test_checks_stand_beside_their_limits(page: str) -> None:
    """What was found, what is allowed, and a sentence, of each check of each run."""
    cells = r"<span>10.0 s</span></td><td data-l=\"allowed\"><span>at least 30 s</span>"
    assert len(re.findall(cells, page)) == 3
    assert page.count("The shorter idle baseline lasted 10.0 s; needed 30 s. Measure the") == 3


def test_each_epoch_is_a_line_of_its_own(page: str) -> None:
    """The samples' second epoch begins with a new stroke, in every run."""
    paths = re.findall(r'<path class="curve package" [^>]*d="([^"]+)"', page)
    assert [path.count("M") for path in paths] == [2, 2, 2]


def test_what_cannot_stand_on_a_logarithmic_axis_is_left_to_the_table() -> None:
    """No interval or one that reaches 0: no dot; a long name is cut, in full in its title."""
    score = Score(
        "r", "h", "m" * 40, "w", Boundary.CPU, "accuracy^2/energy", 0, Method.COUNTER,
        Verdict.VALID, 5.0, 4.0, 6.0,
    )  # fmt: skip
    without = [replace(score, low=None), replace(score, value=0.0, low=0.0)]
    assert score_chart(without, "none") == ""
    chart = score_chart([score, *without], "one")
    assert chart.count('class="dot"') == 1
    assert "m" * 21 + "…</text>" in chart
    assert "<title>" + "m" * 40 + ": 5.0 ± 1.0 /mWh" in chart


def test_two_hosts_are_told_apart(data: Path, tmp_path: Path) -> None:
    """With runs of two hosts each row names its own."""
    record = RunDatabase(data / "runner.sqlite").load("run-guessed")
    score = replace(record.scores[0], host="host2", run_id="run-2")
    other = replace(record, run_id="run-2", host="host2", scores=(score,))
    with closing(SqliteStore(data / "store.sqlite")) as store:
        write_report(tmp_path / "two.html", [record, other], store, title="two")
    page = (tmp_path / "two.html").read_text(encoding="utf-8")
    assert re.findall(r'</a><br><span class="dim small">(.*?)</span>', page) == ["host1", "host2"]
    assert "No samples of power are kept for this run." in page


def test_a_browser_shows_it(page: str, tmp_path: Path) -> None:
    """Chromium lays the page out: the tables, a curve per run, the scores."""
    chromium = shutil.which("chromium")
    assert chromium, "no chromium: as root, apt-get install chromium"
    done = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", f"file://{tmp_path}/r.html"],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert len(done.stdout) > 0.9 * len(page)
    assert done.stdout.count("<svg") == 5  # three curves, scores of the two groups
    assert done.stdout.count('<path class="curve package"') == 3


def test_one_run_as_json(wattmark: Wattmark, data: Path) -> None:
    """--run picks runs, --json lists what was written."""
    done = wattmark("report", "--data", str(data), "--run", "run-guessed", "--json")
    assert json.loads(done.stdout) == {"report": "report.html", "runs": ["run-guessed"]}


def test_an_unknown_run_is_one_line(wattmark: Wattmark, data: Path) -> None:
    """It says how many runs there are."""
    done = wattmark("report", "--data", str(data), "--run", "nope")
    assert done.returncode == 2
    assert done.stderr == f"wattmark: no run 'nope' in {data}; it holds 3 runs\n"


def test_an_empty_store_is_one_line(wattmark: Wattmark, tmp_path: Path) -> None:
    """Nothing was measured yet: it says so and what to do, and writes no file."""
    empty = tmp_path / "empty"
    empty.mkdir()
    SqliteStore(empty / "store.sqlite").close()
    done = wattmark("report", "--data", str(empty), "-o", "r.html")
    assert done.returncode == 2
    assert done.stderr == f"wattmark: no run in {empty} yet; measure first (wattmark fit)\n"
    assert not (tmp_path / "r.html").exists()


def test_a_full_disk_is_one_line(wattmark: Wattmark, data: Path) -> None:
    """The report cannot be written: which file, why, and what to do."""
    done = wattmark("report", "--data", str(data), "-o", "/dev/full")
    assert done.returncode == 2
    assert done.stderr.startswith("wattmark: cannot write /dev/full: No space left on device; ")
    assert done.stderr.count("\n") == 1
