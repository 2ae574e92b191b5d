"""The page on adding a check, done as it says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/adding-a-check.md").read_text(encoding="utf-8")
SCORE = """
import sys
from pathlib import Path
from tests.runner.scoring.by_hand import GPU, make_run, make_samples
from wattmark_runner.scoring.run import score_run
from wattmark_scoring import words
from wattmark_store.sqlite import SqliteStore

store = SqliteStore(Path(sys.argv[1]))
store.write(make_samples())
for gpu in ("", GPU.device):
    score_run(make_run(gpu), store)
    for score in store.scores():
        for check in score.checks:
            if check.name == "GPU busy":
                print(score.boundary, words.meaning(check))
"""


def block(language: str) -> str:
    """The page's one block in a language."""
    (text,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return str(text)


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """A copy of the scoring room, with the page's file and line."""
    copy = tmp_path / "wattmark_scoring"
    original = ROOT / "runner/wattmark_scoring"
    shutil.copytree(original, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "checks/gpu_busy.py").write_text(block("python"), encoding="utf-8")
    listed = copy / "checks/__init__.py"
    before, line, after = block("diff").splitlines()
    around = f"{before[1:]}\n{after[1:]}\n"
    text = listed.read_text(encoding="utf-8")
    assert line.startswith("+")
    assert around in text
    changed = f"{before[1:]}\n{line[1:]}\n{after[1:]}\n"
    listed.write_text(text.replace(around, changed), encoding="utf-8")
    return tmp_path


def test_a_check_is_one_file_and_one_line(room: Path, tmp_path: Path) -> None:
    """It is in the scores of a run on a GPU, in words, and in none of a run without."""
    path = os.pathsep.join([str(room), *(str(ROOT / name) for name in ("core", "runner", "."))])
    done = subprocess.run(
        [sys.executable, "-c", SCORE, str(tmp_path / "store.sqlite")],
        env={**os.environ, "PYTHONPATH": path}, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"{boundary} The GPU was busy for 35.7 % of the time, in repeat 1; needed 80 %. Give it"
        " larger batches, or read the images faster."
        for boundary in ("gpu", "host")
    ]


def test_the_example_is_in_the_projects_style(room: Path) -> None:
    """It is laid out as the other files are, and passes the same linter."""
    example = room / "wattmark_scoring/checks/gpu_busy.py"
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--config", str(ROOT / "pyproject.toml"),
             str(example)], text=True, capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
